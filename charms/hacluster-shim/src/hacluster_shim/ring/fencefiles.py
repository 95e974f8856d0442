# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the fence agent finds on each member: itself, and root's files that say how and whom."""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Mapping, Sequence

from hacluster_shim.ring import agent, daemons
from hacluster_shim.ring.members import Member, render
from hacluster_shim.snapshot import Maas
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.pacemaker_remote import RemoteData

AGENT = pathlib.Path("usr/sbin/fence_maas")
CONFIG = pathlib.Path(agent.CONFIG.lstrip("/"))
TARGETS = pathlib.Path("etc/instance-ha/fence-targets.json")
CREDENTIALS = pathlib.Path("etc/instance-ha/maas-credentials")
CA = pathlib.Path("etc/instance-ha/maas-ca.pem")
_ROOT_ONLY = 0o600

Targets = dict[str, dict[str, object]]


def targets(
    members: Sequence[Member],
    remotes: Mapping[str, RemoteData],
    hypervisors: Mapping[str, HypervisorData],
) -> Targets:
    """Return node -> its machine in MAAS, for all that may ever be fenced."""
    found: Targets = {
        member.name: _target(member.name, member.system_id, container=member.container)
        for member in members
    }
    for name, remote in remotes.items():
        if remote.stonith_hostname:
            known = hypervisors.get(name)
            found[name] = _target(remote.stonith_hostname, known.system_id if known else "")
    return found


def ensure(maas: Maas, found: Targets) -> None:
    """Write the agent and its files; the agent reads them anew each time."""
    here = json.dumps([str(pathlib.Path(place).resolve()) for place in sys.path if place])
    config = {
        "url": maas.url,
        "credentials_file": f"/{CREDENTIALS}",
        "ca_file": f"/{CA}" if maas.ca else None,
        "targets_file": f"/{TARGETS}",
    }
    script = render("fence_maas.j2", python=sys.executable, path=here)
    daemons.ensure_file(CREDENTIALS, maas.api_key.get_secret_value().encode(), mode=_ROOT_ONLY)
    daemons.ensure_file(CA, maas.ca.encode(), mode=_ROOT_ONLY)
    daemons.ensure_file(TARGETS, _json(found), mode=_ROOT_ONLY)
    daemons.ensure_file(CONFIG, _json(config), mode=_ROOT_ONLY)
    daemons.ensure_file(AGENT, script.encode(), mode=0o755)


def remove() -> None:
    """Take all of it away."""
    for path in (AGENT, CONFIG, TARGETS, CREDENTIALS, CA):
        (daemons.ROOT / path).unlink(missing_ok=True)


def _target(hostname: str, system_id: str, *, container: bool = False) -> dict[str, object]:
    return {"hostname": hostname, "system_id": system_id, "container": container}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()
