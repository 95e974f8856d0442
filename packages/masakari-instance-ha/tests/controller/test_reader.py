# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import queue
import time

import pytest

from instance_ha.agreement import MemberState
from instance_ha.model import Network
from masakari_instance_ha import consul, reader
from masakari_instance_ha.reader import Pace, Reader

SLOW = Pace(alert_s=0.1, rest_s=600.0, budget_s=10.0, wait_s=5.0)
"""A budget that a loaded machine keeps, so that only what a test does makes for an alert."""
PATIENCE_S = 60.0
QUESTIONS = 3
"""That make one look."""


class Alarm:
    """Stands for Consul's blocking query: each index that is put there answers one call."""

    def __init__(self) -> None:
        self.indexes: queue.Queue[int] = queue.Queue()
        self.asked_from: list[int] = []

    def wait(self, _session, *, address, index: int, wait_s: float) -> int:
        self.asked_from.append(index)
        try:
            found = self.indexes.get(timeout=wait_s)
        except queue.Empty:
            return index
        if found < 0:
            raise consul.ConsulSilentError(f"consul at {address} is silent")
        return found


@pytest.fixture
def alarm(monkeypatch):
    made = Alarm()
    monkeypatch.setattr(consul, "wait", made.wait)
    return made


@pytest.fixture
def read(consul_cluster, monkeypatch):
    """Read the first server, hardly ever while nothing happens; the alert is over soon."""
    monkeypatch.setattr(reader, "ALERT_S", 1.0)
    server = consul_cluster.servers[0]
    made = Reader(consul.parse_address(server.url), network=Network.STORAGE, pace=SLOW)
    yield made
    made.stop()


def state(read: Reader, host: str) -> MemberState | None:
    answer = read.newest()
    return None if answer is None else answer.view.members[host]


def resting(read: Reader, server) -> bool:
    """Tell whether the server is left alone by now."""
    asked = server.asked
    time.sleep(0.5)
    return read.newest() is not None and server.asked == asked


def test_a_server_is_hardly_asked_while_nothing_changes(consul_cluster, alarm, read, eventually):
    eventually(lambda: resting(read, consul_cluster.servers[0]), "rest", within_s=PATIENCE_S)


def test_the_alarm_makes_for_an_early_look(consul_cluster, alarm, read, eventually):
    alarm.indexes.put(7)
    eventually(lambda: resting(read, consul_cluster.servers[0]), "rest", within_s=PATIENCE_S)
    consul_cluster.hosts["h2"] = 4
    assert state(read, "h2") is MemberState.ALIVE, "nobody looked yet"
    asked = consul_cluster.servers[0].asked

    alarm.indexes.put(8)

    eventually(lambda: state(read, "h2") is MemberState.FAILED, "the loss", within_s=PATIENCE_S)
    eventually(
        lambda: consul_cluster.servers[0].asked >= asked + 2 * QUESTIONS,
        "a second look, as something happens",
        within_s=PATIENCE_S,
    )


def test_an_index_that_does_not_move_is_no_alarm(consul_cluster, alarm, read, eventually):
    alarm.indexes.put(7)
    eventually(lambda: resting(read, consul_cluster.servers[0]), "rest", within_s=PATIENCE_S)

    alarm.indexes.put(7)
    eventually(lambda: len(alarm.asked_from) >= 3, "waits again", within_s=PATIENCE_S)

    assert resting(read, consul_cluster.servers[0])


def test_an_index_that_goes_backwards_begins_anew(consul_cluster, alarm, read, eventually):
    for index in (7, 3):
        alarm.indexes.put(index)

    eventually(lambda: len(alarm.asked_from) >= 3, "waits again", within_s=PATIENCE_S)

    assert alarm.asked_from[:3] == [0, 7, 0]


def test_a_server_without_answer_is_waited_for_again(consul_cluster, alarm, read, eventually):
    for index in (7, -1):
        alarm.indexes.put(index)

    eventually(lambda: len(alarm.asked_from) >= 3, "waits again", within_s=PATIENCE_S)

    assert alarm.asked_from[:3] == [0, 7, 0]


def test_a_server_that_is_not_believed_is_asked_often(consul_cluster, alarm, read, eventually):
    server = consul_cluster.servers[0]
    server.leader = False
    eventually(lambda: read.newest() is not None, "an answer", within_s=PATIENCE_S)
    asked = server.asked

    eventually(
        lambda: server.asked >= asked + 20 * QUESTIONS,
        "asked on for longer than any alert lasts",
        within_s=PATIENCE_S,
    )


def test_the_servers_index_is_read(consul_cluster):
    server = consul_cluster.servers[0]
    address = consul.parse_address(server.url)

    with consul.open_session() as session:
        assert consul.wait(session, address=address, index=0, wait_s=0.1) == 13
        server.mood = "failing"
        with pytest.raises(consul.ConsulSilentError, match="answered 500"):
            consul.wait(session, address=address, index=13, wait_s=0.1)
    server.stop()
    with consul.open_session() as session, pytest.raises(consul.ConsulSilentError, match="silent"):
        consul.wait(session, address=address, index=13, wait_s=0.1)
