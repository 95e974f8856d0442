# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How long a proof takes, rung by rung: from the order, and by a ring from the loss."""

from __future__ import annotations

import json
import os
import statistics
import time

import pytest

from instance_ha.ladder import OFF, STORAGE_FENCED, Rung
from lab import bmc, ceph, host, juju, layers, maas, network, paths, process, ring
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.ceph import CephAccess, CephFencer
from masakari_instance_ha.fencing.ipmi import Ipmi
from masakari_instance_ha.fencing.maas import Maas
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

pytestmark = [pytest.mark.bench, pytest.mark.lab]

TIMES = 10
LOST = host.host("h1")
REPORT = paths.REPOSITORY / "build/bench/fences.json"
RIGHTS = 'allow command "osd blocklist", allow command "osd blocklist ls"'
TIMEOUT_S = 30


@pytest.fixture(scope="module", autouse=True)
def alone():
    """Let there be no lab: its controller would act upon what is done here."""
    if process.alive(juju.AGENT):
        pytest.skip("a lab is up; take it down first: python -m lab down")
    try:
        yield
    finally:
        layers.down()


@pytest.fixture(scope="module")
def sheet():
    """What was measured; printed and written down in the end."""
    measured: dict[str, list[float]] = {}
    yield measured
    print(f"\n\nfences  {os.cpu_count()} processors, {TIMES} times each\n")  # noqa: T201
    print(f"{'':32}{'MIN':>8}{'MEDIAN':>8}{'MAX':>8}")  # noqa: T201
    for name, took_s in measured.items():
        figures = (min(took_s), statistics.median(took_s), max(took_s))
        print(f"{name:32}" + "".join(f"{figure:6.1f} s" for figure in figures))  # noqa: T201
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"at_s": time.time(), "seconds": measured}, indent=2) + "\n")


def seconds_to(answer: str, fencer) -> float:
    """Fence the host and return how long it took."""
    began_s = time.monotonic()
    proof = fencer.fence(LOST.name)
    took_s = time.monotonic() - began_s
    assert proof.answer == answer
    return took_s


@pytest.fixture
def machine():
    """One host and its MAAS."""
    network.ensure_up()
    maas.ensure_up()
    yield LOST
    host.kill(LOST)


@pytest.fixture
def ways(machine, tmp_path):
    """Rung -> the way to the host's power."""
    bmc.ensure_up([machine], speaks="redfish")
    bmc.ensure_up([machine], speaks="ipmi")
    key, targets, bmcs = (tmp_path / name for name in ("key", "targets", "bmcs"))
    key.write_text(maas.API_KEY)
    targets.write_text(json.dumps({machine.name: {"system_id": f"sys-{machine.name}"}}))
    listed = [bmc.entry(machine, speaks="redfish"), bmc.entry(machine, speaks="ipmi")]
    bmcs.write_text(json.dumps({machine.name: listed}))
    access = Access(url=maas.URL, credentials=key, ca=None, timeout_s=TIMEOUT_S)
    yield {
        Rung.MAAS: Maas(access=access, targets=targets),
        Rung.REDFISH: Redfish(file=bmcs, timeout_s=TIMEOUT_S),
        Rung.IPMI: Ipmi(file=bmcs, timeout_s=TIMEOUT_S),
    }
    bmc.down([machine])


@pytest.mark.parametrize("rung", [Rung.MAAS, Rung.REDFISH, Rung.IPMI])
def test_power_off(rung, machine, ways, sheet):
    fencer = PowerFencer(
        ways[rung].reach,
        rung=rung,
        pace=Pace(deadline_s=60, interval_s=1.0),
        clock=SystemClock(),
        by="bench",
    )
    for _ in range(TIMES):
        host.power_on(machine)
        process.wait_until(
            lambda: host.is_on(machine), within_s=30, what=f"{machine.name} to be on"
        )
        with network.inside():
            took_s = seconds_to(OFF, fencer)
        assert not host.is_on(machine)
        sheet.setdefault(f"{rung}: order to off", []).append(took_s)


def test_refusal_by_the_storage(sheet, tmp_path):
    network.ensure_up()
    ceph.ensure_up()
    ceph.ceph("auth", "get-or-create", "client.bench", "mon", RIGHTS)
    config, keyring, targets = (tmp_path / name for name in ("conf", "keyring", "targets"))
    config.write_text(ceph.client_files()["ceph/ceph.conf"])
    keyring.write_text(ceph.ceph("auth", "get", "client.bench"))
    addresses = [LOST.address(network.STORAGE)]
    targets.write_text(json.dumps({LOST.name: {"storage_addresses": addresses}}))
    fencer = CephFencer(
        CephAccess(config=config, keyring=keyring, user="bench", timeout_s=TIMEOUT_S),
        targets=targets,
        expires_s=3600,
        clock=SystemClock(),
        by="bench",
    )
    for _ in range(TIMES):
        with network.inside():
            took_s = seconds_to(STORAGE_FENCED, fencer)
            fencer.lift(LOST.name)
        sheet.setdefault(f"{Rung.CEPH}: order to refused", []).append(took_s)
    ceph.down()


def test_a_ring(sheet):
    formed = ring.of(3, 2)
    ring.ensure_up(formed)
    lost = formed.remotes[0]
    for _ in range(TIMES):
        ring.heal(formed)
        lost_at_s = time.time()
        network.cut(lost.netns, off=network.MANAGEMENT, silent=True)
        process.wait_until(
            lambda at_s=lost_at_s: ring.proof(formed, lost, lost_at_s=at_s),
            within_s=120,
            what=f"the proof that {lost.name} is off",
            every_s=0.1,
        )
        sheet.setdefault("ring: loss to off", []).append(time.time() - lost_at_s)
