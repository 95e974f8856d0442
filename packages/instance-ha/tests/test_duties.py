# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from instance_ha.controller import Controller
from instance_ha.errors import CloudUnreachableError, StoreUnreachableError
from instance_ha.simulation.gossip import SimObserver
from instance_ha.simulation.memory import LeaseRow, MemoryLease
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan
from instance_ha.survey import Survey


@dataclass
class Diary:
    """A duty that writes down when it was attended to."""

    name: str = "diary"
    every_s: float = 10.0
    turns: list[Survey] = field(default_factory=list)
    trouble: Exception | None = None
    takes_s: float = 0.0
    world: SimWorld | None = None

    def attend(self, survey: Survey) -> None:
        self.turns.append(survey)
        if self.world is not None:
            self.world.clock.sleep(self.takes_s)
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def world() -> SimWorld:
    hosts = tuple(HostPlan(name=f"h{k}", servers=(f"web-{k}",)) for k in (1, 2, 3, 4))
    return SimWorld(WorldPlan(hosts=hosts, controllers=()))


@pytest.fixture
def play(world: SimWorld, ordinary):
    """Let a controller with these duties tick for some seconds."""

    def seconds(number: int, *duties: Diary, row: LeaseRow | None = None) -> None:
        controller = Controller(
            clock=world.clock,
            observer=SimObserver(tuple(world.networks.values())),
            cloud=world.masakari,
            journal=world.journal,
            lease=MemoryLease(row or LeaseRow(), holder="me", clock=world.clock),
            policy=ordinary.policy,
            actor="controller@me",
            duties=duties,
        )
        for _ in range(number):
            controller.tick()
            world.advance()
            world.advance()

    return seconds


def test_a_duty_is_due_at_once_and_then_every_so_often_with_a_fresh_survey(play):
    diary = Diary()

    play(25, diary)

    assert [survey.now_s for survey in diary.turns] == [0.0, 10.0, 20.0]
    assert set(diary.turns[0].hosts) == {"h1", "h2", "h3", "h4"}


def test_a_survey_tells_what_the_same_pass_has_just_begun(world, play):
    diary = Diary(every_s=1.0)
    world.machines["h1"].power_off()

    play(40, diary)

    first = next(survey for survey in diary.turns if "h1" in survey.incidents)
    assert first.incidents["h1"].notification, "what the pass decided is read back, not assumed"


def test_a_controller_that_stands_by_attends_to_nothing(world, play):
    row = LeaseRow()
    MemoryLease(row, holder="other", clock=world.clock).take(ttl_s=1000.0)
    diary = Diary()

    play(20, diary, row=row)

    assert not diary.turns


@pytest.mark.parametrize("error", [CloudUnreachableError("away"), StoreUnreachableError("away")])
def test_one_that_cannot_go_on_is_said_once_and_keeps_no_other_waiting(play, caplog, error):
    ailing = Diary(name="ailing", trouble=error)
    diary = Diary()

    play(25, ailing, diary)

    assert len(ailing.turns) == len(diary.turns) == 3, "it is tried again in its next turn"
    assert [r.getMessage() for r in caplog.records if "ailing" in r.getMessage()] == [
        "the duty ailing: waits: away"
    ]


def test_one_that_took_longer_than_the_lease_is_the_last_of_its_pass(world, play):
    slow = Diary(name="slow", takes_s=20.0, world=world)
    diary = Diary()

    play(1, slow, diary)

    assert len(slow.turns) == 1
    assert not diary.turns, "by now another controller may act"
