# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a person stopped is not fenced and not evacuated, whatever Masakari tries once more."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from masakari import exception

from instance_ha.model import Approval, PauseScope
from masakari_instance_ha.clock import SystemClock

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]

METHODS = ["auto", "reserved_host", "auto_priority", "rh_priority"]
NOW_S = SystemClock().now_s


def pause(engine, scope: PauseScope, target: str, *, until_s: float | None = None) -> None:
    engine.journal.decisions.pause(
        scope, target=target, name=target, reason="switch work", author="ada",
        at_s=NOW_S(), until_s=until_s,
    )  # fmt: skip


def approve(engine) -> None:
    incident = engine.journal.unclosed()["h1"]
    engine.journal.decisions.approve(
        Approval(incident=incident.id, author="ada", reason="plan read", at_s=NOW_S())
    )


@pytest.fixture
def resumed(engine):
    """No pause of one test lasts into the next: they share a database."""
    yield
    numbers = [found.id for found in engine.journal.rulings().pauses]
    engine.journal.decisions.resume(numbers, at_s=NOW_S(), author="test")


@pytest.mark.parametrize("method", METHODS)
def test_t11_a_disabled_segment_is_not_fenced_by_a_retry(engine, cloud, power, method) -> None:
    server = cloud.boot()
    engine.segment.enabled = False
    engine.segment.save()

    with pytest.raises(exception.HostRecoveryFailureException, match="is disabled"):
        engine.recover(method)

    assert power.ordered == []
    assert cloud.orders == []
    assert server.host == "h1"
    assert "instance-ha segment update" in engine.told("guard")[0]


def test_t11_a_segment_disabled_after_the_fence_is_not_evacuated(
    engine, cloud, power, monkeypatch
) -> None:
    server = cloud.boot()
    fence = power.fence

    def disable_meanwhile(host: str) -> Any:
        engine.segment.enabled = False
        engine.segment.save()
        return fence(host)

    monkeypatch.setattr(power, "fence", disable_meanwhile)

    with pytest.raises(exception.HostRecoveryFailureException, match="is disabled"):
        engine.recover()

    assert power.ordered == ["h1"]
    assert server.host == "h1"


@pytest.mark.usefixtures("resumed")
@pytest.mark.parametrize("scope", list(PauseScope))
def test_a_pause_stops_the_engine_before_it_fences(engine, cloud, power, scope) -> None:
    cloud.boot()
    target = {PauseScope.CLOUD: "", PauseScope.SEGMENT: engine.segment.uuid, PauseScope.HOST: "h1"}
    pause(engine, scope, target[scope], until_s=NOW_S() + 7200)

    with pytest.raises(exception.HostRecoveryFailureException, match="ada paused"):
        engine.recover()

    assert power.ordered == []
    assert "in 2 h 0 min" in engine.told("guard")[0]


@pytest.mark.usefixtures("resumed")
def test_a_pause_that_has_run_out_stops_nobody(engine, cloud) -> None:
    server = cloud.boot()
    pause(engine, PauseScope.CLOUD, "", until_s=NOW_S() - 1)
    pause(engine, PauseScope.HOST, "h2")

    engine.recover()

    assert server.host == "h2"


@pytest.mark.usefixtures("resumed")
def test_a_pause_without_an_end_says_who_can_end_it(engine, cloud) -> None:
    pause(engine, PauseScope.HOST, "h1")

    with pytest.raises(exception.HostRecoveryFailureException, match="instance-ha resume"):
        engine.recover()

    assert "until somebody resumes" in engine.told("guard")[0]


def test_an_evacuation_waits_for_its_approval(engine, cloud, power, option) -> None:
    server = cloud.boot()
    option("instance_ha", approval_segments=[engine.segment.name], approval_patience=20.0)
    recovery = threading.Thread(target=engine.recover)

    recovery.start()
    while "h1" not in engine.journal.unclosed() or not engine.told("guard"):
        assert recovery.is_alive()
    assert server.host == "h1"
    assert cloud.hosts["h1"].forced_down, "fenced, forced down and planned already"
    assert "instance-ha incident approve" in engine.told("guard")[0]
    assert engine.told("plan") == [f"to be evacuated once a person approves: {server.id}"]
    approve(engine)
    recovery.join(timeout=20)

    assert server.host == "h2"
    assert power.ordered == ["h1", "h1"], "proven off anew after the wait"


@pytest.mark.parametrize("method", METHODS)
def test_nobody_who_approves_in_time_fails_the_flow_and_a_retry_at_once(
    engine, cloud, option, method
) -> None:
    server = cloud.boot()
    option("instance_ha", approval=True, approval_patience=1.0)

    with pytest.raises(exception.HostRecoveryFailureException, match="incident approve"):
        engine.recover(method)
    began_s = NOW_S()
    option("instance_ha", approval_patience=600.0)
    with pytest.raises(exception.HostRecoveryFailureException, match="incident approve"):
        engine.recover(method)

    assert NOW_S() - began_s < 10.0
    assert engine.told("approval") == ["nobody approved it within 1 s"]
    assert server.host == "h1"

    approve(engine)
    engine.recover(method)
    assert server.host != "h1"
