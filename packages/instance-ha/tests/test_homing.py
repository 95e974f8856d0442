# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.errors import CloudUnreachableError
from instance_ha.homing import WITHIN_S, Homing
from instance_ha.model import (
    ComputeService,
    Event,
    IncidentState,
    NovaHealth,
    Pause,
    PauseScope,
    Rulings,
)
from instance_ha.moving_back import Place
from instance_ha.simulation.memory import MemoryJournal
from instance_ha.survey import Survey

SERVERS = ("a", "b", "c")
WORKS = ComputeService(up=True, enabled=True, forced_down=False)


class Nova:
    """Where servers are; a move lasts until a test ends it."""

    def __init__(self) -> None:
        self.host_of = dict.fromkeys(SERVERS, "h2")
        self.moving: dict[str, str] = {}
        self.declines: set[str] = set()
        self.asked = 0

    def places(self, servers) -> dict[str, Place]:
        servers = list(servers)
        self.asked += len(servers)
        return {
            s: Place(server=s, name=f"name-{s}", host=self.host_of[s], idle=s not in self.moving)
            for s in servers
            if s in self.host_of
        }

    def move(self, server: str, *, target: str) -> None:
        if server in self.declines:
            raise CloudUnreachableError("it has a PCI device")
        self.moving[server] = target

    def end(self) -> None:
        """Let every move come to its end."""
        self.host_of |= self.moving
        self.moving.clear()


@pytest.fixture
def nova() -> Nova:
    return Nova()


@pytest.fixture
def journal() -> MemoryJournal:
    """h1 was lost at 1000, its servers went to h2, and it is back."""
    made = MemoryJournal()
    lose(made, *SERVERS, at_s=1000.0)
    return made


def lose(journal: MemoryJournal, *servers: str, at_s: float) -> None:
    incident = journal.open("h1", segment="rack-1", at_s=at_s, reason="lost")
    for server in servers:
        detail = {"server": server, "destination": "h2"}
        event = Event(at_s=at_s, actor="engine", kind="active", text="", detail=detail)
        journal.record(incident, event)
    journal.move(incident, IncidentState.CLOSED, at_s=at_s + 100.0)


def told(journal: MemoryJournal) -> list[str]:
    incident = journal.incidents()[-1]
    return [event.text for event in journal.events(incident) if event.kind == "move-back"]


@pytest.fixture
def look(nova, journal, ordinary):
    """Attend to it once; what is changed of an ordinary survey is given by name."""
    duty = make(nova, journal)

    def once(duty=duty, host=None, states="up up up", **changes) -> None:
        known = ordinary.host(**{"service": WORKS, **(host or {})})
        survey = Survey(
            now_s=1200.0,
            verdicts={"h1": ordinary.verdict(states=states)},
            hosts={"h1": known},
            notifications={},
            incidents={},
            health=NovaHealth(),
        )
        duty.attend(dataclasses.replace(survey, **changes))

    return once


def make(nova: Nova, journal: MemoryJournal) -> Homing:
    return Homing(mover=nova, journal=journal, at_once=2, actor="controller@me")


def test_as_many_at_once_as_may_be_until_all_are_home(nova, journal, look):
    look()
    look()
    assert nova.moving == {"a": "h1", "b": "h1"}

    nova.end()
    look()
    assert nova.moving == {"c": "h1"}

    nova.end()
    look()
    assert set(nova.host_of.values()) == {"h1"}

    look()
    assert told(journal) == [
        "name-a is moved back from h2",
        "name-b is moved back from h2",
        "name-a: moved",
        "name-b: moved",
        "name-c is moved back from h2",
        "name-c: moved",
    ]


def test_a_move_that_nova_gives_up_is_begun_once_more(nova, journal, look):
    look()
    nova.moving.clear()
    for _ in range(4):
        look()
        nova.end()
    look()

    assert told(journal).count("name-a: stays on h2: nova gave the move up") == 1
    assert told(journal)[-1] == "name-b: moved"
    assert set(nova.host_of.values()) == {"h1"}


def test_one_that_nova_gives_up_again_stays(nova, journal, look):
    for _ in range(8):
        look()
        nova.moving.pop("a", None)
        nova.end()

    assert told(journal).count("name-a is moved back from h2") == 2
    assert told(journal).count("name-a: stays on h2: nova gave the move up") == 2
    assert nova.host_of == {"a": "h2", "b": "h1", "c": "h1"}


def test_one_that_is_deleted_on_its_way_is_told(nova, journal, look):
    look()
    del nova.host_of["a"], nova.moving["a"]
    look()

    assert "a: was deleted meanwhile" in told(journal)


def test_when_all_is_done_nobody_is_asked_any_more(nova, look):
    for _ in range(4):
        look()
        nova.end()
    look()
    asked = nova.asked

    look()

    assert nova.asked == asked


def test_another_controller_goes_on_where_this_one_was(nova, journal, look):
    look()

    look(duty=make(nova, journal))

    assert nova.moving == {"a": "h1", "b": "h1"}
    assert len(told(journal)) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda n: n.declines.add("a"), "on h2: it has a PCI device", id="declined"),
        pytest.param(lambda n: n.host_of.update(a="h3"), ": it was put on h2 and is", id="moved"),
        pytest.param(lambda n: n.moving.update(a="h4"), ": it does not run", id="busy"),
        pytest.param(lambda n: n.host_of.pop("a"), "a stays: it was deleted", id="deleted"),
    ],
)
def test_one_that_stays_is_told_once_and_keeps_no_other_waiting(nova, journal, look, change, said):
    change(nova)
    for _ in range(4):
        look()
        nova.end()

    assert said in told(journal)[0]
    assert len(told(journal)) == 1 + 2 * 2
    assert [nova.host_of[s] for s in ("b", "c")] == ["h1", "h1"]


def paused(scope: PauseScope, target: str) -> Rulings:
    pause = Pause(
        id=1, scope=scope, target=target, name=target, reason="no", author="ada", since_s=1
    )
    return Rulings(pauses=(pause,))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"verdicts": {}}, id="nobody-speaks-of-it"),
        pytest.param({"states": "up up down"}, id="lost-again"),
        pytest.param({"states": "unknown unknown unknown"}, id="unknown"),
        pytest.param({"states": "up down up"}, id="without-tenant"),
        pytest.param({"states": "up unknown up"}, id="unknown-on-tenant"),
        pytest.param({"hosts": {}}, id="not-enrolled-any-more"),
        pytest.param({"host": {"on_maintenance": True}}, id="on-maintenance"),
        pytest.param({"host": {"service": None}}, id="not-in-nova"),
        pytest.param(
            {"host": {"service": dataclasses.replace(WORKS, enabled=False)}}, id="disabled"
        ),
        pytest.param({"host": {"service": dataclasses.replace(WORKS, up=False)}}, id="down"),
        pytest.param({"rulings": paused(PauseScope.HOST, "h1")}, id="paused"),
        pytest.param({"now_s": 1000.0 + WITHIN_S + 1.0}, id="long-ago"),
    ],
)
def test_nothing_is_moved_to_a_host_that_is(nova, look, changes):
    look(**changes)

    assert not nova.moving


def test_nothing_is_moved_while_any_host_is_lost(nova, look, ordinary):
    look(incidents={"h9": ordinary.incident("h9")})

    assert not nova.moving


def test_only_the_newest_loss_counts(nova, journal, look):
    lose(journal, "c", at_s=1100.0)

    look()

    assert nova.moving == {"c": "h1"}
