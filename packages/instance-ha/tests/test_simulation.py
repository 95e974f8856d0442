# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instance_ha import ports
from instance_ha.errors import (
    CloudUnreachableError,
    NotificationRefusedError,
    StoreUnreachableError,
)
from instance_ha.model import IncidentState, Network, Notification, NotificationStatus
from instance_ha.simulation import acts
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.gossip import SimObserver
from instance_ha.simulation.masakari import DUPLICATE_WINDOW_S
from instance_ha.simulation.memory import LeaseRow, MemoryJournal, MemoryLease
from instance_ha.simulation.power import SimFencer
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

HOSTS = tuple(HostPlan(name=f"h{k}", servers=(f"a-{k}", f"b-{k}")) for k in (1, 2, 3, 4, 5))


@pytest.fixture
def world() -> SimWorld:
    return SimWorld(WorldPlan(hosts=HOSTS))


def until(world: SimWorld, at_s: float) -> None:
    while world.clock.now_s() < at_s:
        world.advance()


def test_every_port_has_its_simulation(world: SimWorld):
    clock: ports.Clock = world.clock
    observer: ports.Observer = SimObserver(tuple(world.networks.values()))
    cloud: ports.Cloud = world.masakari
    journal: ports.Journal = world.journal
    lease: ports.Lease = MemoryLease(LeaseRow(), holder="me", clock=clock)
    fencer: ports.Fencer = SimFencer(world.power, clock=clock, by="me")

    assert observer.observe()["h1"].keys() == set(Network)
    assert len(cloud.hosts()) == len(HOSTS)
    assert not journal.unclosed()
    assert lease.take(ttl_s=1.0)
    assert fencer.check("h1") == "on"


def test_a_lease_is_one_controllers_until_it_runs_out_or_is_given_up():
    clock, row = SimClock(), LeaseRow()
    mine, theirs = (MemoryLease(row, holder=h, clock=clock) for h in ("me", "they"))

    assert mine.take(ttl_s=10.0)
    theirs.give_up()
    assert not theirs.take(ttl_s=10.0), "what is not theirs they cannot give up"
    clock.sleep(10.0)
    assert theirs.take(ttl_s=10.0)
    theirs.give_up()
    assert mine.take(ttl_s=10.0)


def test_an_incident_is_opened_once_and_keeps_its_notification():
    journal = MemoryJournal()
    incident = journal.open("h1", segment="rack-1", at_s=1.0, reason="lost")

    assert journal.open("h1", segment="rack-1", at_s=2.0, reason="again") == incident
    told = journal.move(incident, IncidentState.RECOVERING, at_s=3.0, notification="n-1")
    moved = journal.move(told, IncidentState.CLOSED, at_s=4.0)

    assert moved.notification == "n-1"
    assert moved.closed_at_s == 4.0
    journal.reachable = False
    with pytest.raises(StoreUnreachableError):
        journal.unclosed()


def test_masakari_refuses_what_the_real_one_refuses(world: SimWorld):
    masakari = world.masakari
    first = masakari.notify("h1", at_s=0.0)
    host = next(host for host in masakari.hosts() if host.name == "h2")

    with pytest.raises(NotificationRefusedError, match="duplicate"):
        masakari.notify("h1", at_s=DUPLICATE_WINDOW_S)
    with pytest.raises(CloudUnreachableError, match="h1 is being recovered"):
        masakari.end_maintenance(host)
    masakari.remove("h1")
    masakari.end_maintenance(host)
    masakari.set_maintenance("h2", on=True)
    with pytest.raises(NotificationRefusedError, match="maintenance"):
        masakari.notify("h2", at_s=0.0)
    assert masakari.all_notifications() == (first,)


def test_nova_evacuates_only_from_a_host_that_is_down(world: SimWorld):
    with pytest.raises(CloudUnreachableError, match="still in use"):
        world.nova.evacuate("a-1")


def test_nova_does_not_bring_back_a_host_that_does_not_run(world: SimWorld):
    world.machines["h1"].power_off()

    with pytest.raises(CloudUnreachableError, match="not running"):
        world.nova.bring_back("h1")


def test_a_segment_of_dead_hosts_has_nowhere_to_go():
    world = SimWorld(WorldPlan(hosts=HOSTS[:2]))
    world.nova.disable("h2")
    acts.power_off(world, "h1")

    until(world, 60.0)

    told = [e.text for e in world.journal.events(world.journal.incidents()[0])]
    assert "a-1 refused: no valid host was found" in told
    assert not world.witness.evacuated


