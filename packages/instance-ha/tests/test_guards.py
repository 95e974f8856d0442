# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha import guards
from instance_ha.model import IncidentState, NotificationStatus
from instance_ha.survey import Survey

LOST, STORAGE_LOST, WELL = "down down down", "up up down", "up up up"


@pytest.fixture
def survey(ordinary):
    """Make a survey of hosts in one segment: name -> states of its networks."""

    def make(states: dict[str, str], *, incidents=None, notifications=None, hosts=None) -> Survey:
        return Survey(
            now_s=1010.0,
            verdicts={name: ordinary.verdict(name, states=seen) for name, seen in states.items()},
            hosts={name: ordinary.host(name) for name in states} | (hosts or {}),
            notifications=notifications or {},
            incidents=incidents or {},
        )

    return make


@pytest.fixture
def held(ordinary):
    """Return which guard holds h1, or None."""

    def ask(survey: Survey) -> str | None:
        mass = guards.weigh(survey, mass_window_s=ordinary.policy.mass_window_s)
        hold = guards.hold(survey, host=survey.hosts["h1"], mass=mass, policy=ordinary.policy)
        return None if hold is None else hold.guard

    return ask


def test_one_of_three_is_not_held(survey, held):
    assert held(survey({"h1": LOST, "h2": WELL, "h3": WELL})) is None


def test_half_of_a_segment_is_not_held(survey, held):
    assert held(survey({"h1": LOST, "h2": WELL})) is None


def test_two_of_three_are_held(survey, held):
    assert held(survey({"h1": LOST, "h2": LOST, "h3": WELL})) == "failing-share"


def test_recoveries_under_way_count_whatever_is_seen_of_them(survey, held, ordinary):
    recovering = ordinary.incident("h2", state=IncidentState.RECOVERING)

    seen = survey({"h1": LOST, "h2": WELL, "h3": WELL}, incidents={"h2": recovering})

    assert held(seen) == "failing-share"


@pytest.mark.parametrize(
    ("opened_at_s", "guard"),
    [
        pytest.param(960.0, "failing-share", id="a loss of the last minute"),
        pytest.param(940.0, None, id="an old story"),
    ],
)
def test_losses_of_a_minute_are_judged_together(survey, held, ordinary, opened_at_s, guard):
    over = ordinary.incident("h2", state=IncidentState.RECOVERED, opened_at_s=opened_at_s)

    assert held(survey({"h1": LOST, "h2": LOST, "h3": WELL}, incidents={"h2": over})) == guard


def test_hosts_that_an_operator_took_out_do_not_count(survey, held, ordinary):
    out = {"h2": ordinary.host("h2", on_maintenance=True)}

    assert held(survey({"h1": LOST, "h2": LOST, "h3": WELL}, hosts=out)) is None


def test_other_segments_do_not_count(survey, held, ordinary):
    other = dataclasses.replace(ordinary.segment, uuid="segment-2", name="rack-2")
    hosts = {name: ordinary.host(name, segment=other) for name in ("h2", "h3")}

    assert held(survey({"h1": LOST, "h2": LOST, "h3": LOST, "h4": WELL}, hosts=hosts)) is None


def test_a_host_that_nobody_speaks_of_does_not_count(survey, held, ordinary):
    assert held(survey({"h1": LOST, "h3": WELL}, hosts={"h2": ordinary.host("h2")})) is None


def test_a_network_that_loses_most_hosts_alone_is_held(survey, held):
    seen = {"h1": STORAGE_LOST, "h2": STORAGE_LOST, "h3": WELL}

    assert held(survey(seen)) == "blindness"


def test_another_network_that_misses_the_host_confirms(survey, held):
    seen = {"h1": "down up down", "h2": STORAGE_LOST, "h3": WELL, "h4": WELL}

    assert held(survey(seen)) is None


def test_a_disabled_segment_is_held(survey, held, ordinary):
    off = dataclasses.replace(ordinary.segment, enabled=False)

    seen = survey({"h1": LOST, "h2": WELL}, hosts={"h1": ordinary.host(segment=off)})

    assert held(seen) == "segment"


def test_maintenance_is_held(survey, held, ordinary):
    seen = survey({"h1": LOST, "h2": WELL}, hosts={"h1": ordinary.host(on_maintenance=True)})

    assert held(seen) == "maintenance"


def test_a_second_notification_waits(survey, ordinary):
    failed = ordinary.notification(NotificationStatus.FAILED)
    seen = survey({"h1": LOST, "h2": WELL}, notifications={"h1": failed})
    mass = guards.weigh(seen, mass_window_s=60.0)

    hold = guards.hold(seen, host=seen.hosts["h1"], mass=mass, policy=ordinary.policy)

    assert hold is not None
    assert hold.guard == "duplicate"
    assert hold.look_again_s == 40.0
    assert hold.ends(now_s=1010.0) == "until 1970-01-01 00:17:30 UTC, in 40 s"


def test_a_hold_says_fact_reason_and_next_command(ordinary):
    off = dataclasses.replace(ordinary.segment, enabled=False)

    assert str(guards.stop("h1", segment=off, pauses=(), now_s=1.0)) == (
        "held by segment: segment rack-1 is disabled, so nothing of it is recovered; "
        "enable it: instance-ha segment update rack-1 --enabled"
    )


def test_every_guard_that_depends_on_time_says_until_when():
    hold = guards.Hold(guard="rate", reason="later", look_again_s=1.0, until_s=8110.0)

    assert hold.ends(now_s=10.0) == "until 1970-01-01 02:15:10 UTC, in 2 h 15 min"
    assert hold.ends(now_s=9000.0) == "until 1970-01-01 02:15:10 UTC, in 0 s"
    assert guards.Hold(guard="nova", reason="down", look_again_s=1.0).ends(now_s=0.0) == ""


def test_the_guard_can_be_read_from_what_was_written_down():
    hold = guards.Hold(guard="pause", reason="bob paused cloud: cables", look_again_s=1.0)

    assert guards.guard_of(str(hold)) == "pause"
    assert guards.guard_of("the engine works on it") == ""
