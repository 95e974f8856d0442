# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest

from instance_ha.controller import Controller
from instance_ha.errors import (
    CloudUnreachableError,
    NotificationRefusedError,
    NotYetError,
    StoreUnreachableError,
)
from instance_ha.model import IncidentState, Network, NotificationStatus, Reach
from instance_ha.simulation.gossip import SimObserver
from instance_ha.simulation.memory import LeaseRow, MemoryLease
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

HOSTS = tuple(HostPlan(name=f"h{k}", servers=(f"web-{k}",)) for k in (1, 2, 3, 4))


@pytest.fixture
def world() -> SimWorld:
    return SimWorld(WorldPlan(hosts=HOSTS, controllers=()))


@pytest.fixture
def row() -> LeaseRow:
    return LeaseRow()


@pytest.fixture
def controller(world: SimWorld, ordinary, row: LeaseRow) -> Controller:
    return Controller(
        clock=world.clock,
        observer=SimObserver(tuple(world.networks.values())),
        cloud=world.masakari,
        journal=world.journal,
        lease=MemoryLease(row, holder="me", clock=world.clock),
        policy=ordinary.policy,
        actor="controller@me",
    )


@pytest.fixture
def play(world: SimWorld, controller: Controller):
    """Let seconds pass in which the controller ticks."""

    def seconds(number: int) -> None:
        for _ in range(number):
            controller.tick()
            world.advance()
            world.advance()

    return seconds


def said(caplog: pytest.LogCaptureFixture, words: str) -> int:
    return sum(words in record.getMessage() for record in caplog.records)


def kinds(world: SimWorld, host: str) -> list[str]:
    incident = world.journal.unclosed()[host]
    return [event.kind for event in world.journal.events(incident)]


def test_nothing_is_asked_of_masakari_while_all_is_well(world, play):
    world.masakari.reachable = False

    play(20)

    assert not world.journal.incidents()


def test_a_lost_host_is_recovered_and_each_decision_told_once(world, play):
    world.machines["h1"].power_off()

    play(60)

    assert not world.nova.servers_on("h1")
    assert not world.witness.broken
    assert kinds(world, "h1") == [
        "evidence", "evidence", "evidence", "verdict", "notification", "fence", "proof",
        "force-down", "notification", "evacuate", "active", "recovered",
    ]  # fmt: skip


def test_it_runs_until_it_is_told_to_stop_and_gives_up_the_lease(world, controller):
    row = LeaseRow()
    controller_b = MemoryLease(row, holder="other", clock=world.clock)
    seen_s: list[float] = []

    controller.run(lambda: seen_s.append(world.clock.now_s()) or len(seen_s) > 3)

    assert seen_s == [0.0, 1.0, 2.0, 3.0], "one tick a second"
    assert controller_b.take(ttl_s=1.0)


def test_it_stops_though_the_store_is_away(world, controller, monkeypatch):
    def away(self) -> None:
        raise StoreUnreachableError("the database does not answer")

    monkeypatch.setattr(MemoryLease, "give_up", away)

    controller.run(lambda: True)


def test_a_host_that_is_not_enrolled_is_said_once(world, play, caplog):
    world.masakari.remove("h1")
    world.machines["h1"].power_off()

    play(30)

    assert not world.journal.incidents()
    assert said(caplog, "instance-ha host add SEGMENT h1") == 1

    world.machines["h1"].power_on()
    play(30)
    world.machines["h1"].power_off()
    play(30)

    assert said(caplog, "instance-ha host add SEGMENT h1") == 2, "a new loss is said anew"


def test_a_host_that_left_somewhere_and_is_down_elsewhere_is_said_once(
    world, play, caplog, monkeypatch
):
    reach = {Network.MANAGEMENT: Reach.LEFT, Network.TENANT: Reach.UP, Network.STORAGE: Reach.DOWN}
    monkeypatch.setattr(SimObserver, "observe", lambda self: {"h1": reach})

    play(20)

    assert not world.journal.incidents()
    assert (
        said(caplog, "h1: storage down, management left, tenant up: taken for a planned stop") == 1
    )


