# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who this machine is: its name, its machine in MAAS, whether it has power of its own."""

from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Iterable

import ops

from hacluster_shim.ring.members import MOST_LINKS
from instance_ha_relations.hanode import NodeData

ROOT = pathlib.Path("/")
_INSTANCE_ID = pathlib.Path("var/lib/cloud/data/instance-id")
_DATASOURCE = pathlib.Path("var/lib/cloud/instance/datasource")


def describe(addresses: Iterable[str], *, files: str) -> NodeData:
    """Return what this machine tells its peers.

    Args:
        addresses: One per link.
        files: Fingerprint of the ring's configuration and keys that it has.
    """
    machine = system_id()
    return NodeData.model_validate(
        {
            "hostname": os.uname().nodename,
            "addresses": tuple(addresses),
            "system_id": machine,
            "container": not machine and _is_container(),
            "files": files,
        }
    )


def addresses(model: ops.Model, bindings: Iterable[str]) -> tuple[str, ...]:
    """Return the address of each binding, without those that are the same; the first one first."""
    found: dict[str, None] = {}
    for name in bindings:
        binding = model.get_binding(name)
        if binding.network.bind_address is not None:
            found[str(binding.network.bind_address)] = None
    return tuple(found)[:MOST_LINKS]


def system_id() -> str:
    """Return this machine's system id where MAAS deployed it, else nothing."""
    source = ROOT / _DATASOURCE
    if not source.exists() or "DataSourceMAAS" not in source.read_text(encoding="utf-8"):
        return ""
    identity = ROOT / _INSTANCE_ID
    return identity.read_text(encoding="utf-8").strip() if identity.exists() else ""


def _is_container() -> bool:
    done = subprocess.run(
        ["/usr/bin/systemd-detect-virt", "--container", "--quiet"],
        check=False,
        capture_output=True,
    )
    return done.returncode == 0
