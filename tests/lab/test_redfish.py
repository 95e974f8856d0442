# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Redfish on a Redfish service that is not ours, which cuts the power of a real host."""

import contextlib
import hashlib
import json
import os
import signal
import ssl

import pytest

from instance_ha.errors import FenceError
from instance_ha.ladder import Rung
from lab import bmc, host, network, process
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.power import Pace, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

pytestmark = [
    pytest.mark.lab,
    pytest.mark.chaos,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces and mounts"),
]

IT = host.host("h1")
SERVICE = bmc.daemon(IT, speaks="redfish")
SYSTEM = f"/redfish/v1/Systems/{IT.uuid}"
RESET = f"POST {SYSTEM}/Actions/ComputerSystem.Reset"


@pytest.fixture(scope="module")
def controller():
    host.ensure_up([IT])
    bmc.ensure_up([IT], speaks="redfish")
    yield
    bmc.down([IT])
    host.kill(IT)


@pytest.fixture
def entry(controller):
    """The host is on, and its controller is well."""
    host.boot(IT)
    yield bmc.entry(IT, speaks="redfish")
    bmc.ensure_up([IT], speaks="redfish")


class Engine:
    """Asks the controller from where the engine does, with what the operator has listed."""

    def __init__(self, listed, *, timeout_s):
        self._fencer = PowerFencer(
            Redfish(file=listed, timeout_s=process.deadline(timeout_s)).reach,
            rung=Rung.REDFISH,
            pace=Pace(deadline_s=process.deadline(30), interval_s=0.2),
            clock=SystemClock(),
            by="tests",
        )

    def fence(self):
        with network.inside():
            return self._fencer.fence(IT.name)

    def check(self):
        with network.inside():
            return self._fencer.check(IT.name)

    def power_on(self):
        with network.inside():
            return self._fencer.power_on(IT.name)


@pytest.fixture
def engine(tmp_path):
    def listing(entry, *, timeout_s=20):
        listed = tmp_path / "bmcs.json"
        listed.write_text(json.dumps({IT.name: [entry]}))
        return Engine(listed, timeout_s=timeout_s)

    return listing


def resets():
    """Return how many orders the controller was given, by its own log."""
    return SERVICE.log.read_text().count(RESET)


def fingerprint(certificate):
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()


@contextlib.contextmanager
def hanging():
    """Let the controller take connections, and answer none."""
    os.kill(process.pid(SERVICE), signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process.pid(SERVICE), signal.SIGCONT)


def test_the_host_is_off_when_the_proof_is_there(entry, engine):
    before = resets()

    proof = engine(entry).fence()

    assert not host.is_on(IT)
    assert (proof.method, proof.answer) == ("redfish", "off")
    assert proof.target == f"https://{bmc.address(IT)}{SYSTEM}", "its one system was found"
    assert resets() == before + 1


def test_a_host_that_is_off_is_ordered_off_and_proven_all_the_same(entry, engine):
    host.kill(IT)
    before = resets()

    assert engine(entry).fence().answer == "off"
    assert resets() == before + 1, "only then nobody has powered it on meanwhile"


def test_a_host_is_powered_on_again(entry, engine):
    asked = engine(entry)
    asked.fence()
    assert asked.check() == "off"

    assert asked.power_on().endswith(SYSTEM)

    process.wait_until(lambda: host.is_on(IT), within_s=60, what=f"{IT.name} to be on")
    assert asked.check() == "on"


def test_a_system_can_be_named_and_a_certificate_pinned(entry, engine):
    pinned = fingerprint(entry.pop("ca"))

    assert engine(entry | {"fingerprint": pinned, "system": SYSTEM}).fence().answer == "off"
    assert not host.is_on(IT)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"password": "wr0ng"}, "refuses user and password", id="password"),
        pytest.param({"username": "nobody"}, "refuses user and password", id="user"),
        pytest.param({"ca": ""}, "no trusted TLS connection", id="unknown certificate"),
        pytest.param({"ca": "", "fingerprint": "00" * 32}, "no trusted TLS", id="fingerprint"),
        pytest.param({"system": "/redfish/v1/Systems/1"}, "no such resource", id="system"),
    ],
)
def test_whom_the_controller_or_we_do_not_trust_switches_nothing(entry, engine, change, words):
    before = resets()

    with pytest.raises(FenceError, match=words) as caught:
        engine(entry | change).fence()

    assert host.is_on(IT)
    assert resets() == before
    assert not any(secret in str(caught.value) for secret in (bmc.PASSWORD, "wr0ng"))


def test_a_controller_that_is_away_proves_nothing_until_it_is_back(entry, engine):
    process.stop(SERVICE, within_s=2)

    with pytest.raises(FenceError, match="cannot be reached"):
        engine(entry).fence()
    assert host.is_on(IT)

    bmc.ensure_up([IT], speaks="redfish")
    assert engine(entry).fence().answer == "off"


def test_a_controller_that_hangs_proves_nothing_until_it_answers(entry, engine):
    with hanging():
        with pytest.raises(FenceError, match=r"did not answer in \d+"):
            engine(entry, timeout_s=2).fence()
        assert host.is_on(IT)

    assert engine(entry).fence().answer == "off"
    assert not host.is_on(IT)
