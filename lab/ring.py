# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker ring on the lab's hosts, formed by the charm: members, and remotes beside them.

It stands alone: hosts, MAAS and Juju are there, no OpenStack. Corosync and Pacemaker are the
distribution's; what configures them is the charm and nothing else.
"""

import dataclasses
import itertools
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jubilant

from instance_ha import pacemaker
from instance_ha.model import FenceProof
from instance_ha.pacemaker import RingView

from . import deployment, host, juju, maas, network, paths, process
from .host import Host
from .maas import API_KEY, URL
from .paths import CACHE
from .process import exclusive, run

SHIM = deployment.SHIM
PRINCIPAL = "ring-principal"
REMOTE = "pacemaker-remote"
VIP = network.MANAGEMENT.address(200)
_REMOTED = CACHE / "pacemaker-remote" / "usr" / "sbin" / "pacemaker-remoted"
_REMOTED_THERE = "/usr/sbin/pacemaker-remoted"
_REMOTE_UNIT = f"""[Unit]
Description=Pacemaker Remote executor daemon
After=network.target

[Service]
ExecStart={_REMOTED_THERE}
KillMode=process
Restart=on-failure

[Install]
WantedBy=multi-user.target
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ring:
    """Which hosts are members, and which are remotes."""

    members: Sequence[Host]
    remotes: Sequence[Host]

    @property
    def hosts(self) -> list[Host]:
        """All of them."""
        return [*self.members, *self.remotes]

    def without(self, member: Host) -> "Ring":
        """Return what is left of it when *member* is lost."""
        rest = [each for each in self.members if each != member]
        return dataclasses.replace(self, members=rest)


def of(members: int = 3, remotes: int = 2) -> Ring:
    """Return a ring on the first hosts."""
    every = host.hosts(members + remotes)
    return Ring(members=every[:members], remotes=every[members:])


def deploy_remote(client: jubilant.Juju) -> None:
    """Make hosts remotes by a charm that does nothing else."""
    client.deploy(deployment.STAGE / REMOTE, REMOTE)
    client.integrate(f"{REMOTE}:juju-info", f"{deployment.HYPERVISOR}:juju-info")


def ensure_up(
    ring: Ring, *, deploy_remote: Callable[[jubilant.Juju], None] = deploy_remote
) -> jubilant.Juju:
    """Bring hosts, MAAS and Juju up, deploy the ring, and wait until it watches its remotes.

    Args:
        ring: The hosts.
        deploy_remote: Deploys what makes hosts remotes, beside them and as application REMOTE.
    """
    host.ensure_up(ring.hosts)
    maas.ensure_up()
    for each in ring.hosts:
        _prepare(each)
    for each in ring.remotes:
        host.run(each, ["ln", "--symbolic", "--force", remoted(), _REMOTED_THERE])
        host.install_unit(each, "pacemaker_remote.service", _REMOTE_UNIT)
    _stage()
    client = juju.ensure_up()
    if SHIM in client.status().apps:
        heal(ring)
        return client
    _deploy(client, ring)
    deploy_remote(client)
    client.integrate(f"{SHIM}:pacemaker-remote", f"{REMOTE}:pacemaker-remote")
    deployment.wait_active(client, within_s=300)
    wait_connected(ring)
    return client


def down() -> None:
    """Leave nothing of it."""
    juju.down()
    host.down()
    maas.down()
    network.down()
    process.stop_all()
    shutil.rmtree(paths.STATE, ignore_errors=True)


def remoted() -> str:
    """Return the distribution's pacemaker-remoted, which cannot be installed beside Pacemaker."""
    with exclusive("pacemaker-remote"):
        if not _REMOTED.exists():
            place = CACHE / "pacemaker-remote"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            run(["apt-get", "download", "-q", "pacemaker-remote"], cwd=place, within_s=300)
            (package,) = place.glob("*.deb")
            run(["dpkg-deb", "--extract", package, place])
    return str(_REMOTED)


def _prepare(each: Host) -> None:
    """Give a host what MAAS would: who it is to it."""
    host.write(each, "/var/lib/cloud/data/instance-id", f"sys-{each.name}\n")
    source = f"DataSourceMAAS: DataSourceMAAS [{URL}/metadata/]\n"
    host.write(each, "/var/lib/cloud/instance/datasource", source)


def _stage() -> None:
    stage = [sys.executable, paths.REPOSITORY / "tools" / "stage.py", SHIM]
    run([*stage, "--output", deployment.STAGE], within_s=300)
    for partner in (PRINCIPAL, REMOTE, deployment.HYPERVISOR):
        source = deployment.PARTNERS / partner
        shutil.copytree(source, deployment.STAGE / partner, dirs_exist_ok=True)


