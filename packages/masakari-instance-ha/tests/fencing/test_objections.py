# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whoever fences asks right before each order whether it may still be given."""

from __future__ import annotations

import contextlib

import pytest

from instance_ha.errors import InstanceHaError
from instance_ha.ladder import Rung
from masakari_instance_ha.fencing.power import Pace, PowerError, PowerFencer

AWAY = PowerError("the BMC is away", hint="Look at it", passing=True)


class WellAgainError(InstanceHaError):
    """The host must not be ordered off any more."""


class Switch:
    """Fails with each error in turn as it is ordered off; answers from a script."""

    target = "sys-h1"

    def __init__(self, *, failures: list[PowerError], states: list[str]) -> None:
        self.failures = failures
        self.states = states
        self.orders = 0

    def off(self, *, comment: str) -> bool:
        self.orders += 1
        if self.failures:
            raise self.failures.pop(0)
        return True

    def on(self) -> None: ...

    def state(self) -> str:
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]


class Objector:
    """Objects to every order after so many."""

    def __init__(self, passes: int) -> None:
        self.passes = passes
        self.asked = 0

    def __call__(self) -> None:
        self.asked += 1
        if self.asked > self.passes:
            raise WellAgainError


@pytest.fixture
def fencer(clock):
    def make(switch: Switch, objector: Objector) -> PowerFencer:
        return PowerFencer(
            lambda _: contextlib.nullcontext(switch),
            rung=Rung.MAAS,
            pace=Pace(deadline_s=60, interval_s=1),
            clock=clock,
            by="engine@test",
            before_order=objector,
        )

    return make


@pytest.mark.parametrize(
    ("passes", "failures"),
    [
        pytest.param(0, 0, id="before the first order"),
        pytest.param(2, 2, id="before another one, as none was taken"),
    ],
)
def test_an_objection_ends_the_try_before_the_order(fencer, passes: int, failures: int) -> None:
    switch = Switch(failures=[AWAY] * failures, states=["on"])

    with pytest.raises(WellAgainError):
        fencer(switch, Objector(passes)).fence("h1")

    assert switch.orders == passes


def test_an_order_that_was_taken_is_followed_to_its_end(fencer) -> None:
    switch = Switch(failures=[], states=["on", "on", "off"])
    objector = Objector(1)

    assert fencer(switch, objector).fence("h1").answer == "off"
    assert (switch.orders, objector.asked) == (1, 1)
