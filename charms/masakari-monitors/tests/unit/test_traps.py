# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What other charms of monitors get wrong: options that reach nobody."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ops import testing

from masakari_monitors import remote

from .test_charm import USER, keystone

ALL_ON = {"agent-monitor": True, "storage-probe": "/srv/instances"}
"""With what the other options depend on."""
OTHER: dict[str, str | int | bool] = {
    "debug": True,
    "region": "RegionTwo",
    "use-internal-endpoints": False,
    "nova-host": "h1.rack-1",
    "libvirt-uri": "qemu+tcp:///system",
    "restart-delay": 7,
    "restart-limit": 9,
    "restart-window": 600,
    "queue-length": 77,
    "audit-interval": 60,
    "process-monitor": False,
    "process-list": "- unit: multipathd.service",
    "process-interval": 9,
    "process-retries": 8,
    "agent-monitor": False,
    "agent-interval": 30,
    "agent-timeout": 3,
    "agent-failures": 5,
    "storage-probe": "rbd:vms",
    "storage-probe-user": "nova-compute",
    "storage-probe-interval": 20,
    "storage-probe-deadline": 8,
    "host-monitor": True,
    "enable-stonith": True,
    "enable-resources": False,
}
"""Each option with a value that is not its default."""


def tells(ctx, hypervisor, config) -> tuple[dict[str, str], dict[str, str]]:
    """Return every file that the charm writes, and what it tells the ring."""
    ring = testing.Relation(remote.ENDPOINT)
    principal = testing.SubordinateRelation("container")
    state = testing.State(
        relations={principal, keystone(), ring}, secrets={USER}, leader=True, config=config
    )
    out = ctx.run(ctx.on.config_changed(), state)
    files = {
        str(path.relative_to(hypervisor.root)): path.read_text(errors="replace")
        for path in hypervisor.root.rglob("*")
        if path.is_file()
    }
    return files, dict(out.get_relation(ring.id).local_unit_data)


def test_t16_every_option_has_another_value_to_try():
    charmcraft = pathlib.Path(__file__).parents[2] / "charmcraft.yaml"
    options = yaml.safe_load(charmcraft.read_text())["config"]["options"]
    assert OTHER.keys() == options.keys()


@pytest.mark.parametrize("option", OTHER)
def test_t16_every_option_reaches_the_hypervisor_or_its_ring(ctx, hypervisor, option):
    before = tells(ctx, hypervisor, ALL_ON)

    after = tells(ctx, hypervisor, ALL_ON | {option: OTHER[option]})

    assert after != before
