# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The simulation is as unkind as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from instance_ha.errors import CloudUnreachableError, StoreUnreachableError
from instance_ha.model import IncidentState, NotificationStatus
from instance_ha.simulation import acts, folder, scenario, troubles
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.memory import LeaseRow, MemoryLease
from instance_ha.simulation.process import Trouble
from instance_ha.simulation.scenario import Entry, Scenario
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

PLAN = WorldPlan(
    hosts=tuple(HostPlan(name=f"h{k}", servers=(f"a-{k}", f"b-{k}")) for k in range(1, 6)),
    controllers=("masakari-0", "masakari-1"),
    engines=("engine", "engine-1"),
)


@pytest.fixture
def world() -> SimWorld:
    return SimWorld(PLAN)


def until(world: SimWorld, at_s: float) -> None:
    while world.clock.now_s() < at_s:
        world.advance()


def do(world: SimWorld, *lines: str) -> None:
    for line in lines:
        acts.carry_out(world, *line.split())


def test_masakaris_api_answers_nothing_without_its_database(world: SimWorld):
    world.database.fall_into(Trouble.DOWN)
    assert world.api.trouble is Trouble.DOWN


@pytest.mark.parametrize("kind", list(Trouble)[1:])
@pytest.mark.parametrize("what", sorted(troubles.components(SimWorld(PLAN))))
def test_every_trouble_of_every_component_ends(what: str, kind: str):
    world = SimWorld(PLAN)
    until(world, 15.0)
    do(world, f"trouble {what} {kind} 10")

    until(world, 40.0)
    do(world, "power-off h1")
    until(world, 100.0)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED
    assert not world.witness.broken


def test_what_is_not_there_any_more_takes_no_further_trouble(world: SimWorld):
    do(world, "kill controller masakari-0")
    do(world, "isolate masakari-0 5", "trouble masakari-0 hung 5", "trouble engine down 1")
    do(world, "start engine", "start controller masakari-0")
    until(world, 10.0)

    assert set(world.controllers) == {"masakari-0", "masakari-1"}


def test_a_controller_that_is_killed_in_a_call_changes_nothing(world: SimWorld):
    do(world, "before notify kill controller masakari-0", "power-off h1")
    until(world, 12.0)
    assert not world.masakari.all_notifications()

    until(world, 40.0)
    assert len(world.masakari.all_notifications()) == 1, "the other one goes on"


def test_a_controller_that_hangs_past_its_lease_acts_no_more(world: SimWorld):
    do(world, "power-off h1")
    until(world, 8.0)
    do(world, "trouble database late 30")
    until(world, 80.0)

    assert not world.witness.broken


def test_a_controller_that_waits_is_not_asked_for_another_pass(world: SimWorld):
    until(world, 5.0)
    do(world, "trouble database hung 3")
    until(world, 20.0)

    assert not any(process.busy for process in world.processes.values())


def test_a_controller_that_is_isolated_sees_nothing_and_reaches_nothing(world: SimWorld):
    do(world, "isolate masakari-0 30", "skew masakari-1 3600", "power-off h1")
    until(world, 60.0)

    incident = world.journal.unclosed()["h1"]
    assert incident.state is IncidentState.RECOVERED
    assert world.journal.events(incident)[0].actor == "controller@masakari-1"


def test_mending_begins_everything_anew(world: SimWorld):
    do(world, "kill engine", "kill controller masakari-0", "skew masakari-0 60", "maas hanging")
    do(world, "database down", "blind storage-1", "segment rack-1 disabled")
    do(world, "isolate masakari-1 99")

    do(world, "mend", "power-off h1")
    until(world, 60.0)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED
    do(world, "bring-back")
    until(world, 180.0)
    assert not world.journal.unclosed()


