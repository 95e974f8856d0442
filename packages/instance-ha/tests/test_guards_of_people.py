# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What people say to guards: pauses, approvals, and the preview of them all."""

from __future__ import annotations

import dataclasses

import pytest

from instance_ha import guards
from instance_ha.model import (
    Event,
    IncidentState,
    NotificationStatus,
    NovaHealth,
    Pause,
    PauseScope,
    Rulings,
)
from instance_ha.steps import next_step
from instance_ha.survey import Survey

LOST, WELL = "down down down", "up up up"


@pytest.fixture
def survey(ordinary):
    """Make a survey: h1 of three hosts is lost."""

    def make(*, lost: int = 1, **changes) -> Survey:
        states = {f"h{n}": LOST if n <= lost else WELL for n in range(1, 4)}
        found = Survey(
            now_s=1010.0,
            verdicts={name: ordinary.verdict(name, states=seen) for name, seen in states.items()},
            hosts={name: ordinary.host(name) for name in states},
            notifications={},
            incidents={},
        )
        return dataclasses.replace(found, **changes)

    return make


@pytest.fixture
def held(ordinary):
    def ask(survey: Survey, **figures) -> str | None:
        policy = dataclasses.replace(ordinary.policy, **figures)
        mass = guards.weigh(survey, mass_window_s=policy.mass_window_s)
        hold = guards.hold(survey, host=survey.hosts["h1"], mass=mass, policy=policy)
        return None if hold is None else hold.guard

    return ask


def a_pause(scope: PauseScope, target: str, **changes) -> Pause:
    pause = Pause(
        id=1, scope=scope, target=target, name=target, reason="switch work", author="ada",
        since_s=1000.0,
    )  # fmt: skip
    return dataclasses.replace(pause, **changes)


@pytest.mark.parametrize(
    ("pause", "guard"),
    [
        pytest.param(a_pause(PauseScope.CLOUD, ""), "pause", id="the cloud"),
        pytest.param(a_pause(PauseScope.SEGMENT, "segment-1"), "pause", id="its segment"),
        pytest.param(a_pause(PauseScope.HOST, "h1"), "pause", id="itself"),
        pytest.param(a_pause(PauseScope.SEGMENT, "segment-2"), None, id="another segment"),
        pytest.param(a_pause(PauseScope.HOST, "h2"), None, id="another host"),
        pytest.param(a_pause(PauseScope.CLOUD, "", until_s=1011.0), "pause", id="not over yet"),
        pytest.param(a_pause(PauseScope.CLOUD, "", until_s=1010.0), None, id="over by now"),
        pytest.param(a_pause(PauseScope.CLOUD, "", ended_at_s=1005.0), None, id="resumed"),
    ],
)
def test_a_pause_holds_what_it_names_as_long_as_it_lasts(survey, held, pause, guard):
    assert held(survey(rulings=Rulings(pauses=[pause]))) == guard


def test_the_longest_pause_is_told(ordinary):
    short = a_pause(PauseScope.CLOUD, "", id=1, until_s=1100.0)
    long = a_pause(PauseScope.HOST, "h1", id=2, until_s=1200.0, author="bob")
    endless = a_pause(PauseScope.HOST, "h1", id=3, author="eve")

    first = guards.stop("h1", segment=ordinary.segment, pauses=[short, long], now_s=1010.0)
    second = guards.stop("h1", segment=ordinary.segment, pauses=[endless, long], now_s=1010.0)

    assert str(first) == (
        "held by pause: bob paused host h1: switch work; until 1970-01-01 00:20:00 UTC, "
        "or: instance-ha resume 2"
    )
    assert str(second) == (
        "held by pause: eve paused host h1: switch work; until somebody resumes, "
        "or: instance-ha resume 3"
    )


@pytest.mark.parametrize(
    ("down", "guard"), [((), None), (("nova-scheduler",), "nova"), (("nova-conductor",), "nova")]
)
def test_nothing_is_notified_while_nova_cannot_move(survey, held, down, guard):
    assert held(survey(health=NovaHealth(down=down))) == guard


