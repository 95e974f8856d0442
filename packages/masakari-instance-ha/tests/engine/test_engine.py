# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The engine that does not start, nor recover, without our fence; and T12."""

from __future__ import annotations

import pytest
from masakari import exception, objects
from masakari.engine import driver, manager
from masakari.objects import fields

from instance_ha import recovery
from instance_ha.errors import FenceError, PolicyError
from masakari_instance_ha import flows
from masakari_instance_ha.engine import FencedFlowDriver
from masakari_instance_ha.tasks.work import CONF

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]


@pytest.mark.parametrize("flow", ["auto", "rh"])
@pytest.mark.parametrize("task", recovery.TASKS.values())
def test_the_engine_does_not_start_without_one_of_our_tasks(engine, option, flow, task) -> None:
    tasks = recovery.task_flows()[flow]
    for phase in tasks.values():
        if task in phase:
            phase.remove(task)
    option("taskflow_driver_recovery_flows", **{flows.OPTIONS[flow]: tasks})

    with pytest.raises(PolicyError, match=task):
        driver.load_masakari_driver("instance_ha")


def test_the_engine_does_not_start_with_masakaris_own_flows(engine) -> None:
    CONF.clear_override(flows.OPTIONS["auto"], group="taskflow_driver_recovery_flows")

    with pytest.raises(PolicyError, match="evacuates unfenced"):
        driver.load_masakari_driver("instance_ha")


def test_the_engine_does_not_start_with_a_task_that_does_not_load(engine, option) -> None:
    tasks = recovery.task_flows()["auto"]
    tasks["pre"].append("no_such_task")
    option("taskflow_driver_recovery_flows", **{flows.OPTIONS["auto"]: tasks})

    with pytest.raises(PolicyError, match="no_such_task: no package"):
        driver.load_masakari_driver("instance_ha")


def test_a_task_that_is_gone_since_the_start_stops_a_recovery(engine, cloud, monkeypatch) -> None:
    server = cloud.boot()
    made = FencedFlowDriver()
    monkeypatch.setattr(flows, "task_problem", lambda _name: "it is gone")

    with pytest.raises(exception.HostRecoveryFailureException, match="it is gone"):
        made.execute_host_failure(engine.context, "h1", "auto", engine.notification)

    assert (server.host, cloud.orders) == ("h1", [])


def notified(engine) -> objects.Notification:
    """Have Masakari's own manager handle a notification of h1."""
    notification = objects.Notification(context=engine.context)
    notification.notification_uuid = engine.notification
    notification.source_host_uuid = engine.hosts["h1"].uuid
    notification.type = fields.NotificationType.COMPUTE_HOST
    notification.status = fields.NotificationStatus.NEW
    notification.generated_time = "2026-01-01T00:00:00Z"
    notification.payload = {"event": "STOPPED", "host_status": "NORMAL"}
    notification.create()
    masakari = manager.MasakariManager(masakari_driver="instance_ha")
    masakari.process_notification(engine.context, notification=notification)
    return objects.Notification.get_by_uuid(engine.context, engine.notification)


def test_t12_a_host_whose_recovery_failed_is_not_left_on_maintenance(engine, cloud, power) -> None:
    cloud.boot()
    power.failures = [FenceError("h1", "the BMC is away", hint="Look at it")]

    handled = notified(engine)

    assert handled.status == fields.NotificationStatus.ERROR
    assert not objects.Host.get_by_name(engine.context, "h1").on_maintenance


def test_t12_a_recovered_host_stays_on_maintenance_until_it_returns(engine, cloud) -> None:
    server = cloud.boot()

    handled = notified(engine)

    assert (server.host, handled.status) == ("h2", fields.NotificationStatus.FINISHED)
    assert objects.Host.get_by_name(engine.context, "h1").on_maintenance
