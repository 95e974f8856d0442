# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker ring on the lab's hosts, formed by the charm: three members, and remotes beside them.

It stands alone: hosts, MAAS and Juju are there, no OpenStack. Corosync and Pacemaker are the
distribution's; what configures them is the charm and nothing else.
"""

import dataclasses
import json
import shutil
import sys
from collections.abc import Sequence
from typing import Any

import jubilant

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
_REMOTE_UNIT = """[Unit]
Description=Pacemaker Remote executor daemon
After=network.target

[Service]
ExecStart={program}
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


def of(members: int = 3, remotes: int = 2) -> Ring:
    """Return a ring on the first hosts."""
    every = host.hosts(members + remotes)
    return Ring(members=every[:members], remotes=every[members:])


def ensure_up(ring: Ring) -> jubilant.Juju:
    """Bring hosts, MAAS and Juju up, deploy the ring, and wait until it watches its remotes."""
    host.ensure_up(ring.hosts)
    maas.ensure_up()
    for each in ring.hosts:
        _prepare(each)
    for each in ring.remotes:
        host.install_unit(each, "pacemaker_remote.service", _REMOTE_UNIT.format(program=remoted()))
    _stage()
    client = juju.ensure_up()
    if SHIM not in client.status().apps:
        _deploy(client, ring)
    deployment.wait_active(client, within_s=180)
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
        config={"maas-url": URL, "cluster-count": len(members)},
        bind={"hanode": "management", "ring-1": "tenant", "ring-2": "storage"},
    )
    client.deploy(stage / REMOTE, REMOTE)
    secret = client.add_secret(deployment.CREDENTIALS, {"api-key": API_KEY})
    client.grant_secret(secret, SHIM)
    client.config(SHIM, {deployment.CREDENTIALS: str(secret)})
    client.integrate(f"{SHIM}:ha", f"{PRINCIPAL}:ha")
    client.integrate(f"{REMOTE}:juju-info", f"{hypervisor}:juju-info")
    client.integrate(f"{SHIM}:pacemaker-remote", f"{REMOTE}:pacemaker-remote")


def status(client: jubilant.Juju, *, unit: int = 0) -> dict[str, Any]:
    """Return what the charm's status action tells."""
    told = client.run(f"{SHIM}/{unit}", "status").results
    return {key: _value(text) for key, text in told.items()}


def _value(text: str) -> Any:
    return json.loads(text) if text[:1] in ("{", "[") else text


def wait_connected(ring: Ring, *, within_s: float = 120) -> None:
    """Wait until every remote is connected and may be fenced, as a member tells it."""
    process.wait_until(
        lambda: {each.name for each in ring.remotes} <= _connected(ring.members[0]),
        within_s=within_s,
        what="every remote to be connected",
        every_s=1.0,
    )


def _connected(member: Host) -> set[str]:
    """Return the remotes whose connection stands by the CIB."""
    said = host.run(member, ["cibadmin", "--query", "--scope", "status"], check=False).stdout
    lines = [line for line in said.splitlines() if 'remote_node="true"' in line]
    return {line.split('uname="')[1].split('"')[0] for line in lines if 'in_ccm="true"' in line}
