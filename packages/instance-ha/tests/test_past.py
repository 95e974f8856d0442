# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.model import Event, Incident, IncidentState
from instance_ha.past import (
    KEPT_RESERVE,
    OPENED_RESERVE,
    REMEMBERED_S,
    RETURN_ASKED,
    SPENT_RESERVE,
    VOIDED,
    Recollection,
    opened_reserves,
    recall,
)

BACK = Incident(
    id=1,
    host="h1",
    segment="rack-1",
    state=IncidentState.RECOVERED,
    opened_at_s=1.0,
    closed_at_s=None,
    notification="n-1",
    reason="answers again",
)


class Timeline:
    """Counts how often it is read."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reads = 0

    def read(self, incident: Incident) -> list[Event]:
        self.reads += 1
        return list(self.events)


@pytest.fixture
def told() -> Timeline:
    return Timeline()


def test_the_timeline_of_a_host_that_waits_is_not_read_at_every_look(told: Timeline):
    recollection = Recollection(told.read)

    for second in range(60):
        recollection.past(BACK, now_s=100.0 + second)

    assert told.reads == 60 / REMEMBERED_S


def test_what_a_person_writes_is_seen_a_moment_later(told: Timeline):
    recollection = Recollection(told.read)
    recollection.past(BACK, now_s=100.0)
    asked = Event(at_s=101.0, actor="ann", kind="return", text="", detail={RETURN_ASKED: "ann"})
    told.events.append(asked)

    assert recollection.past(BACK, now_s=100.0 + REMEMBERED_S).return_asked_by == "ann"


def test_an_incident_that_changed_is_read_at_once(told: Timeline):
    recollection = Recollection(told.read)
    recollection.past(BACK, now_s=100.0)
    told.events.append(Event(at_s=101.0, actor="engine", kind="proof", text="", detail={}))

    again = dataclasses.replace(BACK, reason="no server is left on the host")

    assert recollection.past(again, now_s=101.0).settled_at_s == 101.0


def test_every_notification_that_was_made_void_stays_so():
    told = [
        Event(at_s=1.0, actor="c", kind="notification", text="", detail={VOIDED: "n-1"}),
        Event(at_s=2.0, actor="c", kind="notification", text="", detail={}),
        Event(at_s=3.0, actor="c", kind="notification", text="", detail={VOIDED: "n-2"}),
    ]

    past = recall(told)

    assert [past.voids(name) for name in ("n-1", "n-2", "n-3", None)] == [
        True, True, False, False,
    ]  # fmt: skip


def told_of(key: str, reserve: str) -> Event:
    return Event(at_s=1.0, actor="engine", kind="reserve", text="", detail={key: reserve})


@pytest.mark.parametrize(
    ("events", "opened"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([told_of(OPENED_RESERVE, "h8")], {"h8"}, id="in use"),
        pytest.param(
            [told_of(OPENED_RESERVE, "h8"), told_of(SPENT_RESERVE, "h8")], set(), id="spent"
        ),
        pytest.param(
            [
                told_of(OPENED_RESERVE, "h8"),
                told_of(KEPT_RESERVE, "h8"),
                told_of(OPENED_RESERVE, "h9"),
            ],
            {"h9"},
            id="the next one",
        ),
        pytest.param(
            [
                told_of(OPENED_RESERVE, "h8"),
                told_of(KEPT_RESERVE, "h8"),
                told_of(OPENED_RESERVE, "h8"),
            ],
            {"h8"},
            id="once more",
        ),
    ],
)
def test_which_reserves_are_open(events, opened):
    assert opened_reserves(events) == opened
