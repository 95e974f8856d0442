# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One server whose process died, by Masakari's own instance flow."""

from __future__ import annotations

import datetime
import threading
import time
import uuid
from typing import Any

import novaclient.exceptions
import pytest
from masakari import exception, objects
from masakari.objects import fields

from instance_ha import recovery
from instance_ha.restarts import Remedy
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.engine import FencedFlowDriver
from masakari_instance_ha.tasks.work import CONF

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = pytest.mark.filterwarnings("ignore")

ASKS = {"HA_Enabled": "True"}


@pytest.fixture
def cloud(cloud):
    cloud.clock = SystemClock()
    return cloud


@pytest.fixture
def dies(engine, cloud, option):
    """Tell Masakari that a server's process died, and let its flow run."""
    option("instance_ha_restarts", most=2, then="move", deadline=10.0)
    tasks = recovery.instance_flow()
    option("taskflow_driver_recovery_flows", instance_failure_recovery_tasks=tasks)

    def die(server: Any, *, seconds_ago: float = 0.0) -> str:
        notification = objects.Notification(context=engine.context)
        notification.notification_uuid = str(uuid.uuid4())
        notification.source_host_uuid = engine.hosts["h1"].uuid
        notification.type = fields.NotificationType.VM
        notification.status = fields.NotificationStatus.RUNNING
        now = datetime.datetime.now(tz=datetime.UTC)
        notification.generated_time = now - datetime.timedelta(seconds=seconds_ago)
        notification.payload = {"event": "LIFECYCLE", "instance_uuid": server.id}
        notification.create()
        told = notification.notification_uuid
        run(engine, server, told)
        return told

    return die


def run(engine, server: Any, notification: str) -> None:
    """Have Masakari run a notification, or run it again."""
    FencedFlowDriver().execute_instance_failure(engine.context, server.id, notification)


def a_server(cloud, **state: Any) -> Any:
    return cloud.boot(str(uuid.uuid4()), **{"metadata": ASKS, **state})


def done(engine, server) -> list[tuple[Remedy, str]]:
    found = engine.journal.restarts.newest(server=server.id)
    return [(one.remedy, one.outcome) for one in reversed(found)]


@pytest.mark.parametrize("vm_state", ["active", "stopped", "error", "resized"])
def test_a_server_is_started_where_it_was(engine, cloud, dies, vm_state: str) -> None:
    server = a_server(cloud, vm_state=vm_state)

    notification = dies(server)

    assert (server.host, server.vm_state, server.task_state) == ("h1", "active", None)
    assert done(engine, server) == [(Remedy.RESTART, "runs again on h1")]
    assert engine.journal.last_beat_s(notification) is not None


def test_one_that_dies_too_often_is_moved_and_then_stopped(engine, cloud, dies) -> None:
    server = a_server(cloud)

    for _ in range(4):
        time.sleep(1.1)  # Masakari keeps whole seconds of when it died
        dies(server)

    assert [remedy.value for remedy, _ in done(engine, server)] == [
        "restart", "restart", "move", "stop",
    ]  # fmt: skip
    assert (server.host, server.vm_state) == ("h2", "stopped")
    assert "died too often" in done(engine, server)[-1][1]


def test_one_that_cannot_be_moved_runs_on_where_it_was(engine, cloud, option, dies) -> None:
    server = a_server(cloud)
    option("instance_ha_restarts", most=0)
    cloud.no_valid_host[server.id] = 1

    dies(server)

    assert (server.host, server.vm_state) == ("h1", "active")
    assert done(engine, server) == [
        (Remedy.MOVE, "runs again on h1; it could not be moved: No valid host was found.")
    ]


def test_t18_two_crashes_at_once_wedge_nothing(engine, cloud, dies) -> None:
    if CONF.database.connection.startswith("sqlite"):
        pytest.skip("masakari's own tables do not stand two writers in SQLite")
    servers = [a_server(cloud), a_server(cloud)]
    crashes = [
        threading.Thread(target=dies, args=(server,), kwargs={"seconds_ago": 2.0})
        for server in (*servers, *servers)
    ]
    for crash in crashes:
        crash.start()
    for crash in crashes:
        crash.join(timeout=60)

    assert not any(crash.is_alive() for crash in crashes)
    assert [server.vm_state for server in servers] == ["active", "active"]
    assert [len(done(engine, server)) for server in servers] == [1, 1], "one crash, told twice"


