# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.model import Approval, IncidentState, Pause, PauseScope
from masakari_instance_ha import store


@pytest.fixture
def journal(url: str) -> store.Store:
    return store.Store(url)


def a_pause(journal: store.Store, scope: PauseScope = PauseScope.CLOUD, **changes) -> Pause:
    given = {
        "target": "", "name": "", "reason": "switch work", "author": "ada", "at_s": 100.5,
        "until_s": None,
    }  # fmt: skip
    return journal.decisions.pause(scope, **{**given, **changes})


def test_a_pause_counts_until_somebody_ends_it(journal: store.Store) -> None:
    first = a_pause(journal, until_s=7300.5)
    second = a_pause(journal, PauseScope.HOST, target="h1", name="h1")

    assert journal.rulings().pauses == [first, second]
    assert (first.author, first.reason, first.until_s) == ("ada", "switch work", 7300.5)

    journal.decisions.resume([first.id], at_s=200.0, author="bob")

    assert journal.rulings().pauses == [second]


def test_who_paused_and_who_resumed_stays_known(journal: store.Store) -> None:
    pause = a_pause(journal)
    journal.decisions.resume([pause.id], at_s=200.0, author="bob")
    journal.decisions.resume([pause.id], at_s=300.0, author="eve")

    (kept,) = journal.decisions.pauses()

    assert (kept.author, kept.ended_by, kept.ended_at_s) == ("ada", "bob", 200.0)


def test_an_approval_counts_while_its_incident_is_not_closed(journal: store.Store) -> None:
    incident = journal.open("h1", segment="rack-1", at_s=1.0, reason="down")
    approval = Approval(incident=incident.id, author="ada", reason="plan read", at_s=2.0)
    assert journal.rulings().approved == frozenset()

    journal.decisions.approve(approval)

    assert journal.rulings().approved == {incident.id}
    journal.move(incident, IncidentState.CLOSED, at_s=3.0)
    assert journal.rulings().approved == frozenset()
    assert journal.decisions.approval(incident.id) == approval


def test_the_first_approval_stays(journal: store.Store) -> None:
    incident = journal.open("h1", segment="rack-1", at_s=1.0, reason="down")
    first = Approval(incident=incident.id, author="ada", reason="plan read", at_s=2.0)
    journal.decisions.approve(first)

    journal.decisions.approve(Approval(incident=incident.id, author="eve", reason="me", at_s=3.0))

    assert journal.decisions.approval(incident.id) == first


def test_nobody_approved_what_nobody_approved(journal: store.Store) -> None:
    assert journal.decisions.approval(7) is None


def test_a_storm_is_kept_by_its_last_moment(journal: store.Store) -> None:
    journal.note_storm("segment rack-1", at_s=10.0)
    journal.note_storm("segment rack-1", at_s=20.0)
    journal.note_storm("zone az1", at_s=15.0)

    assert journal.rulings().storms == {"segment rack-1": 20.0, "zone az1": 15.0}