def test_a_segment_that_is_disabled_just_then_is_ignored_by_the_engine(world: SimWorld):
    acts.power_off(world, "h1")
    acts.kill(world, "engine")
    until(world, 15.0)
    acts.segment(world, "rack-1", "disabled")
    acts.start(world, "engine")
    until(world, 20.0)

    incident = world.journal.unclosed()["h1"]
    assert incident.state is IncidentState.HELD
    assert "ended the notification as ignored" in world.journal.events(incident)[-2].text


def test_the_next_engine_takes_up_a_move_that_is_under_way(world: SimWorld):
    until(world, 17.5)
    acts.power_off(world, "h1")
    until(world, 29.0)
    assert set(world.nova.moves) == {"a-1", "b-1"}
    acts.kill(world, "engine")
    acts.start(world, "engine")
    world.masakari.release_orphan("notification-1")

    until(world, 60.0)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED
    assert world.witness.evacuated == {"a-1": 1, "b-1": 1}
    assert not world.witness.broken


def said(world: SimWorld) -> list[str]:
    return [sentence.partition("s: ")[2] for sentence in world.witness.broken]


def test_the_witness_sees_evacuations_that_must_not_be(world: SimWorld):
    machine, witness = world.machines["h1"], world.witness
    witness.see_evacuation("a-1", machine=machine)
    until(world, 30.0)
    machine.power_off()
    witness.see_machines(world.machines.values())
    witness.see_evacuation("a-1", machine=machine)
    witness.see_move("a-1", source="h1")
    witness.see_answer("h1", "off")
    witness.see_evacuation("a-1", machine=machine)
    world.machines["h2"].processes.add("a-3")
    witness.see_machines(world.machines.values())
    witness.see_machines(world.machines.values())

    assert said(world) == [
        "a-1 evacuated while h1 has power",
        "a-1 evacuated though h1 is well",
        "a-1 evacuated without a proof for h1",
        "a-1 evacuated twice for one loss of h1",
        "a-3 runs 2 times",
    ]


@pytest.mark.parametrize(
    ("was_there_again", "faults"),
    [
        pytest.param(True, [], id="a-loss-that-began-as-it-returned"),
        pytest.param(False, ["h1 is notified twice for one loss"], id="the-same-loss"),
    ],
)
def test_the_witness_tells_the_next_loss_from_the_last(
    world: SimWorld, was_there_again: bool, faults: list[str]
):
    machine, witness = world.machines["h1"], world.witness
    finished = Notification(
        uuid="n-1",
        host="h1",
        status=NotificationStatus.FINISHED,
        generated_at_s=0.0,
        updated_at_s=0.0,
    )
    machine.power_off()
    witness.see_machines([machine])
    witness.see_notification("h1", before=None, servers_left=2)
    if was_there_again:
        machine.power_on()
        world.clock.sleep(60.0)
        witness.see_machines([machine])
        machine.power_off()
        witness.see_machines([machine])

    witness.see_return(machine)
    witness.see_notification("h1", before=finished, servers_left=0)

    assert said(world) == faults


def test_the_witness_sees_two_who_act(world: SimWorld):
    witness = world.witness
    witness.see_lease("masakari-0", until_s=10.0)
    witness.see_act("masakari-0", "notify")
    witness.see_act("masakari-1", "notify")
    witness.see_lease("masakari-1", until_s=10.0)
    witness.see_lease_ended("masakari-1")
    witness.see_lease_ended("masakari-0")
    witness.see_lease("masakari-0", until_s=10.0)

    assert said(world) == [
        "masakari-1 does notify without the lease",
        "masakari-1 and masakari-0 hold the lease",
    ]


def test_the_witness_sees_a_host_that_is_well_notified_and_fenced(world: SimWorld):
    world.masakari.notify("h1", at_s=0.0)
    world.power.order_off("h1")

    assert said(world) == ["h1 is notified though it is well", "h1 is fenced though it is well"]


@pytest.mark.parametrize(
    ("status", "twice"),
    [
        pytest.param("running", True, id="under way"),
        pytest.param("finished", False, id="finished with servers left"),
        pytest.param("failed", False, id="failed"),
    ],
)
def test_the_witness_sees_a_loss_that_is_notified_twice(world: SimWorld, status: str, twice: bool):
    world.machines["h1"].power_off()
    world.witness.see_machines(world.machines.values())
    first = world.masakari.notify("h1", at_s=-200.0)
    world.masakari.set_status(first.uuid, NotificationStatus(status))

    world.masakari.notify("h1", at_s=0.0)

    assert said(world) == (["h1 is notified twice for one loss"] if twice else [])


