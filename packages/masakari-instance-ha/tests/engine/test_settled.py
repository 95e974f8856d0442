# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""An engine that comes too late fences nobody."""

from __future__ import annotations

import datetime
import time
import uuid

import pytest
from masakari import exception, objects

from instance_ha.model import IncidentState

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