@pytest.mark.parametrize(
    ("figures", "notification", "approved", "guard"),
    [
        pytest.param({}, "n-1", (), None, id="not needed"),
        pytest.param({"approval": True}, None, (), None, id="the fence waits for nobody"),
        pytest.param({"approval": True}, "n-1", (), "approval", id="fenced, not approved"),
        pytest.param({"approval": True}, "n-1", (1,), None, id="approved"),
        pytest.param(
            {"approval_segments": frozenset({"rack-1"})}, "n-1", (), "approval", id="its segment"
        ),
        pytest.param(
            {"approval_segments": frozenset({"rack-2"})}, "n-1", (), None, id="another segment"
        ),
    ],
)
def test_a_second_notification_waits_for_a_person(
    survey, held, ordinary, figures, notification, approved, guard
):
    incident = ordinary.incident(state=IncidentState.HELD, notification=notification)
    seen = survey(incidents={"h1": incident}, rulings=Rulings(approved=approved))

    assert held(seen, **figures) == guard


def test_an_approved_host_is_not_held_for_what_else_is_lost(survey, held, ordinary):
    incidents = {"h1": ordinary.incident()}
    assert held(survey(lost=2, incidents=incidents)) == "failing-share"

    seen = survey(lost=2, incidents=incidents, rulings=Rulings(approved={1}))

    assert held(seen) is None
    paused = Rulings(approved={1}, pauses=[a_pause(PauseScope.HOST, "h1")])
    assert held(survey(lost=2, incidents=incidents, rulings=paused)) == "pause"


def events(*marks: str) -> list[Event]:
    made = {
        "sent": Event(
            at_s=1, actor="c", kind="notification", text="", detail={"notification": "n"}
        ),
        "says": Event(at_s=1, actor="c", kind="notification", text="the engine works on it"),
        "gave up": Event(at_s=1, actor="e", kind="approval", text="nobody approved it"),
    }
    return [made[mark] for mark in marks]


@pytest.mark.parametrize(
    ("marks", "waited"),
    [
        ((), False),
        (("sent",), False),
        (("sent", "gave up"), True),
        (("sent", "gave up", "says"), True),
        (("sent", "gave up", "sent"), False),
    ],
)
def test_an_engine_waits_once_for_each_notification(marks, waited):
    assert guards.was_waited_for(events(*marks)) is waited


def test_the_preview_supposes_one_host_lost_at_a_time(survey, ordinary):
    one_lost = survey()

    shown = {
        name: guards.preview(one_lost, host=host, policy=ordinary.policy)
        for name, host in one_lost.hosts.items()
    }

    assert shown["h1"] is None
    assert shown["h2"] is not None
    assert shown["h2"].guard == "failing-share"


def test_t11_a_disabled_segment_stops_an_engine_too(ordinary):
    """Whoever asks: the controller before it notifies, an engine before it fences or evacuates."""
    off = dataclasses.replace(ordinary.segment, enabled=False)

    hold = guards.stop("h1", segment=off, pauses=(), now_s=1010.0)

    assert hold is not None
    assert hold.guard == "segment"
    assert guards.stop("h1", segment=ordinary.segment, pauses=(), now_s=1010.0) is None


def test_the_preview_of_a_waiting_notification(survey, ordinary):
    failed = ordinary.notification(NotificationStatus.FAILED)
    seen = survey(notifications={"h1": failed})

    hold = guards.preview(seen, host=seen.hosts["h1"], policy=ordinary.policy)

    assert hold is not None
    assert hold.guard == "duplicate"


@pytest.mark.parametrize("approved", [False, True])
def test_a_recovery_under_way_says_that_it_waits_for_a_person(ordinary, approved):
    incident = ordinary.incident(state=IncidentState.RECOVERING, notification="n-1")
    running = ordinary.notification(NotificationStatus.RUNNING)
    case = ordinary.case(incident=incident, notification=running, approved=approved)

    step = next_step(case, policy=dataclasses.replace(ordinary.policy, approval=True))

    assert step is not None
    assert ("instance-ha incident approve 1" in step.reason) is not approved


def test_a_step_that_is_held_says_until_when(ordinary):
    hold = guards.Hold(guard="rate", reason="later", look_again_s=1.0, until_s=1070.0)

    step = next_step(ordinary.case(hold=hold), policy=ordinary.policy)

    assert step is not None
    assert (step.reason, step.ends) == (
        "held by rate: later",
        "until 1970-01-01 00:17:50 UTC, in 60 s",
    )
