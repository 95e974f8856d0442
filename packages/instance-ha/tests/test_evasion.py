# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.errors import CloudUnreachableError, PolicyError
from instance_ha.evasion import CORDON, Budget, Evading, Movable, affected, next_moves
from instance_ha.model import (
    Action,
    ComputeService,
    Host,
    Network,
    Pause,
    PauseScope,
    Reach,
    Rulings,
    Segment,
    Verdict,
)
from instance_ha.simulation.memory import MemoryJournal
from instance_ha.survey import Survey

SEGMENT = Segment(uuid="s1", name="rack-1", recovery_method="auto")
UP = ComputeService(up=True, enabled=True, forced_down=False)
CORDONED = dataclasses.replace(UP, enabled=False, disabled_reason=CORDON)
PAUSE = Pause(
    id=1, scope=PauseScope.CLOUD, target="", name="", author="ada", reason="switch", since_s=0.0
)
BUDGET = Budget(after_s=10.0, at_once=2, per_minute=3)


def verdict(host: str, action: Action, *, alive: bool = False) -> Verdict:
    return Verdict(host=host, action=action, reach={}, reason="tenant down", alive=alive)


def host(name: str, **fields) -> Host:
    return Host(name=name, uuid=name, **{"segment": SEGMENT, "service": UP, **fields})


def survey(*lost: str, now_s: float = 0.0, hosts=(), well=(), **changes) -> Survey:
    known = {h.name: h for h in (host("h1"), host("h2"), host("h3"), *hosts)}
    verdicts = {name: verdict(name, Action.MIGRATE) for name in lost}
    verdicts |= {name: verdict(name, Action.NONE, alive=True) for name in well}
    return Survey(
        now_s=now_s,
        verdicts=verdicts,
        hosts=known,
        notifications={},
        **{"incidents": {}, **changes},
    )


def server(name: str, *, active: bool = True, moving: bool = False) -> Movable:
    return Movable(uuid=name, name=name, active=active, moving=moving)


class Mover:
    """A Nova whose live migrations last until somebody ends them."""

    def __init__(self, *names: str) -> None:
        self.there = {name: server(name) for name in names}
        self.moved: list[str] = []
        self.calls: list[str] = []
        self.declines: set[str] = set()

    def servers(self, host: str) -> list[Movable]:
        return list(self.there.values())

    def move(self, server: str, *, target: str | None) -> None:
        if server in self.declines:
            raise CloudUnreachableError("it has a device that cannot move")
        self.moved.append(server)
        self.there[server] = dataclasses.replace(self.there[server], moving=True)

    def arrive(self, *names: str) -> None:
        for name in names:
            del self.there[name]

    def cordon(self, host: str, *, reason: str) -> None:
        self.calls.append(f"cordon {host}: {reason}")

    def release(self, host: str) -> None:
        self.calls.append(f"release {host}")


@pytest.fixture
def journal():
    return MemoryJournal()


@pytest.fixture
def evading(journal):
    def make(mover: Mover) -> Evading:
        return Evading(mover=mover, journal=journal, budget=BUDGET, actor="controller@me")

    return make


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        pytest.param({}, ["h1"], id="one of three"),
        pytest.param({"incidents": {"h1": object()}}, [], id="under recovery"),
        pytest.param({"hosts": [host("h1", on_maintenance=True)]}, [], id="on maintenance"),
        pytest.param(
            {"hosts": [host("h1", segment=dataclasses.replace(SEGMENT, enabled=False))]},
            [],
            id="its segment is disabled",
        ),
        pytest.param({"rulings": Rulings(pauses=(PAUSE,))}, [], id="somebody paused the cloud"),
    ],
)
def test_whose_servers_are_moved(changes, names):
    assert [h.name for h in affected(survey("h1", **changes), budget=BUDGET)] == names


def test_most_of_a_segment_has_nowhere_to_go():
    assert not affected(survey("h1", "h2"), budget=BUDGET)


def test_a_host_that_nobody_enrolled_is_left_alone():
    assert not affected(survey("h9"), budget=BUDGET)


@pytest.mark.parametrize(
    ("servers", "left", "names"),
    [
        pytest.param([server("a"), server("b"), server("c")], 9, ["a", "b"], id="two at once"),
        pytest.param(
            [server("a", moving=True), server("b"), server("c")], 9, ["b"], id="one more"
        ),
        pytest.param([server("a"), server("b")], 1, ["a"], id="the minute's budget"),
        pytest.param([server("a"), server("b")], 0, [], id="nothing left of it"),
        pytest.param([server("a", active=False), server("b")], 9, ["b"], id="only what runs"),
    ],
)
def test_what_the_budget_allows(servers, left, names):
    assert [s.name for s in next_moves(servers, budget=BUDGET, left=left)] == names