@pytest.mark.parametrize(
    ("state", "servers_left", "forgotten"),
    [
        pytest.param(None, True, "h1", id="no incident"),
        pytest.param(IncidentState.RECOVERED, False, "nothing", id="recovered"),
        pytest.param(IncidentState.RECOVERED, True, "h1", id="recovered but for a server"),
        pytest.param(IncidentState.HELD, True, "h1", id="held though it is the only one"),
        pytest.param(IncidentState.RECOVERING, True, "h1", id="never ends"),
    ],
)
def test_what_counts_as_forgotten(
    world: SimWorld, state: IncidentState | None, servers_left: bool, forgotten: str
):
    for name in PLAN.controllers:
        world.kill_controller(name)
    world.machines["h1"].power_off()
    until(world, 2.0)
    if state is not None:
        incident = world.journal.open("h1", segment="rack-1", at_s=0.0, reason="lost")
        world.journal.move(incident, state, at_s=0.0, reason="so it is")
    if not servers_left:
        for server in ("a-1", "b-1"):
            world.nova.place(server, "h2")

    assert acts.fact(world, "forgotten") == forgotten


def test_hosts_are_held_where_most_are_lost(world: SimWorld):
    do(world, "power-off h1", "power-off h2", "power-off h3")
    until(world, 60.0)

    assert acts.fact(world, "forgotten") == "nothing"
    assert {i.state for i in world.journal.unclosed().values()} == {IncidentState.HELD}


def test_a_killed_rabbitmq_keeps_the_notification_and_loses_the_message(world: SimWorld):
    do(world, "before notify trouble rabbitmq down 3", "power-off h1")
    until(world, 20.0)

    (kept,) = world.masakari.all_notifications()
    assert kept.status is NotificationStatus.NEW
    until(world, 60.0)
    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED, "by its periodic task"


def test_the_lists_of_two_engines_are_worked_off_one_by_one(world: SimWorld):
    do(world, "maas failing", "power-off h1", "power-off h2")
    until(world, 330.0)
    do(world, "maas well")
    until(world, 420.0)

    assert world.witness.evacuated.total() == 4
    assert not world.witness.broken


def test_an_engine_waits_for_one_that_evacuates_the_host(world: SimWorld):
    do(world, "power-off h1", "within evacuate trouble engine hung 12")
    until(world, 18.0)
    world.masakari.release_orphan("notification-1")
    until(world, 60.0)

    assert world.witness.evacuated == {"a-1": 1, "b-1": 1}
    assert not world.witness.broken


def test_an_engine_whose_lease_was_taken_over_stops(world: SimWorld):
    """It hangs between two orders; when it goes on, another one evacuates the host."""
    do(world, "power-off h1", "within evacuate trouble engine hung 30")
    until(world, 18.0)
    world.masakari.release_orphan("notification-1")
    until(world, 26.0)
    do(world, "trouble nova down 30")
    until(world, 100.0)

    assert world.witness.evacuated == {"a-1": 1, "b-1": 1}
    assert not world.witness.broken


def test_no_answer_says_nothing_against_a_proof(world: SimWorld):
    do(world, "power-off h1", "after fence maas failing")
    do(world, "before evacuate trouble nova down 20")
    until(world, 60.0)

    told = [event.text for event in world.journal.events(world.journal.unclosed()["h1"])]
    assert told.count("order power off") == 1
    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED


def test_an_engine_that_is_killed_loses_every_thread(world: SimWorld):
    do(world, "power-off h1", "power-off h2", "before force-down trouble engine down 3")
    until(world, 120.0)

    assert world.witness.evacuated.total() == 4
    assert not world.witness.broken


def test_an_engine_that_dies_between_two_orders_gives_no_second_one(world: SimWorld):
    do(world, "power-off h1", "within evacuate kill engine", "within evacuate scheduler down")
    until(world, 13.0)

    (kept,) = world.masakari.all_notifications()
    assert kept.status is NotificationStatus.RUNNING
    assert set(world.nova.moves) == {"a-1"}
    with pytest.raises(CloudUnreachableError, match="no nova-scheduler answers"):
        world.nova.evacuate("b-1")


def test_only_what_runs_is_given_back_to_the_engines(world: SimWorld):
    do(world, "power-off h1")
    until(world, 40.0)
    world.masakari.release_orphan("notification-1")

    assert world.masakari.notification("notification-1").status is NotificationStatus.FINISHED


