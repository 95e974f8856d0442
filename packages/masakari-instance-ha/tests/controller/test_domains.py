# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.selection import Selection
from masakari_instance_ha import connection, domains
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.orphans import Orphans
from masakari_instance_ha.servers import Rules


@pytest.fixture
def cloud(openstack_cloud, configured, tmp_path):
    openstack_cloud.enrol("h1", "h2")
    return OpenStackCloud(
        connection.connect(configured()),
        clock=SystemClock(),
        orphans=Orphans(f"sqlite:///{tmp_path}/masakari.sqlite"),
        rules=Rules(default=Selection(), segments={}),
    )


def a_service(binary: str, state: str) -> dict[str, object]:
    return {"id": f"{binary}-{state}", "host": "control-0", "binary": binary, "state": state}


def test_hosts_come_with_zone_and_aggregates(cloud, openstack_cloud):
    openstack_cloud.services[0]["zone"] = "az1"
    openstack_cloud.aggregates += [
        {"name": "rack-1", "hosts": ["h1", "h2"]},
        {"name": "gpu", "hosts": ["h1"]},
        {"name": "empty", "hosts": None},
    ]

    h1, h2 = cloud.hosts()

    assert (h1.zone, h1.aggregates) == ("az1", ("gpu", "rack-1"))
    assert (h2.zone, h2.aggregates) == ("", ("rack-1",))


def test_aggregates_are_read_once_in_a_while(cloud, openstack_cloud, monkeypatch):
    def reads() -> int:
        return sum(path.endswith("/os-aggregates") for _, path, _ in openstack_cloud.calls)

    for _ in range(3):
        cloud.notify("h1", at_s=1_795_000_000.0)  # what was read before counts no more
        cloud.hosts()
    assert reads() == 1

    monkeypatch.setattr(domains, "AGGREGATES_S", 0.0)
    cloud.notify("h1", at_s=1_795_000_000.0)
    cloud.hosts()
    assert reads() == 2


@pytest.mark.parametrize(
    ("states", "down"),
    [
        pytest.param({}, (), id="a user who sees only computes"),
        pytest.param({"nova-scheduler": ["up"], "nova-conductor": ["up"]}, (), id="all up"),
        pytest.param({"nova-scheduler": ["down", "up"]}, (), id="one of two up"),
        pytest.param({"nova-scheduler": ["down", "down"]}, ("nova-scheduler",), id="none up"),
        pytest.param({"nova-conductor": ["down"]}, ("nova-conductor",), id="no conductor"),
    ],
)
def test_nova_is_well_while_one_of_each_is_up(cloud, openstack_cloud, states, down):
    openstack_cloud.services += [
        a_service(binary, state) for binary, found in states.items() for state in found
    ]

    assert cloud.health().down == down
