# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a reserve leaves behind for the return of the host that it took over from."""

from __future__ import annotations

import types
import uuid

import novaclient.exceptions
import pytest
import sqlalchemy as sa
from masakari import exception, objects

from instance_ha import before
from instance_ha.model import Event
from instance_ha.past import recall
from masakari_instance_ha import schema

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]


def past(engine, host="h1"):
    return recall(engine.journal.events(engine.journal.unclosed()[host]))


@pytest.fixture
def hand_over(database):
    """Make a lease another one's, as if its holder had slept past its end."""
    url = sa.create_engine(database)
    handed: list[str] = []

    def write(name: str, **values) -> None:
        with url.begin() as connection:
            connection.execute(
                schema.leases.update().where(schema.leases.c.name == name).values(values)
            )

    def to(name: str, holder: str) -> None:
        handed.append(name)
        write(name, holder=holder, until_s=schema.DatabaseNow() + 60)

    yield to
    for name in handed:
        write(name, until_s=0)
    url.dispose()


def test_a_spent_reserve_is_told_so_that_it_can_be_replaced(engine, cloud) -> None:
    cloud.boot()

    engine.recover("reserved_host")

    assert past(engine).spent_reserve == "h3"


def test_a_reserve_that_was_not_needed_is_not_spent(engine, cloud) -> None:
    engine.recover("reserved_host")

    assert past(engine).spent_reserve == ""


def test_an_aggregate_that_nova_keeps_the_reserve_out_of_stops_no_recovery(
    engine, cloud, option, monkeypatch
) -> None:
    server = cloud.boot()
    option("host_failure", add_reserved_host_to_aggregate=True)
    cloud.aggregates = [
        types.SimpleNamespace(id=1, name="az-2", hosts=["h1"]),
        types.SimpleNamespace(id=2, name="ssd", hosts=["h1"]),
    ]
    add_host = cloud.add_host

    def refuse_the_first(aggregate: int, host: str) -> None:
        if aggregate == 1:
            raise novaclient.exceptions.Conflict(409, "already in availability zone(s) [nova]")
        add_host(aggregate, host)

    monkeypatch.setattr(cloud, "add_host", refuse_the_first)

    engine.recover("reserved_host")

    assert server.host == "h3"
    assert [aggregate.hosts for aggregate in cloud.aggregates] == [["h1"], ["h1", "h3"]]
    told = [e.text for e in engine.journal.events(engine.journal.unclosed()["h1"])]
    assert "h3 stays out of aggregate az-2: already in availability zone(s) [nova]" in told


@pytest.mark.parametrize(
    ("lease", "successor", "words"),
    [
        pytest.param("evacuate:h1", "engine@other", "another engine evacuates h1", id="recovery"),
        pytest.param("reserve:h3", "h9", "takes over from another host", id="reserve"),
    ],
)
def test_an_engine_that_wakes_after_it_was_taken_over_leaves_the_reserve_to_its_successor(
    engine, cloud, hand_over, monkeypatch, lease, successor, words
) -> None:
    server = cloud.boot()
    cloud.no_valid_host[server.id] = 99
    evacuate = cloud.evacuate

    def sleep(uuid: str, **asked) -> None:
        evacuate(uuid, **asked)
        hand_over(lease, successor)

    monkeypatch.setattr(cloud, "evacuate", sleep)

    with pytest.raises(exception.HostRecoveryFailureException, match=words):
        engine.recover("reserved_host")

    assert cloud.hosts["h3"].status == "enabled", "its successor may be about to use it"
    third = engine.journal.lease("reserve:h3", holder="h8")
    assert not third.take(ttl_s=1), "it is kept for the successor"
    engine.journal.lease("reserve:h3", holder="h1").give_up()


