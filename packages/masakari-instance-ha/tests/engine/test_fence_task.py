# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a recovery does beside its fence: locks freed, power on again, an alarm without a proof."""

from __future__ import annotations

from typing import Any

import pytest
from masakari import exception

from instance_ha.errors import FenceError
from instance_ha.ladder import STORAGE_FENCED, Rung
from instance_ha.model import FenceProof
from masakari_instance_ha import fencing
from masakari_instance_ha.clock import SystemClock

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]

SILENT = FenceError("h1", "it did not answer in 35 s", hint="Look at it")


@pytest.fixture
def server(cloud) -> Any:
    return cloud.boot()


class Storage:
    """Refuses hosts, unless told not to; remembers whose power was ordered off by then."""

    def __init__(self, power: Any) -> None:
        self._power = power
        self.failure: FenceError | None = None
        self.refused: list[str] = []
        self.after: list[str] = []

    def fence(self, host: str) -> FenceProof:
        self.after = list(self._power.ordered)
        if self.failure:
            raise self.failure
        self.refused.append(host)
        now_s = SystemClock().now_s()
        return FenceProof(
            host=host, method=Rung.CEPH, target="10.73.0.11:0/0", answer=STORAGE_FENCED,
            ordered_at_s=now_s, confirmed_at_s=now_s, by="engine@test",
        )  # fmt: skip


@pytest.fixture
def storage(power, monkeypatch) -> Storage:
    made = Storage(power)
    monkeypatch.setattr(fencing, "storage", lambda *_args, **_kw: made)
    return made


@pytest.fixture
def powered_on(monkeypatch, option):
    """Who was ordered on, with the option set."""
    orders: list[str] = []

    def power_on(_conf: object, proof: FenceProof, **_: object) -> str:
        orders.append(proof.host)
        return proof.target

    monkeypatch.setattr(fencing, "power_on", power_on)
    option("instance_ha_fencing", power_on=True)
    return orders


def test_a_host_that_nothing_proves_off_raises_an_alarm_and_moves_nothing(
    engine, cloud, power, server
) -> None:
    power.failures = [SILENT]

    with pytest.raises(exception.HostRecoveryFailureException, match="did not answer"):
        engine.recover()

    assert engine.told("alarm") == [
        "held, for nothing proves that it cannot write: it did not answer in 35 s"
    ]
    assert cloud.orders == []
    assert server.host == "h1"


def test_a_host_that_is_proven_off_raises_none(engine, server) -> None:
    engine.recover()

    assert engine.told("alarm") == []
    assert server.host == "h2"


def test_the_locks_of_a_host_that_is_off_are_freed(engine, power, server, storage) -> None:
    engine.recover()

    assert storage.refused == ["h1"]
    assert storage.after == ["h1"], "its power was proven off before"
    assert "storage fenced too, which frees the locks of its disks" in engine.told("fence")
    assert server.host == "h2"


def test_locks_that_cannot_be_freed_hold_up_nothing(engine, server, storage) -> None:
    storage.failure = FenceError("h1", "Ceph did not answer in 10 s", hint="Look at it")

    engine.recover()

    assert server.host == "h2"
    assert (
        "the locks of its disks expire by themselves: Ceph did not answer in 10 s"
        in engine.told("fence")
    )


def test_the_storage_is_not_asked_before_the_power_is_proven_off(engine, power, storage) -> None:
    power.failures = [SILENT]

    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover()

    assert storage.after == []
    assert storage.refused == []


def test_a_host_is_powered_on_once_its_servers_have_moved(engine, server, powered_on) -> None:
    engine.recover()

    assert powered_on == ["h1"]
    assert engine.told("power-on") == ["ordered for sys-h1, as nothing is left on it"]
    kinds = engine.timeline()
    assert kinds.index("active") < kinds.index("power-on")


@pytest.mark.usefixtures("server")
def test_a_host_whose_recovery_failed_stays_off(engine, cloud, powered_on) -> None:
    cloud.broken_hosts = {"h2", "h3"}

    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover()

    assert powered_on == []


@pytest.mark.usefixtures("powered_on")
def test_a_refused_power_on_fails_no_recovery(engine, server, monkeypatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise SILENT

    monkeypatch.setattr(fencing, "power_on", refuse)

    engine.recover()

    assert server.host == "h2"
    assert engine.told("power-on") == ["not ordered: it did not answer in 35 s. Look at it"]


def test_without_the_option_a_host_stays_off(engine, monkeypatch) -> None:
    monkeypatch.setattr(fencing, "power_on", lambda *_args, **_kw: pytest.fail("powered on"))

    engine.recover()

    assert engine.told("power-on") == []


def test_a_host_that_only_its_storage_fences_is_not_ordered_on(
    engine, power, server, storage, powered_on, monkeypatch
) -> None:
    monkeypatch.setattr(power, "fence", storage.fence)
    monkeypatch.setattr(power, "check", lambda _: STORAGE_FENCED)

    engine.recover()

    assert server.host == "h2"
    assert powered_on == []
