# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.orphanage import Orphanage
from instance_ha.simulation.memory import MemoryJournal
from instance_ha.survey import Survey

AFTER_S = 30.0


class Masakari:
    """What Masakari has running, and what was given back."""

    def __init__(self) -> None:
        self.changed = {"n-1": "05:00:00"}
        self.released: list[str] = []

    def running(self) -> dict[str, str]:
        return self.changed

    def release_orphan(self, notification: str) -> None:
        self.released.append(notification)
        del self.changed[notification]


@pytest.fixture
def notices() -> Masakari:
    return Masakari()


@pytest.fixture
def journal() -> MemoryJournal:
    return MemoryJournal()


@pytest.fixture
def look(notices, journal):
    duty = Orphanage(notices=notices, cloud=notices, journal=journal, orphan_after_s=AFTER_S)

    def at(*times_s: float) -> None:
        for now_s in times_s:
            duty.attend(Survey(now_s=now_s, verdicts={}, hosts={}, notifications={}, incidents={}))

    return at


def test_what_shows_no_sign_of_life_is_given_back_once(look, notices):
    look(1000, 1010, 1020, 1029)
    assert not notices.released

    look(1030, 1040, 1090)

    assert notices.released == ["n-1"]


def test_an_engine_that_beats_keeps_it(look, notices, journal):
    for now_s in range(1000, 1200, 10):
        journal.beat("n-1", at_s=now_s - 3600.0)  # its clock is an hour late
        look(now_s)
    assert not notices.released

    look(1200, 1230)

    assert notices.released == ["n-1"]


def test_a_status_that_changed_begins_the_silence_anew(look, notices):
    look(1000, 1020)
    notices.changed["n-1"] = "05:00:25"

    look(1030, 1055)
    assert not notices.released

    look(1060)
    assert notices.released == ["n-1"]


def test_one_that_ran_out_and_runs_again_has_its_time(look, notices):
    look(1000)
    kept = notices.changed.pop("n-1")
    look(1020)
    notices.changed["n-1"] = kept

    look(1040, 1060)

    assert not notices.released


def test_each_is_looked_at_for_itself(look, notices, journal):
    notices.changed["n-2"] = "05:00:00"
    look(1000)
    journal.beat("n-2", at_s=1020.0)

    look(1020, 1030)

    assert notices.released == ["n-1"]