@pytest.fixture
def left_open(engine, cloud, monkeypatch):
    """Have an engine die with the reserve enabled and nothing moved; return the server."""
    server = cloud.boot()
    cloud.no_valid_host[server.id] = 99
    disable = cloud.disable

    def dies(service: str, reason: str = "") -> None:
        if service == cloud.hosts["h3"].id:
            raise novaclient.exceptions.ClientException(503, "restarting")
        disable(service, reason)

    with monkeypatch.context() as dying:
        dying.setattr(cloud, "disable", dies)
        with pytest.raises(exception.HostRecoveryFailureException):
            engine.recover("reserved_host")
    assert cloud.hosts["h3"].status == "enabled"
    return server


@pytest.mark.parametrize("deleted", [False, True], ids=["nothing-can-move", "nothing-is-left"])
def test_a_reserve_that_an_engine_left_open_is_closed_by_the_next(
    engine, cloud, left_open, deleted
) -> None:
    if deleted:
        cloud.known.clear()
        engine.recover("reserved_host")
    else:
        with pytest.raises(exception.HostRecoveryFailureException):
            engine.recover("reserved_host")

    assert cloud.hosts["h3"].status == "disabled"
    assert cloud.hosts["h3"].disabled_reason.startswith("instance-ha: reserved host")
    assert engine.is_reserve("h3")
    assert engine.told("reserve") == ["h3 took nothing over, so it stays a reserve"]


def test_or_by_one_that_does_not_need_it(engine, cloud, left_open) -> None:
    cloud.no_valid_host.clear()

    engine.recover("auto_priority")

    assert left_open.host == "h2"
    assert (engine.is_reserve("h3"), cloud.hosts["h3"].status) == (True, "disabled")
    assert engine.told("reserve") == ["h3 took nothing over, so it stays a reserve"]


def test_a_reserve_that_was_left_open_and_is_used_for_another_host_is_settled_there(
    engine, cloud, left_open, hand_over
) -> None:
    cloud.no_valid_host.clear()
    hand_over("reserve:h3", "h7")

    engine.recover("auto_priority")

    assert (left_open.host, cloud.hosts["h3"].status) == ("h2", "enabled")
    assert engine.told("reserve") == []


def test_that_a_reserve_was_disabled_is_told_before_it_is_enabled(
    engine, cloud, monkeypatch
) -> None:
    cloud.boot()
    told: list[str] = []
    enable = cloud.enable

    def look(service: str) -> None:
        told.extend(engine.told("evacuate"))
        enable(service)

    monkeypatch.setattr(cloud, "enable", look)

    engine.recover("reserved_host")

    assert "reserved host h3 takes over" in told


@pytest.mark.parametrize("method", ["reserved_host", "auto"])
def test_a_reserve_that_an_earlier_engine_has_filled_is_spent_whoever_tells(
    engine, cloud, monkeypatch, method
) -> None:
    server = cloud.boot()

    def dies(*_: object) -> None:
        raise exception.MasakariException(message="the engine died here")

    with monkeypatch.context() as dying:
        dying.setattr(objects.Host, "save", dies)
        with pytest.raises(exception.MasakariException):
            engine.recover("reserved_host")
    assert (server.host, past(engine).spent_reserve) == ("h3", "")
    engine.notification = str(uuid.uuid4())

    engine.recover(method)

    assert past(engine).spent_reserve == "h3"
    assert (engine.is_reserve("h3"), cloud.hosts["h3"].status) == (False, "enabled")


def test_a_reserve_that_is_lost_as_it_takes_over_returns_as_no_reserve(engine, cloud) -> None:
    cloud.boot()
    own = engine.journal.open("h3", segment=engine.segment.name, at_s=1.0, reason="lost")
    told = before.tell(None, reserved=True, flow_reason="")
    event = Event(at_s=1.0, actor="me", kind=before.KIND, text=told.text, detail=told.detail)
    engine.journal.record(own, event)
    assert past(engine, "h3").reserved_before

    engine.recover("reserved_host")

    assert not past(engine, "h3").reserved_before
