# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask for power states and switch, in the same way as the engine; knows nothing of Juju."""

import contextlib
import functools
import json
import pathlib
import tempfile
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass

from hacluster_shim.checks import Ask
from hacluster_shim.snapshot import Maas
from instance_ha import ladder
from instance_ha.errors import FenceError
from instance_ha.ladder import Ladder, Rung
from instance_ha.model import FenceProof
from instance_ha.ports import Fencer
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.hypervisor import HypervisorData
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing import bmc
from masakari_instance_ha.fencing.ceph import CephAccess, CephFencer
from masakari_instance_ha.fencing.ipmi import Ipmi
from masakari_instance_ha.fencing.maas import Maas as MaasMachines
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerError, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

TIMEOUT_S = 35.0
"""MAAS itself gives a BMC up to 30 s."""
_BY = "hacluster-shim"


@contextlib.contextmanager
def asking(maas: Maas, hypervisors: Mapping[str, HypervisorData]) -> Generator[Ask]:
    """Give a function that returns what each rung of a hypervisor says, by Nova's name.

    Rung -> its power state as it is now, or the error that says why it is not known: no such
    machine, more than one, no answer. The secrets are in files of this process's own only while
    the block lasts. A MAAS that is none, or too old, is found out once, not by each hypervisor.
    """
    listed = bmc.parse(maas.bmcs or "{}")
    with _ways(maas, hypervisors) as ways:
        asked = _asked(maas)

        @functools.cache
        def refusal() -> PowerError | None:
            return _refusal(ways.maas)

        def ask(host: str) -> Mapping[str, str | FenceError]:
            types = {Rung.MAAS, Rung.CEPH, *(one.type for one in listed.get(host, ()))}
            said: dict[str, str | FenceError] = {}
            for rung in (rung for rung in asked if rung in types):
                problem = refusal() if rung is Rung.MAAS else None
                said[rung] = (
                    FenceError(host, problem.reason, hint=problem.hint)
                    if problem
                    else _said(ways.fencer(rung), host)
                )
            return said

        yield ask


@contextlib.contextmanager
def switching(
    maas: Maas, hypervisors: Mapping[str, HypervisorData], *, by: str
) -> Generator[Mapping[Rung, PowerFencer]]:
    """Give what switches a hypervisor, by rung, from the first to the last of the ladder.

    Raises:
        PolicyError: if the ladder names a rung to which there is no access.
    """
    rungs = ladder.choose(
        segment="", of_segments={}, of_all=_without_storage(maas.rungs), ready=_types(maas)
    )
    with _ways(maas, hypervisors) as ways:
        yield {rung: ways.switch(rung, by=by) for rung in rungs}


def fence(switches: Mapping[Rung, PowerFencer], host: str) -> FenceProof:
    """Return the proof that a hypervisor is off, of the first rung that gives one.

    Raises:
        FenceError: if none does.
    """
    return Ladder(switches).fence(host)


def power_on(switches: Mapping[Rung, PowerFencer], host: str) -> tuple[Rung, str]:
    """Order a hypervisor on; return the rung that took the order, and its name of the machine.

    Raises:
        FenceError: if none does; with the reason of each.
    """
    reasons: list[str] = []
    for rung, switch in switches.items():
        try:
            return rung, switch.power_on(host)
        except FenceError as error:
            reasons.append(f"{rung}: {error.reason}")
    raise FenceError(host, "; ".join(reasons), hint="Power it on by hand")


@dataclass(frozen=True, kw_only=True)
class _Ways:
    """The way to the hypervisors' power of each rung."""

    maas: MaasMachines
    redfish: Redfish
    ipmi: Ipmi
    ceph: CephFencer | None

    def switch(self, rung: Rung, *, by: str) -> PowerFencer:
        ways = {Rung.MAAS: self.maas, Rung.REDFISH: self.redfish, Rung.IPMI: self.ipmi}
        return PowerFencer(
            ways[rung].reach,
            rung=rung,
            pace=Pace(deadline_s=TIMEOUT_S, interval_s=1.0),
            clock=SystemClock(),
            by=by,
        )

    def fencer(self, rung: Rung) -> Fencer:
        """Return what can be asked of a hypervisor."""
        if rung is Rung.CEPH and self.ceph:
            return self.ceph
        return self.switch(rung, by=_BY)


def _said(fencer: Fencer, host: str) -> str | FenceError:
    try:
        return fencer.check(host)
    except FenceError as error:
        return error


def _refusal(maas: MaasMachines) -> PowerError | None:
    try:
        maas.require_version()
    except PowerError as error:
        return error
    return None


def _types(maas: Maas) -> Sequence[Rung]:
    """Return the rungs that switch power to which there is access for any hypervisor."""
    listed = bmc.parse(maas.bmcs or "{}")
    known = {one.type for bmcs in listed.values() for one in bmcs}
    return [Rung.MAAS, *(kind for kind in bmc.TYPES if kind in known)]


def _asked(maas: Maas) -> Collection[Rung]:
    """Return the rungs that any ladder has, for what is never asked protects nobody."""
    power = _types(maas)
    ready = [*power, Rung.CEPH] if maas.ceph else power
    own = [name for rungs in maas.segment_rungs.values() for name in rungs.split("+")]
    wanted = [Rung(name.strip()) for name in (*(maas.rungs or power), *own)]
    return [rung for rung in dict.fromkeys(wanted) if rung in ready]


def _without_storage(rungs: Sequence[str]) -> Sequence[str]:
    """Return the rungs that switch power; the storage is the engine's to ask."""
    return [rung for rung in rungs if rung != Rung.CEPH]


@contextlib.contextmanager
def _ways(maas: Maas, hypervisors: Mapping[str, HypervisorData]) -> Generator[_Ways]:
    with tempfile.TemporaryDirectory(prefix="hacluster-shim-") as name:
        directory = pathlib.Path(name)
        bmcs = _private(directory / "bmcs", maas.bmcs or "{}")
        targets = directory / "targets.json"
        listed = {host: data.model_dump() for host, data in hypervisors.items()}
        targets.write_text(json.dumps(listed), encoding="utf-8")
        yield _Ways(
            maas=MaasMachines(access=_access(maas, directory=directory), targets=targets),
            redfish=Redfish(file=bmcs, timeout_s=TIMEOUT_S),
            ipmi=Ipmi(file=bmcs, timeout_s=TIMEOUT_S),
            ceph=_ceph(maas.ceph, directory=directory, targets=targets) if maas.ceph else None,
        )


def _ceph(account: CephAccount, *, directory: pathlib.Path, targets: pathlib.Path) -> CephFencer:
    access = CephAccess(
        config=_private(directory / "ceph.conf", account.conf()),
        keyring=_private(directory / "ceph-keyring", account.keyring()),
        user=account.user,
        timeout_s=TIMEOUT_S,
    )
    return CephFencer(access, targets=targets, expires_s=0, clock=SystemClock(), by=_BY)


def _access(maas: Maas, *, directory: pathlib.Path) -> Access:
    ca = directory / "ca.pem"
    ca.write_text(maas.ca, encoding="utf-8")
    return Access(
        url=maas.url,
        credentials=_private(directory / "api-key", maas.api_key.get_secret_value()),
        ca=ca if maas.ca else None,
        timeout_s=TIMEOUT_S,
    )


def _private(file: pathlib.Path, text: str) -> pathlib.Path:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return file