def test_a_server_that_never_stops_is_told_and_counted(engine, cloud, dies) -> None:
    server = a_server(cloud)
    cloud.stop = lambda _uuid: None

    with pytest.raises(exception.InstanceRecoveryFailureException, match="event list"):
        dies(server)

    assert [remedy for remedy, _ in done(engine, server)] == [Remedy.RESTART]
    assert done(engine, server)[0][1].startswith("failed: it is active")


@pytest.mark.parametrize("then", ["move", "stop"])
def test_a_failed_notification_is_run_again_and_starts_the_server(
    engine, cloud, option, dies, monkeypatch, then: str
) -> None:
    def refuse(_uuid: str) -> None:
        raise novaclient.exceptions.ClientException(503, "nova is restarted")

    option("instance_ha_restarts", most=1, then=then)
    server = a_server(cloud)
    with monkeypatch.context() as broken:
        broken.setattr(cloud, "start", refuse)
        with pytest.raises(exception.InstanceRecoveryFailureException):
            dies(server, seconds_ago=2.0)
    assert server.vm_state == "stopped"
    (failed,) = engine.journal.restarts.newest(server=server.id)

    run(engine, server, failed.notification)

    assert (server.host, server.vm_state) == ("h1", "active")
    assert [remedy for remedy, _ in done(engine, server)] == [Remedy.RESTART, Remedy.RESTART]
    assert done(engine, server)[-1][1] == "runs again on h1"


def test_a_notification_that_is_run_again_after_it_succeeded_changes_nothing(
    engine, cloud, dies
) -> None:
    server = a_server(cloud)
    notification = dies(server, seconds_ago=2.0)

    run(engine, server, notification)

    assert done(engine, server) == [(Remedy.RESTART, "runs again on h1")]


def test_a_start_that_was_ordered_by_an_earlier_try_is_not_ordered_again(
    engine, cloud, dies, monkeypatch
) -> None:
    class Killed(BaseException): ...

    def order_and_die(uuid: str) -> None:
        cloud.act(uuid, "start")
        raise Killed

    server = a_server(cloud)
    with monkeypatch.context() as deadly:
        deadly.setattr(cloud, "start", order_and_die)
        with pytest.raises(Killed):
            dies(server, seconds_ago=2.0)
    (interrupted,) = engine.journal.restarts.newest(server=server.id)
    server.vm_state = "active"

    for _ in range(2):
        run(engine, server, interrupted.notification)

    assert (cloud.stopped, cloud.started) == ([server.id], [])
    assert [remedy for remedy, _ in done(engine, server)] == [Remedy.RESTART, Remedy.RESTART]
    assert done(engine, server)[-1][1].startswith("runs again on h1, started ")


@pytest.mark.parametrize(
    "busy", [{"vm_state": "stopped"}, {"task_state": "rebooting_hard"}], ids=["down", "busy"]
)
def test_a_start_that_has_come_to_nothing_is_no_recovery(engine, cloud, dies, busy) -> None:
    server = a_server(cloud, **busy)
    cloud.act(server.id, "start")

    dies(server, seconds_ago=2.0)

    assert (cloud.stopped or cloud.started, server.vm_state) == ([server.id], "active")


def test_a_start_before_it_died_is_no_recovery(engine, cloud, dies) -> None:
    server = a_server(cloud)
    cloud.act(server.id, "start")

    dies(server)

    assert (cloud.stopped, cloud.started) == ([server.id], [server.id])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        pytest.param({"metadata": {}}, exception.SkipInstanceRecoveryException, id="did not ask"),
        pytest.param(
            {"vm_state": "paused"}, exception.IgnoreInstanceRecoveryException, id="paused"
        ),
        pytest.param(
            {"vm_state": "rescued"}, exception.IgnoreInstanceRecoveryException, id="rescued"
        ),
    ],
)
def test_some_are_left_alone(engine, cloud, dies, state, expected) -> None:
    server = a_server(cloud, **state)

    with pytest.raises(expected):
        dies(server)

    assert (cloud.stopped, cloud.started, done(engine, server)) == ([], [], [])


def test_one_that_is_deleted_is_ignored(engine, cloud, dies) -> None:
    server = a_server(cloud)
    cloud.known.clear()

    with pytest.raises(exception.IgnoreInstanceRecoveryException):
        dies(server)