def test_a_loss_that_calls_for_nothing_is_said_once(world, play, caplog):
    world.machines["h1"].cut(Network.MANAGEMENT)
    play(60)

    assert not world.journal.incidents()
    assert said(caplog, "h1: management down, tenant and storage up: left alone") == 1


@pytest.mark.parametrize("away", ["journal", "masakari"])
def test_what_is_away_is_said_once_and_the_loss_not_forgotten(world, play, caplog, away):
    world.machines["h1"].power_off()
    getattr(world, away).reachable = False
    play(30)

    assert said(caplog, "nothing is decided now") == 1
    assert not world.journal.incidents()

    getattr(world, away).reachable = True
    play(30)

    assert not world.nova.servers_on("h1")


def test_one_host_that_masakari_fails_for_delays_no_other(world, play, caplog, monkeypatch):
    notify = world.masakari.notify

    def fails_for_h1(host: str, *, at_s: float):
        if host == "h1":
            raise CloudUnreachableError("500")
        return notify(host, at_s=at_s)

    monkeypatch.setattr(world.masakari, "notify", fails_for_h1)
    world.machines["h1"].power_off()
    world.machines["h2"].power_off()

    play(90)

    assert world.nova.servers_on("h1")
    assert not world.nova.servers_on("h2")
    assert said(caplog, "h1: its next step waits: 500") == 1


def test_what_keeps_a_host_from_its_return_is_told_once(world, play, monkeypatch):
    def declines(*_args: object, **_kwargs: object) -> None:
        raise NotYetError("masakari works on its segment")

    with monkeypatch.context() as declining:
        declining.setattr(world.masakari, "return_to_service", declines)
        world.machines["h1"].power_off()
        play(60)
        world.machines["h1"].power_on()
        play(200)

    incident = world.journal.unclosed()["h1"]
    told = [e.text for e in world.journal.events(incident) if e.kind == "return"]
    assert told.count("waits: masakari works on its segment") == 1
    assert told[-1] == incident.reason == "waits: masakari works on its segment"
    play(30)
    assert "h1" not in world.journal.unclosed()


def test_a_refusal_is_held_told_once_and_tried_again(world, play, monkeypatch):
    notify = world.masakari.notify

    def refuses(host: str, *, at_s: float):
        raise NotificationRefusedError(host, "not today")

    monkeypatch.setattr(world.masakari, "notify", refuses)
    world.machines["h1"].power_off()
    play(30)

    incident = world.journal.unclosed()["h1"]
    assert incident.state is IncidentState.HELD
    assert incident.reason == "held by masakari: not today; looked at again every tick"
    assert kinds(world, "h1").count("guard") == 1

    monkeypatch.setattr(world.masakari, "notify", notify)
    play(30)

    assert not world.nova.servers_on("h1")


def test_what_was_sent_but_not_written_down_is_sent_no_second_time(world, play, monkeypatch):
    move = world.journal.move
    deaths: list[str] = []

    def dies_once(incident, state, **changes):
        if state is IncidentState.RECOVERING and not deaths:
            deaths.append(incident.host)
            raise StoreUnreachableError("the database went away just then")
        return move(incident, state, **changes)

    monkeypatch.setattr(world.journal, "move", dies_once)
    world.machines["h1"].power_off()

    play(60)

    assert deaths == ["h1"]
    assert len(world.masakari.all_notifications()) == 1
    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED


@pytest.mark.parametrize("kind", ["evidence", "verdict", "before"])
def test_what_a_host_was_before_is_kept_though_the_database_goes_away(
    world, play, monkeypatch, kind
):
    record = world.journal.record
    lost: list[str] = []

    def fails_once(incident, event):
        if event.kind == kind and not lost:
            lost.append(kind)
            raise StoreUnreachableError("the database went away just then")
        record(incident, event)

    monkeypatch.setattr(world.journal, "record", fails_once)
    world.nova.disable("h1", reason="disk swap")
    world.machines["h1"].power_off()
    play(60)
    assert kinds(world, "h1").count("before") == 1

    world.machines["h1"].power_on()
    play(120)

    assert lost
    (incident,) = world.journal.incidents()
    assert incident.state is IncidentState.CLOSED
    assert not world.nova.service("h1").enabled
    assert world.nova.service("h1").disabled_reason == "disk swap"