@pytest.mark.parametrize(
    ("well_s", "in_sight", "answer", "late"),
    [
        pytest.param(106.0, True, "on", True, id="too late"),
        pytest.param(104.0, True, "on", False, id="not yet"),
        pytest.param(106.0, False, "on", False, id="nobody could see it"),
        pytest.param(106.0, True, "off", False, id="proven off meanwhile"),
    ],
)
def test_the_witness_sees_a_host_fenced_that_has_long_been_well_again(
    world: SimWorld, well_s: float, in_sight: bool, answer: str, late: bool
):
    machine, witness = world.machines["h1"], world.witness
    machine.cut(Network.STORAGE)
    witness.see_machines([machine])
    witness.see_notification("h1", before=None, servers_left=2)
    witness.see_answer("h1", answer)
    machine.heal(Network.STORAGE)
    witness.see_machines([machine], in_sight=in_sight)
    world.clock.sleep(well_s)

    world.power.order_off("h1")

    assert said(world) == (["h1 is fenced though it has long been well again"] if late else [])


faults = st.one_of(
    st.tuples(
        st.sampled_from(["power-off", "boot"]), st.sampled_from(HOSTS).map(lambda host: host.name)
    ),
    st.tuples(
        st.sampled_from(["cut", "heal"]),
        st.sampled_from(["h1", "h2", "h3"]),
        st.sampled_from(["management", "tenant", "storage"]),
    ),
    st.tuples(st.just("leave"), st.sampled_from(["h1", "h2"])),
    st.tuples(
        st.sampled_from(["blind", "see", "silence"]), st.sampled_from(["storage-1", "storage-2"])
    ),
    st.tuples(st.just("maas"), st.sampled_from(["failing", "hanging", "lying", "well"])),
    st.tuples(st.sampled_from(["kill", "start"]), st.just("engine")),
    st.tuples(st.sampled_from(["database", "api"]), st.sampled_from(["up", "down"])),
    st.tuples(st.just("segment"), st.just("rack-1"), st.sampled_from(["enabled", "disabled"])),
    st.tuples(
        st.just("maintenance"), st.sampled_from(["h1", "h2"]), st.sampled_from(["on", "off"])
    ),
    st.tuples(st.just("restart"), st.just("controller")),
)


timelines = st.lists(st.tuples(st.integers(1, 30), faults), max_size=12)


def play(timeline) -> SimWorld:
    world = SimWorld(WorldPlan(hosts=HOSTS, fence_patience_s=20.0))
    for pause_s, (verb, *arguments) in timeline:
        until(world, world.clock.now_s() + pause_s)
        if verb == "restart":
            world.kill_controller("masakari-0")
            world.start_controller("masakari-0")
        else:
            acts.ACTS[verb](world, *arguments)
    return world


def mend(world: SimWorld) -> None:
    """Make all well again, but for what only the rules can mend."""
    acts.database(world, "up")
    acts.api(world, "up")
    acts.maas(world, "well")
    acts.start(world, "engine")
    acts.segment(world, "rack-1", "enabled")
    for server in ("storage-1", "storage-2"):
        acts.see(world, server)
    for machine in world.machines.values():
        for network in Network:
            machine.heal(network)
        machine.power_off()


def boot_what_is_off(world: SimWorld) -> None:
    """Do what people do now and then: a host that was fenced stays off until somebody does."""
    for host, machine in world.machines.items():
        if not machine.powered:
            acts.boot(world, host)


@settings(max_examples=25)
@given(timeline=timelines)
def test_no_timeline_of_faults_breaks_a_promise(timeline):
    world = play(timeline)

    until(world, world.clock.now_s() + 60.0)

    assert not world.witness.broken


@settings(max_examples=10)
@given(timeline=timelines)
def test_nothing_is_forgotten_once_all_is_well(timeline):
    world = play(timeline)

    mend(world)
    for _ in range(6):
        boot_what_is_off(world)
        until(world, world.clock.now_s() + 100.0)

    assert not world.witness.broken
    assert not world.journal.unclosed(), "every host is back at work"