def test_a_loss_that_lasts_is_evaded_within_the_budget(evading, journal):
    mover = Mover("a", "b", "c", "d")
    duty = evading(mover)

    duty.attend(survey("h1", now_s=0.0))
    duty.attend(survey("h1", now_s=9.0))
    assert not mover.calls, "a short loss moves nobody"

    duty.attend(survey("h1", now_s=10.0))
    assert (mover.calls, mover.moved) == ([f"cordon h1: {CORDON}"], ["a", "b"])
    duty.attend(survey("h1", now_s=15.0, hosts=[host("h1", service=CORDONED)]))
    assert mover.moved == ["a", "b"], "two at once"

    mover.arrive("a", "b")
    duty.attend(survey("h1", now_s=20.0, hosts=[host("h1", service=CORDONED)]))
    assert mover.moved == ["a", "b", "c"], "three in a minute"
    duty.attend(survey("h1", now_s=71.0, hosts=[host("h1", service=CORDONED)]))
    assert mover.moved == ["a", "b", "c", "d"]

    (story,) = journal.incidents()
    assert story.state == "closed", "it is never mistaken for a loss"
    assert [e.text for e in journal.events(story)] == [f"{n} is moved live" for n in "abcd"]


def test_nothing_more_is_begun_once_the_host_is_judged_otherwise(evading):
    mover = Mover("a", "b", "c")
    duty = evading(mover)
    duty.attend(survey("h1", now_s=0.0))
    duty.attend(survey("h1", now_s=10.0))
    mover.arrive("a", "b")

    lost = dataclasses.replace(survey(now_s=15.0), verdicts={"h1": verdict("h1", Action.RECOVERY)})
    duty.attend(lost)
    duty.attend(survey("h1", now_s=20.0))

    assert mover.moved == ["a", "b"], "the loss has to last anew"


def test_a_loss_that_comes_and_goes_begins_anew(evading):
    mover = Mover("a")
    duty = evading(mover)

    for second in (0.0, 8.0):
        duty.attend(survey("h1", now_s=second))
    duty.attend(survey(now_s=9.0))
    duty.attend(survey("h1", now_s=12.0))

    assert not mover.moved


@pytest.mark.parametrize(
    "service",
    [
        None,
        dataclasses.replace(UP, up=False),
        dataclasses.replace(UP, enabled=False, disabled_reason="disk swap"),
    ],
    ids=["unknown to nova", "down", "disabled by its operator"],
)
def test_who_cannot_or_may_not_give_its_servers_away_is_left_alone(evading, service):
    mover = Mover("a")
    duty = evading(mover)

    for second in (0.0, 30.0):
        duty.attend(survey("h1", now_s=second, hosts=[host("h1", service=service)]))

    assert (mover.calls, mover.moved) == ([], [])


def test_a_server_that_cannot_be_moved_alive_stays_and_keeps_no_other(evading, journal):
    mover = Mover("a", "b", "c")
    mover.declines = {"a"}
    duty = evading(mover)

    for second in (0.0, 10.0, 15.0):
        duty.attend(survey("h1", now_s=second))

    assert mover.moved == ["b", "c"]
    (story,) = journal.incidents()
    assert "a stays: it has a device that cannot move" in [e.text for e in journal.events(story)]

    mover.declines.clear()
    duty.attend(survey("h1", now_s=80.0))
    assert mover.moved == ["b", "c"], "two are under way"
    mover.arrive("b", "c")
    duty.attend(survey("h1", now_s=85.0))
    assert mover.moved == ["b", "c", "a"], "and it is tried once more"


def test_a_host_that_is_well_takes_servers_again_and_that_is_told_once(evading, journal):
    mover = Mover("a")
    duty = evading(mover)
    well = {"well": ["h1"], "hosts": [host("h1", service=CORDONED)]}

    duty.attend(survey(now_s=0.0, **well))
    duty.attend(survey(now_s=5.0, **well))

    assert mover.calls == ["release h1"]
    (story,) = journal.incidents()
    assert len(journal.events(story)) == 1


@pytest.mark.parametrize(
    "changes",
    [{"incidents": {"h1": object()}, "well": ["h1"]}, {}],
    ids=["under recovery", "nobody speaks of it"],
)
def test_a_host_that_is_not_surely_well_stays_kept_from_servers(evading, changes):
    mover = Mover("a")

    evading(mover).attend(survey(hosts=[host("h1", service=CORDONED)], **changes))

    assert not mover.calls


@pytest.mark.parametrize(("tenant", "released"), [(Reach.UP, True), (Reach.UNKNOWN, False)])
def test_a_host_takes_servers_again_once_its_network_is_seen_up(evading, tenant, released):
    mover = Mover("a")
    calm = dataclasses.replace(
        verdict("h1", Action.NONE, alive=True), reach={Network.TENANT: tenant}
    )
    seen = survey(hosts=[host("h1", service=CORDONED)])

    evading(mover).attend(dataclasses.replace(seen, verdicts={"h1": calm}))

    assert mover.calls == ["release h1"] * released


def test_a_loss_that_somebody_notified_of_meanwhile_is_not_closed(evading, journal):
    duty = evading(Mover("a"))
    duty.attend(survey("h1", now_s=0.0))
    theirs = journal.open("h1", segment="rack-1", at_s=9.0, reason="notified by hand")

    duty.attend(survey("h1", now_s=10.0))

    assert journal.unclosed() == {"h1": theirs}


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(PolicyError, match="budget"):
        Budget(at_once=0)
