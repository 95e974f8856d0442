# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A host that has long been well again is not touched by what was asked for it before."""

from __future__ import annotations

import pytest

from instance_ha.model import ComputeService, Event, IncidentState, Network, NotificationStatus
from instance_ha.past import VOIDED, Past
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan
from instance_ha.steps import Act, Step, next_step

WELL, LOST = "up up up", "down down down"
WORKING = ComputeService(up=True, enabled=True, forced_down=False)
VOID = Past(voided=frozenset({"n-1"}))
DUE = {"states": WELL, "well_since_s": 1010.0, "now_s": 1070.0}
"""Well for exactly the return delay."""


@pytest.fixture
def step(ordinary):
    """Return the next step of a host whose notification has a status."""

    def ask(status: str = "running", *, state=IncidentState.RECOVERING, **changes) -> Step | None:
        notification = ordinary.notification(
            NotificationStatus(status), generated_at_s=changes.pop("generated_at_s", 1000.0)
        )
        incident = ordinary.incident(state=state, notification=changes.pop("known", "n-1"))
        case = ordinary.case(incident=incident, notification=notification, **changes)
        return next_step(case, policy=ordinary.policy)

    return ask


@pytest.mark.parametrize("status", ["new", "running", "error", "failed", "ignored"])
def test_a_notification_is_void_once_its_host_was_well_for_long(step, status):
    """One that failed too: an engine that had listed it before may begin with it anew."""
    taken = step(status, **DUE)

    assert (taken.act, taken.state) == (Act.VOID, IncidentState.RECOVERING)
    assert taken.reason == "void: the host has been well for 60 s, and nothing of it was touched"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"now_s": 1069.0}, id="not for long yet"),
        pytest.param({"states": LOST, "well_since_s": None}, id="lost"),
        pytest.param({"well_since_s": None}, id="not without a break"),
        pytest.param({"states": "unknown unknown unknown"}, id="unclear"),
        pytest.param({"past": Past(settled_at_s=1005.0)}, id="proven off, or further"),
        pytest.param({"past": VOID}, id="void already"),
        pytest.param({"generated_at_s": 1050.0}, id="asked for while it was well"),
        pytest.param({"status": "finished"}, id="over"),
        pytest.param({"known": "n-0"}, id="another notification"),
    ],
)
def test_any_other_recovery_goes_on(step, changes):
    taken = step(**{**DUE, **changes})

    assert taken is None or taken.act is not Act.VOID


def test_a_notification_by_a_clock_far_ahead_is_void_all_the_same(step):
    assert step(**DUE, generated_at_s=4600.0).act is Act.VOID


def test_an_engine_that_is_silent_gives_up_what_is_void_too(step):
    """The flow has to end: while it is unfinished, Masakari locks the whole segment."""
    taken = step(**{**DUE, "now_s": 1100.0}, past=VOID)

    assert taken.act is Act.RELEASE
    assert taken.reason.endswith("(void: no engine touches the host)")


def test_the_incident_of_a_void_notification_says_so_as_it_is_closed(step, ordinary):
    closed = step(
        "failed", state=IncidentState.OPEN, host=ordinary.host(service=WORKING), past=VOID, **DUE
    )

    assert closed.state is IncidentState.CLOSED
    assert closed.reason == "answers again since 1970-01-01 00:16:50 UTC; nothing was touched"


def test_a_host_that_dies_again_gets_a_notification_of_its_own(step):
    again = step("failed", now_s=1100.0)

    assert (again.act, again.state) == (Act.END_MAINTENANCE, IncidentState.OPEN)
    assert step("failed", state=IncidentState.OPEN, now_s=1101.0, past=VOID).act is Act.NOTIFY


@pytest.fixture
def world() -> SimWorld:
    hosts = tuple(HostPlan(name=f"h{k}", servers=(f"web-{k}",)) for k in (1, 2, 3))
    return SimWorld(WorldPlan(hosts=hosts))


def until(world: SimWorld, at_s: float) -> None:
    while world.clock.now_s() < at_s:
        world.advance()


def voided(world: SimWorld) -> list[Event]:
    (incident,) = world.journal.incidents()
    return [event for event in world.journal.events(incident) if VOIDED in event.detail]


def lost_for_a_moment(world: SimWorld) -> None:
    """Have h1 notified while no engine runs, and be well again."""
    world.engine.kill()
    until(world, 10.0)
    for network in Network:
        world.machines["h1"].cut(network)
    until(world, 25.0)
    for network in Network:
        world.machines["h1"].heal(network)


def test_it_is_written_once_and_names_the_notification(world):
    lost_for_a_moment(world)

    until(world, 300.0)

    assert [event.detail[VOIDED] for event in voided(world)] == ["notification-1"]


def test_a_proof_that_came_a_moment_ago_is_seen_before_anything_is_void(world):
    """What is remembered of a timeline may be some seconds old."""
    lost_for_a_moment(world)
    until(world, 87.0)
    proof = Event(at_s=87.0, actor="engine", kind="proof", text="off")
    world.journal.record(world.journal.unclosed()["h1"], proof)

    until(world, 300.0)

    assert voided(world) == []


def test_a_controller_that_could_not_write_it_does_so_later(world):
    lost_for_a_moment(world)
    until(world, 80.0)
    world.journal.reachable = False
    until(world, 120.0)
    world.journal.reachable = True

    until(world, 130.0)

    assert len(voided(world)) == 1
