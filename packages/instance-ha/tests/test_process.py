# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Calls of a simulated program, over a line on which something is wrong."""

from __future__ import annotations

import pytest

from instance_ha.errors import CloudUnreachableError
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.process import KilledError, Line, OwnClock, Process, Remote, Trouble


class Shop:
    """Something that can be called."""

    def __init__(self) -> None:
        self.sold = 0

    def sell(self) -> int:
        self.sold += 1
        return self.sold


class Caller:
    """A program, its clock, and a shop that it reaches over a line."""

    def __init__(self) -> None:
        self.time = SimClock()
        self.process = Process("me", clock=self.time, let_pass=self.time.sleep, skew_s=100.0)
        self.clock = OwnClock(self.time, self.process)
        self.shop = Shop()
        self.line = Line("the shop", error=CloudUnreachableError)
        self.remote = Remote(self.shop, line=self.line, caller=self.process)


@pytest.fixture
def caller() -> Caller:
    return Caller()


@pytest.mark.parametrize(
    ("trouble", "words", "sold"),
    [
        pytest.param(Trouble.DOWN, "refuses", 0, id="down does nothing"),
        pytest.param(Trouble.DEAF, "lost", 1, id="deaf does it and the answer is lost"),
    ],
)
def test_a_service_that_is(caller: Caller, trouble: Trouble, words: str, sold: int):
    caller.line.fall_into(trouble)

    with pytest.raises(CloudUnreachableError, match=words):
        caller.remote.sell()

    assert caller.shop.sold == sold


def test_a_service_that_hung_does_later_what_it_was_asked_to(caller: Caller):
    caller.line.fall_into(Trouble.HUNG)
    with pytest.raises(CloudUnreachableError, match="does not answer"):
        caller.remote.sell()
    assert (caller.shop.sold, caller.time.now_s()) == (0, 5.0), "its caller had patience"

    caller.line.fall_into(Trouble.NONE)

    assert caller.shop.sold == 1


def test_a_service_that_hung_and_died_does_nothing_later(caller: Caller):
    caller.line.fall_into(Trouble.HUNG)
    with pytest.raises(CloudUnreachableError):
        caller.remote.sell()
    caller.line.fall_into(Trouble.DOWN)
    caller.line.fall_into(Trouble.NONE)

    assert caller.shop.sold == 0


def test_a_service_that_is_late_answers(caller: Caller):
    caller.line.fall_into(Trouble.LATE)

    assert caller.remote.sell() == 1
    assert caller.time.now_s() == 4.0


def test_a_program_that_is_cut_off_reaches_nothing(caller: Caller):
    caller.process.cut_off = True

    with pytest.raises(CloudUnreachableError):
        caller.remote.sell()


def test_a_program_that_was_stopped_goes_on_where_it_was(caller: Caller):
    caller.process.stop(30.0)

    assert caller.remote.sell() == 1
    assert caller.time.now_s() == 30.0


def test_a_program_that_was_killed_while_it_waits_goes_no_further(caller: Caller):
    caller.process.alive = False
    caller.line.fall_into(Trouble.LATE)

    with pytest.raises(KilledError):
        caller.remote.sell()

    assert caller.shop.sold == 0


def test_a_clock_that_is_set_counts_from_the_next_start(caller: Caller):
    caller.process.skew_s = 500.0
    caller.clock.sleep(2.0)

    assert caller.clock.now_s() == 102.0
