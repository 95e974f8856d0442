# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from instance_ha import timeline
from instance_ha.model import Event, Incident, IncidentState

INCIDENT = Incident(id=1, host="h1", segment="rack-1", state=IncidentState.OPEN, opened_at_s=100.0)


def event(at_s: float, kind: str, text: str) -> Event:
    return Event(at_s=at_s, actor="controller", kind=kind, text=text)


def test_lines_are_aligned_and_in_order():
    events = [
        event(109.3, "verdict", "recovery  storage down"),
        event(106.25, "evidence", "storage network down"),
    ]

    assert timeline.render(INCIDENT, events, 100.0) == (
        "     6.2 s  evidence   h1: storage network down\n"
        "     9.3 s  verdict    h1: recovery  storage down\n"
    )


def test_a_long_kind_moves_the_whole_column():
    events = [event(100.0, "notification", "sent"), event(101.0, "fence", "ordered")]

    first, second = timeline.render(INCIDENT, events, 100.0).splitlines()

    assert first.index("h1") == second.index("h1")


def test_an_incident_without_events_has_no_lines():
    assert timeline.render(INCIDENT, [], 100.0) == ""