def test_a_pause_ends_by_its_own_name_only(world: SimWorld):
    do(world, "pause host h1 500", "pause host h2 500", "resume host h1", "power-off h1")
    until(world, 60.0)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED
    assert [pause.name for pause in world.journal.rulings().pauses] == ["h2"]


def test_a_host_can_be_enrolled_by_hand():
    hosts = (*PLAN.hosts, HostPlan(name="h6", enrolled=False))
    world = SimWorld(WorldPlan(hosts=hosts))
    do(world, "enrol h6 rack-2")

    assert world.masakari.segment_of("h6").name == "rack-2"


def test_an_answer_of_nova_that_got_lost_is_no_second_order(world: SimWorld):
    do(world, "power-off h1", "before evacuate trouble nova deaf 20")
    until(world, 60.0)

    assert world.witness.evacuated == {"a-1": 1, "b-1": 1}
    assert not world.witness.broken


def test_nova_takes_no_second_order_for_a_server_that_it_rebuilds(world: SimWorld):
    do(world, "power-off h1")
    world.nova.force_down("h1")
    world.nova.evacuate("a-1")

    with pytest.raises(CloudUnreachableError, match="task_state rebuilding"):
        world.nova.evacuate("a-1")


def test_a_server_stays_stuck_until_nova_gives_its_new_host_up(world: SimWorld):
    do(world, "power-off h1")
    until(world, 1.0)
    world.witness.see_answer("h1", "off")
    world.nova.force_down("h1")
    target = world.nova.evacuate("a-1").target
    world.machines[target].power_off()
    until(world, 10.0)
    assert "a-1" in world.nova.moves

    world.nova.force_down(target)
    world.nova.advance()

    assert "a-1" not in world.nova.moves
    assert world.nova.evacuate("a-1").target != target
    assert not world.witness.broken


def test_the_witness_takes_no_note_of_moves_that_belong_to_no_loss(world: SimWorld):
    world.witness.see_move("a-1", source="h1")
    world.witness.see_failed_move("a-1", source="h1")
    world.machines["h1"].power_off()
    world.witness.see_machines(world.machines.values())
    world.witness.see_return(world.machines["h1"])

    assert world.witness.is_lost("h1"), "enabled by somebody, and still off"


def test_a_lease_without_a_witness_is_a_lease():
    clock, row = SimClock(), LeaseRow()
    lease = MemoryLease(row, holder="me", clock=clock)

    assert lease.take(ttl_s=5.0)
    lease.give_up()
    assert MemoryLease(row, holder="you", clock=clock).take(ttl_s=5.0)


def test_a_lease_that_was_given_up_is_nobodys(world: SimWorld):
    row = LeaseRow(witness=world.witness)
    lease = MemoryLease(row, holder="me", clock=world.clock)
    lease.take(ttl_s=5.0)
    lease.give_up()
    world.witness.see_act("me", "notify")

    assert world.witness.broken == ["0.0 s: me does notify without the lease"]


def test_an_engine_whose_database_is_away_leaves_all_as_it_is(world: SimWorld):
    do(world, "power-off h1", "before force-down database down")
    until(world, 20.0)
    with pytest.raises(StoreUnreachableError):
        world.journal.unclosed()
    (kept,) = world.masakari.all_notifications()
    assert kept.status is NotificationStatus.RUNNING

    do(world, "database up")
    until(world, 120.0)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED


@pytest.mark.parametrize("policy", [{}, {"return_after_s": 5.0}])
def test_a_scenario_is_read_as_it_was_written(tmp_path: Path, policy: dict[str, float]):
    hosts = (HostPlan(name="h1", servers=("a-1",), on_maintenance=True),)
    entries = (Entry(at_s=1.5, do="power-off h1"), Entry(at_s=2.0, expect="idle == nothing"))
    for plan in (WorldPlan(hosts=hosts, policy=policy), WorldPlan(hosts=PLAN.hosts, engines=())):
        made = Scenario(name="odd", plan=plan, entries=entries, length_s=9.0)

        folder.write(made, tmp_path / "odd", story="It is odd.")

        assert scenario.read(tmp_path / "odd") == made
