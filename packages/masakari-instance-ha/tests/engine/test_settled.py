# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that comes too late fences nobody."""

from __future__ import annotations

import datetime
import time
import uuid

import pytest
from masakari import exception, objects

from instance_ha.errors import FenceError
from instance_ha.model import Event, FenceProof, IncidentState
from instance_ha.past import VOIDED
from masakari_instance_ha import fencing
from masakari_instance_ha.clock import SystemClock

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def notified(engine):
    """The engine, with a notification that Masakari knows, made a minute ago."""
    made = objects.Notification(context=engine.context)
    made.type, made.status = "COMPUTE_HOST", "running"
    made.notification_uuid = engine.notification
    made.source_host_uuid = engine.hosts["h1"].uuid
    made.generated_time = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=1)
    made.payload = {"event": "STOPPED"}
    made.create()
    host = objects.Host.get_by_name(engine.context, "h1")
    host.on_maintenance = True  # as Masakari does before it begins
    host.save()
    yield engine
    if incident := engine.journal.unclosed().get("h1"):
        engine.journal.move(incident, IncidentState.CLOSED, at_s=0.0)


def end_incident(engine, state: IncidentState, *, at_s: float) -> None:
    incident = engine.journal.open("h1", segment="s", at_s=at_s, reason="lost")
    engine.journal.move(incident, state, at_s=at_s)


def on_maintenance(engine) -> bool:
    return objects.Host.get_by_name(engine.context, "h1").on_maintenance


def test_a_host_that_is_back_at_work_is_not_fenced(notified, cloud, power):
    server = cloud.boot(str(uuid.uuid4()))
    end_incident(notified, IncidentState.CLOSED, at_s=time.time())

    with pytest.raises(exception.HostRecoveryFailureException, match="was closed after"):
        notified.recover()

    assert not power.ordered
    assert server.host == "h1"
    assert not on_maintenance(notified), "masakari had set it before the flow began"


def test_a_recovery_that_is_over_is_not_done_again(notified, cloud, power):
    end_incident(notified, IncidentState.RECOVERED, at_s=time.time())

    with pytest.raises(exception.HostRecoveryFailureException, match="is over"):
        notified.recover()

    assert not power.ordered


def test_the_next_loss_is_recovered(notified, cloud, power):
    end_incident(notified, IncidentState.CLOSED, at_s=time.time() - 3600)

    notified.recover()

    assert power.ordered == ["h1"]


def make_void(engine, notification: str | None = None) -> None:
    """Write what a controller writes of a host that has long been well again."""
    incident = engine.journal.open("h1", segment="s", at_s=time.time() - 70, reason="lost")
    detail = {VOIDED: notification or engine.notification}
    event = Event(
        at_s=time.time(), actor="controller@a", kind="notification", text="void", detail=detail
    )
    engine.journal.record(incident, event)


def test_a_host_that_is_well_again_before_an_engine_came_is_not_fenced(notified, cloud, power):
    server = cloud.boot(str(uuid.uuid4()))
    make_void(notified)

    with pytest.raises(exception.HostRecoveryFailureException, match="has long been well again"):
        notified.recover()

    assert not power.ordered
    assert server.host == "h1"
    assert not on_maintenance(notified), "the next loss has to be taken by masakari"


def test_a_host_that_is_well_again_between_two_tries_is_not_fenced(
    notified, power, option, monkeypatch
):
    option("instance_ha_fencing", patience=60.0)
    power.failures = [FenceError("h1", "the BMC is away", hint="Look at it")]
    monkeypatch.setattr(SystemClock, "sleep", lambda *_: make_void(notified))

    with pytest.raises(exception.HostRecoveryFailureException, match="has long been well again"):
        notified.recover()

    assert power.ordered == ["h1"], "the try before"


def test_the_notification_of_a_later_loss_is_not_void(notified, power):
    make_void(notified, str(uuid.uuid4()))

    notified.recover()

    assert power.ordered == ["h1"]


@pytest.mark.usefixtures("real_time")
def test_a_host_that_was_proven_off_meanwhile_is_recovered(notified, cloud, power, monkeypatch):
    """The order was on its way as its notification was made void."""
    server = cloud.boot(str(uuid.uuid4()))
    fence = power.fence

    def late(host: str) -> FenceProof:
        make_void(notified)
        return fence(host)

    monkeypatch.setattr(power, "fence", late)

    notified.recover()

    assert server.host != "h1"
    assert notified.told("proof")


class Slow:
    """Takes its time to reach the power controller, and asks then whether it may order."""

    def __init__(self, engine, before_order) -> None:
        self._engine = engine
        self._before_order = before_order

    def fence(self, host: str) -> FenceProof:
        make_void(self._engine)
        self._before_order()
        return pytest.fail(f"{host} was ordered off")


def test_what_fences_asks_once_more_right_before_its_order(notified, monkeypatch):
    monkeypatch.setattr(
        fencing, "build", lambda *_, before_order, **__: Slow(notified, before_order)
    )

    with pytest.raises(exception.HostRecoveryFailureException, match="has long been well again"):
        notified.recover()
