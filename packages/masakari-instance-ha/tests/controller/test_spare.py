# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Spare room as a metric: who counts, how often, and what is told meanwhile."""

from __future__ import annotations

import threading

import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha import spare
from masakari_instance_ha.spare import SpareRoom

EVERY_S = 900.0


def told(room: SpareRoom) -> dict[str, float]:
    (family,) = room.collect()
    assert family.name == "instance_ha_segment_spare_hosts"
    return {sample.labels["segment"]: sample.value for sample in family.samples}


class Answers:
    """What is counted next; an error is raised."""

    def __init__(self) -> None:
        self.next: dict[str, int] | CloudUnreachableError = {"rack-1": 2, "rack-2": 0}
        self.asked = 0

    def __call__(self) -> dict[str, int]:
        self.asked += 1
        if isinstance(self.next, CloudUnreachableError):
            raise self.next
        return self.next


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def room(journal, answers):
    """Return a unit's metric."""

    def of(unit: str) -> SpareRoom:
        return SpareRoom(answers, lease=journal.lease(spare.LEASE, holder=unit), every_s=EVERY_S)

    return of


def test_it_is_counted_at_once_and_then_now_and_then(room, answers):
    mine = room("masakari-0")
    assert told(mine) == {}

    mine.look(0.0)
    mine.look(EVERY_S - 1)
    assert told(mine) == {"rack-1": 2, "rack-2": 0}
    assert answers.asked == 1

    answers.next = {"rack-1": 1}
    mine.look(EVERY_S)
    assert told(mine) == {"rack-1": 1}, "a segment that is gone is told no more"


def test_one_unit_counts_and_the_others_tell_nothing(room, answers):
    first, other = room("masakari-0"), room("masakari-1")

    first.look(0.0)
    other.look(0.0)

    assert answers.asked == 1
    assert told(other) == {}


def test_the_unit_that_counts_no_more_forgets(room, journal, answers):
    first, other = room("masakari-0"), room("masakari-1")
    first.look(0.0)
    journal.lease(spare.LEASE, holder="masakari-0").give_up()

    other.look(30.0)
    first.look(30.0)

    assert told(first) == {}
    assert told(other) == {"rack-1": 2, "rack-2": 0}
    assert answers.asked == 2


def test_what_cannot_be_counted_is_not_told(room, answers, caplog):
    mine = room("masakari-0")
    mine.look(0.0)
    answers.next = CloudUnreachableError("placement does not answer")

    mine.look(EVERY_S)

    assert told(mine) == {}
    assert "spare room: not counted: placement does not answer" in caplog.text


def test_it_ends_with_its_process(room, answers):
    stopped = threading.Event()
    stopped.set()

    room("masakari-0").run(stopped)

    assert answers.asked == 0
