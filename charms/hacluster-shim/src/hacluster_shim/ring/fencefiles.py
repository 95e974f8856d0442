# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the fence agents find on each member: themselves, and root's files: how and whom."""

from __future__ import annotations

import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence

from hacluster_shim.ring import agent, daemons, program
from hacluster_shim.ring.members import Member, render
from hacluster_shim.snapshot import Maas
from instance_ha.ladder import Rung
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.pacemaker_remote import RemoteData
from masakari_instance_ha.fencing import bmc

AGENTS = pathlib.Path("usr/sbin")
CONFIG = pathlib.Path(agent.CONFIG.lstrip("/"))
TARGETS = pathlib.Path("etc/instance-ha/fence-targets.json")
CREDENTIALS = pathlib.Path("etc/instance-ha/maas-credentials")
CA = pathlib.Path("etc/instance-ha/maas-ca.pem")
BMCS = pathlib.Path("etc/instance-ha/bmc-credentials")
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


def rungs(maas: Maas, node: str, *, container: bool = False) -> Sequence[Rung]:
    """Return what can switch *node* off, first to last; a container is MAAS' agent's to let go."""
    if container:
        return [Rung.MAAS]
    own = {one.type for one in bmc.parse(maas.bmcs or "{}").get(node, ())}
    order = [Rung(name) for name in maas.rungs] or list(agent.PROGRAMS)
    return [rung for rung in order if rung is Rung.MAAS or rung in own]


def ensure(maas: Maas, found: Targets) -> None:
    """Write the agents and their files; an agent reads them anew each time."""
    config = {
        "url": maas.url,
        "credentials_file": f"/{CREDENTIALS}",
        "ca_file": f"/{CA}" if maas.ca else None,
        "targets_file": f"/{TARGETS}",
        "bmc_file": f"/{BMCS}",
    }
    daemons.ensure_file(CREDENTIALS, maas.api_key.get_secret_value().encode(), mode=_ROOT_ONLY)
    daemons.ensure_file(CA, maas.ca.encode(), mode=_ROOT_ONLY)
    daemons.ensure_file(BMCS, (maas.bmcs or "{}").encode(), mode=_ROOT_ONLY)
    daemons.ensure_file(TARGETS, _json(found), mode=_ROOT_ONLY)
    daemons.ensure_file(CONFIG, _json(config), mode=_ROOT_ONLY)
    here = program.ensure()
    for rung, name in agent.PROGRAMS.items():
        python = os.path.realpath(sys.executable)
        script = render("fence_agent.j2", python=python, path=str(here), rung=rung.name)
        daemons.ensure_file(AGENTS / name, script.encode(), mode=0o755)


def remove() -> None:
    """Take all of it away."""
    agents = [AGENTS / name for name in agent.PROGRAMS.values()]
    for path in (*agents, CONFIG, TARGETS, CREDENTIALS, CA, BMCS):
        (daemons.ROOT / path).unlink(missing_ok=True)
    program.remove()


def _target(hostname: str, system_id: str, *, container: bool = False) -> dict[str, object]:
    return {"hostname": hostname, "system_id": system_id, "container": container}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, indent=1).encode()