def test_a_pass_that_outlasts_its_lease_stops(world, play, caplog, monkeypatch):
    hosts = world.masakari.hosts

    def slow():
        world.clock.sleep(15.0)
        return hosts()

    monkeypatch.setattr(world.masakari, "hosts", slow)
    world.machines["h1"].power_off()

    play(12)

    assert not world.journal.incidents()
    assert said(caplog, "longer than its lease")


def test_a_lease_that_ends_while_a_host_is_looked_at_lets_nothing_be_done(
    world, play, row, caplog, monkeypatch
):
    record = world.journal.open

    def slow(*args, **kwargs):
        world.clock.sleep(15.0)
        assert MemoryLease(row, holder="other", clock=world.clock).take(ttl_s=1000.0)
        return record(*args, **kwargs)

    monkeypatch.setattr(world.journal, "open", slow)
    world.machines["h1"].power_off()

    play(12)

    assert "h1" in world.journal.unclosed()
    assert not world.masakari.all_notifications()
    assert said(caplog, "longer than its lease")


def test_one_that_wakes_after_another_one_has_acted_overwrites_nothing(
    world, play, row, caplog, monkeypatch
):
    """It was about to notify as it fell asleep; meanwhile the other one saw it through."""
    notify, journal = world.masakari.notify, world.journal

    def slow(host: str, *, at_s: float):
        monkeypatch.setattr(world.masakari, "notify", notify)
        world.clock.sleep(15.0)
        assert MemoryLease(row, holder="other", clock=world.clock).take(ttl_s=1000.0)
        made = notify(host, at_s=at_s)
        journal.move(
            journal.unclosed()[host], IncidentState.RECOVERED, at_s=at_s, notification=made.uuid
        )
        return notify(host, at_s=at_s)  # is refused

    monkeypatch.setattr(world.masakari, "notify", slow)
    world.machines["h1"].power_off()

    play(12)

    assert journal.unclosed()["h1"].state is IncidentState.RECOVERED
    assert said(caplog, "longer than its lease")


def test_a_host_that_nobody_speaks_of_any_more_is_still_followed(world, play, monkeypatch):
    world.machines["h1"].power_off()
    play(11)
    monkeypatch.setattr(SimObserver, "observe", lambda self: {})

    play(30)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERED


def test_only_one_of_two_acts(world, ordinary, caplog):
    caplog.set_level(logging.INFO)
    world.start_controller("a")
    world.start_controller("b")
    world.machines["h1"].power_off()

    while world.clock.now_s() < 60:
        world.advance()

    assert len(world.masakari.all_notifications()) == 1
    assert said(caplog, "controller@b stands by") == 1
    actors = {event.actor for event in world.journal.events(world.journal.incidents()[0])}
    assert actors == {"controller@a", "engine"}


def test_masakari_is_asked_for_the_servers_only_when_it_is_done(world, play, monkeypatch):
    asked: list[NotificationStatus] = []
    servers_on = world.masakari.servers_on

    def ask(host: str) -> int:
        asked.append(world.masakari.notifications()[host].status)
        return servers_on(host)

    monkeypatch.setattr(world.masakari, "servers_on", ask)
    world.machines["h1"].power_off()

    play(60)

    assert asked == [NotificationStatus.FINISHED]


def test_the_storage_of_a_host_that_somebody_put_back_is_opened(world, play):
    world.machines["h1"].power_off()
    play(60)
    world.storage.refuse("h1")
    world.machines["h1"].power_on()
    play(25)
    assert world.storage.refuses("h1"), "it is not back yet"

    world.nova.bring_back("h1")
    world.masakari.set_maintenance("h1", on=False)
    play(10)

    assert "h1" not in world.journal.unclosed()
    assert not world.storage.refuses("h1")


def test_no_storm_is_noted_where_no_calm_is_asked_for():
    hosts = tuple(HostPlan(name=f"h{k}") for k in (1, 2, 3))
    world = SimWorld(WorldPlan(hosts=hosts, policy={"storm_cooldown_s": 0.0}))
    for name in ("h1", "h2"):
        world.machines[name].power_off()
    while world.clock.now_s() < 30.0:
        world.advance()

    assert {i.state for i in world.journal.incidents()} == {IncidentState.HELD}
    assert not world.journal.rulings().storms