def _deploy(client: jubilant.Juju, ring: Ring) -> None:
    def machines(hosts: Sequence[Host]) -> list[str]:
        return [str(each.number - 1) for each in hosts]

    members, remotes = machines(ring.members), machines(ring.remotes)
    stage, hypervisor = deployment.STAGE, deployment.HYPERVISOR
    client.deploy(
        stage / PRINCIPAL, PRINCIPAL, num_units=len(members), to=members, config={"vip": VIP}
    )
    client.deploy(stage / hypervisor, hypervisor, num_units=len(remotes), to=remotes)
    client.deploy(
        stage / SHIM,
        SHIM,
        # A machine that makes everything wait takes its members for lost, and fences them.
        config={
            "maas-url": URL,
            "cluster-count": len(members),
            "token-timeout": min(int(process.deadline(3) * 1000), 30_000),
        },
        bind={"hanode": "management", "ring-1": "tenant", "ring-2": "storage"},
    )
    secret = client.add_secret(deployment.CREDENTIALS, {"api-key": API_KEY})
    client.grant_secret(secret, SHIM)
    client.config(SHIM, {deployment.CREDENTIALS: str(secret)})
    client.integrate(f"{SHIM}:ha", f"{PRINCIPAL}:ha")


def status(client: jubilant.Juju, *, unit: int = 0) -> dict[str, Any]:
    """Return what the charm's status action tells."""
    told = client.run(f"{SHIM}/{unit}", "status").results
    return {key: _value(text) for key, text in told.items()}


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in ("{", "[") else text


def view(member: Host) -> RingView | None:
    """Return the ring as one member sees it, or None while it is off or does not answer."""
    if not host.is_on(member):
        return None
    shown = host.run(
        member, ["env", "TZ=UTC", "crm_mon", "--output-as=xml", "--fence-history=3"], check=False
    )
    kept = host.run(member, ["cibadmin", "--query"], check=False)
    if shown.returncode or kept.returncode:
        return None
    return pacemaker.read(shown.stdout, cib=kept.stdout)


def proof(ring: Ring, of: Host, *, lost_at_s: float) -> FenceProof | None:
    """Return the proof that a remote is off, from whichever member may speak."""
    for member in ring.members:
        if host.is_on(member) and (seen := view(member)):
            found = seen.proof(of.name, node=member.name, lost_at_s=lost_at_s)
            if found:
                return found
    return None


def decider(ring: Ring) -> Host:
    """Return the member that decides now."""
    return process.wait_until(
        lambda: next((m for m in ring.members if (v := view(m)) and v.speaks(m.name)), None),
        within_s=90,
        what="the ring to have a member that decides",
        every_s=0.5,
    )


def wait_connected(ring: Ring, *, within_s: float = 120) -> None:
    """Wait until every remote is connected, by the word of the member that decides."""

    def connected() -> bool:
        seen = view(decider(ring))
        states = seen.remotes if seen else {}
        return all(each.name in states and states[each.name].joined for each in ring.remotes)

    process.wait_until(
        connected, within_s=within_s, what="every remote to be connected", every_s=1.0
    )


def split(some: Sequence[Host], others: Sequence[Host]) -> None:
    """Let nothing through between two groups of hosts, on any network; all else reaches both."""
    for one, other in itertools.product(some, others):
        for here, away in ((one, other), (other, one)):
            for wire in network.HOST_NETWORKS:
                nowhere = ["route", "replace", "blackhole", f"{away.address(wire)}/32"]
                run(["ip", "-n", here.netns, *nowhere])


def told(ring: Ring) -> str:
    """Return who is on, and what each member shows people: why a wait was in vain."""
    lines = [f"{each.name} is {'on' if host.is_on(each) else 'off'}" for each in ring.hosts]
    for member in filter(host.is_on, ring.members):
        asked = ["crm_mon", "-1", "--fence-history=3", "--failcounts"]
        lines.append(host.run(member, asked, check=False).stdout)
    return "\n".join(lines)


def heal(ring: Ring) -> None:
    """Bring every host and cable back; wait until the ring watches all and has nothing to do."""
    maas.clear()
    network.heal_all()
    for each in ring.hosts:
        if not host.is_on(each):
            host.boot(each)
        run(["ip", "-n", each.netns, "route", "flush", "type", "blackhole"], check=False)
    member = decider(ring)
    host.run(member, ["crm_resource", "--cleanup"], check=False)
    wait_connected(ring)
    for each in ring.remotes:
        command = ["stonith_admin", "--cleanup", "--history", each.name]
        host.run(member, command, check=False)
    wait_done(member)


def wait_done(member: Host) -> None:
    """Wait until Pacemaker has nothing left to do, as far as a member can say that."""
    host.run(member, ["crm_resource", "--wait", "--timeout=60s"], check=False, within_s=90)
