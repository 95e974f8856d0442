# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Never twice, never forgotten: whatever fails, and at whatever moment."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from instance_ha import recovery
from instance_ha.controller import Controller
from instance_ha.debounce import Patience
from instance_ha.simulation import folder, scenario
from instance_ha.simulation.scenario import Entry
from tests.sim import schedules
from tests.sim.schedules import KINDS, MOMENTS, PLAN, PROGRAMS, SERVICES, examine, story

MANY = int(os.environ.get("INSTANCE_HA_SCHEDULES", "0"))
"""How many random schedules to play; unset: a few, always the same."""
FEW = 20
SCENARIOS = Path(__file__).parent / "scenarios"
LOSS = ((0.0, "power-off h1"),)


@settings(
    max_examples=MANY or FEW,
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(schedule=schedules.schedules)
def test_no_schedule_of_faults_breaks_a_promise(schedule):
    examine(story(schedule))


def at_every_step() -> list:
    """Every moment with every component; the kinds take turns, unless all are asked for."""
    cases = [(moment, what) for moment in MOMENTS for what in (*SERVICES, *PROGRAMS)]
    return [
        pytest.param(moment, what, kind, id=f"{moment} {what} {kind}")
        for number, (moment, what) in enumerate(cases)
        for kind in (KINDS if MANY else (KINDS[number % len(KINDS)],))
    ]


@pytest.mark.parametrize(("moment", "what", "kind"), at_every_step())
def test_nothing_is_lost_at_any_step(moment: str, what: str, kind: str):
    fault = ((0.0, f"{moment} trouble {what} {kind} 20"),)

    examine(story([(0.0, fault), (0.0, LOSS)]))


# Positive controls: what is broken on purpose is seen.


def broken(schedule, *, order=recovery.ORDER, **worse) -> str:
    """Return what the witness and the calm say of a schedule, under something worse."""
    played = story(schedule)
    plan = dataclasses.replace(played.plan, order=tuple(order))
    outcome = scenario.play(dataclasses.replace(played, plan=plan), **worse)
    return "\n".join([*outcome.broken, *outcome.unmet])


def impatient(**ports) -> Controller:
    """A controller that takes every rumour for a loss."""
    hasty = Patience(hold_s=0.1, samples=1, partial_hold_s=0.2)
    policy = dataclasses.replace(ports.pop("policy"), patience=hasty)
    return Controller(**ports, policy=policy)


class Always:
    """A lease that everybody has."""

    def take(self, *, ttl_s: float) -> bool:
        return True

    def give_up(self) -> None: ...


def lawless(**ports) -> Controller:
    return Controller(**{**ports, "lease": Always()})


class Forgetful(Controller):
    """Loses interest in everything after less than a minute."""

    def __init__(self, **ports) -> None:
        super().__init__(**ports)
        self.clock = ports["clock"]

    def tick(self) -> None:
        if self.clock.now_s() < 50.0:
            super().tick()


def test_a_controller_that_does_not_hold_is_caught():
    assert "h2 is notified though it is well" in broken(
        [(5.0, ((0.0, "rumour h2 storage 1.3"),))], make_controller=impatient
    )


def test_a_controller_that_needs_no_lease_is_caught():
    assert "without the lease" in broken([(0.0, LOSS)], make_controller=lawless)


def test_a_controller_that_forgets_a_lost_host_is_caught():
    held = ((0.0, "segment rack-1 disabled"),)

    assert "forgotten == nothing, but it is h1" in broken(
        [(0.0, held), (0.0, LOSS)], make_controller=Forgetful
    )


def test_a_controller_that_forgets_a_host_that_is_back_is_caught():
    assert "idle == nothing, but it is h1" in broken([(0.0, LOSS)], make_controller=Forgetful)


def resentful(**ports) -> Controller:
    """A controller that lets a host be fenced however long it has been well."""
    policy = dataclasses.replace(ports.pop("policy"), return_after_s=3600.0)
    return Controller(**ports, policy=policy)


def test_a_controller_that_lets_a_late_order_pass_is_caught():
    late = scenario.read(SCENARIOS / "engine-late")

    (broken,) = scenario.play(late, make_controller=resentful).broken

    assert broken.endswith("h1 is fenced though it has long been well again")


def test_an_order_without_the_fence_is_caught():
    order = [step for step in recovery.ORDER if step != "fence"]

    assert "evacuated without a proof for h1" in broken(
        [(0.0, ((0.0, "cut h1 storage"),))], order=order
    )


def test_an_evacuation_before_the_fence_is_caught():
    said = broken(
        [(0.0, ((0.0, "cut h1 storage"),))],
        order=("force-down", "disable", "prepare", "evacuate", "fence"),
    )

    assert "a-1 evacuated while h1 has power" in said
    assert "a-1 runs 2 times" in said


def test_a_failing_schedule_prints_as_a_folder_that_plays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REPORTS", str(tmp_path))
    loss = story([(0.0, ((0.0, "cut h1 storage"),))])
    entries = (*loss.entries, Entry(at_s=loss.length_s, expect="incidents == 7"))

    with pytest.raises(AssertionError, match="incidents == 7, but it is 1") as failure:
        examine(dataclasses.replace(loss, entries=entries))

    (written,) = (tmp_path / "schedules").iterdir()
    assert f"play {written}" in str(failure.value)
    again = scenario.read(written)
    assert again.entries == entries
    assert again.plan == PLAN
    assert scenario.play(again).unmet


def test_a_folder_says_what_differs_from_the_ordinary(tmp_path: Path):
    plan = dataclasses.replace(PLAN, policy={"return_after_s": 5.0})
    made = dataclasses.replace(story([(0.0, LOSS)], name="odd"), plan=plan)

    folder.write(made, tmp_path / "odd", story="It is odd.")

    assert scenario.read(tmp_path / "odd") == made
