# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Stories of a MAAS that proves nothing, and of the rung below it that does."""

import contextlib
import json
from collections.abc import Generator, Sequence

from lab import bmc, ceph, deployment, host, maas, network
from lab.host import Host
from lab.maas import Fault
from lab.process import wait_until

from . import faults
from .losses import RECOVERED_S
from .scene import Scene

_FENCERS = (faults.ENGINE, faults.HOSTMONITOR)
_OPTIONS = "/etc/masakari/instance-ha.conf"
_SECRET = "bmcs"
_SHIM = deployment.SHIM
_CEPH = "ceph"


def bmc_rung(scene: Scene, lost: Host) -> None:
    """MAAS fails; the host's own controller proves it off, and its guests start elsewhere."""
    with _bmcs(scene, host.hosts(3)):
        guests = scene.boot_servers(lost)
        maas.inject(Fault.FAILING)
        scene.fault(f"MAAS fails, and {lost.name} loses its storage network")
        network.cut(lost.netns, off=network.STORAGE)
        scene.wait_incident(lost, state="recovered", within_s=RECOVERED_S)
        scene.check(f"{lost.name} was powered off", not host.is_on(lost))
        scene.wait_elsewhere(guests, lost=lost)
        scene.check(
            "its own controller gave the proof", _first_proof(scene, lost) == _speaks(lost)
        )
        scene.check_fenced_recovery(guests, lost=lost)
        scene.check_one_writer(guests)


def storage_rung(scene: Scene, silent: Host) -> None:
    """MAAS fails and there is no BMC; Ceph refuses a host that runs on, and that is proof."""
    with _ceph(scene):
        guests = scene.boot_servers(silent)
        maas.inject(Fault.FAILING)
        scene.fault(f"MAAS fails, and every agent of {silent.name} dies; its guests write on")
        faults.stop_agents(silent)
        scene.wait_incident(silent, state="recovered", within_s=RECOVERED_S)
        scene.wait_elsewhere(guests, lost=silent)
        scene.check(f"{silent.name} still runs", host.is_on(silent))
        scene.check("Ceph gave the proof", _first_proof(scene, silent) == "ceph")
        scene.check_fenced_recovery(guests, lost=silent)
        scene.check_one_writer(guests)
        host.kill(silent)  # its guests run on, refused; somebody has to end them
        host.boot(silent)


def _first_proof(scene: Scene, of: Host) -> str:
    shown = deployment.instance_ha(scene.juju, "incident", "show", "--host", of.name)
    return str(min(shown["proofs"], key=lambda proof: proof["confirmed_at_s"])["method"])


def _speaks(of: Host) -> bmc.Protocol:
    """Return what a host's controller speaks: a list of BMCs has both, as those of clouds do."""
    return "ipmi" if of.number % 2 else "redfish"


@contextlib.contextmanager
def _bmcs(scene: Scene, hosts: Sequence[Host]) -> Generator[None]:
    """Give every host a controller of its own, and the product the way to them."""
    for each in hosts:
        bmc.ensure_up([each], speaks=_speaks(each))
    listed = {each.name: [bmc.entry(each, speaks=_speaks(each))] for each in hosts}
    secret = scene.juju.add_secret(_SECRET, {"bmcs": json.dumps(listed)})
    scene.juju.grant_secret(secret, _SHIM)
    try:
        with _option(scene, "bmc-credentials", str(secret), says="bmc_file"):
            yield
    finally:
        scene.juju.remove_secret(secret)
        bmc.down(hosts)


@contextlib.contextmanager
def _ceph(scene: Scene) -> Generator[None]:
    """Relate Ceph, and make it the rung below MAAS."""
    key = ceph.ceph("auth", "get-key", "client.admin").strip()
    scene.juju.deploy(deployment.STAGE / _CEPH, _CEPH, config={"admin-key": key})
    scene.juju.integrate(f"{_SHIM}:ceph", f"{_CEPH}:ceph")
    try:
        deployment.wait_active(scene.juju)
        with _option(scene, "rungs", "maas,ceph", says="rungs = maas,ceph"):
            yield
    finally:
        scene.juju.remove_relation(f"{_SHIM}:ceph", f"{_CEPH}:ceph")
        scene.juju.remove_application(_CEPH)
        deployment.wait_active(scene.juju)


@contextlib.contextmanager
def _option(scene: Scene, name: str, value: str, *, says: str) -> Generator[None]:
    """Set an option of the fencing authority while the block lasts, and all right after it.

    A lost host comes back first: its units have to follow, and the storage listens to it again
    only while Ceph is related.
    """
    scene.juju.config(_SHIM, {name: value})
    _wait_fencers(scene, says, wanted=True)
    try:
        yield
    finally:
        scene.restore(host.hosts(3))
        scene.juju.config(_SHIM, reset=name)
        _wait_fencers(scene, says, wanted=False)


def _wait_fencers(scene: Scene, says: str, *, wanted: bool) -> None:
    """Wait until the options of all who fence say something, or no longer, and they run by it."""

    def reached() -> bool:
        texts = [scene.juju.ssh(faults.UNIT, "cat", _OPTIONS, container=name) for name in _FENCERS]
        return all((says in text) is wanted for text in texts)

    wait_until(
        reached,
        within_s=180,
        what=f"those who fence to {'have' if wanted else 'forget'} {says}",
        every_s=1.0,
    )
    deployment.wait_active(scene.juju)
