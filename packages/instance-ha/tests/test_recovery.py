# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha import recovery
from instance_ha.model import IncidentState
from instance_ha.past import Past


@pytest.mark.parametrize("flow", ["auto", "rh"])
def test_both_flows_keep_the_order(flow: str):
    phases = recovery.task_flows()[flow]

    tasks = [*phases["pre"], *phases["main"], *phases["post"]]

    assert tasks == [recovery.TASKS[step] for step in recovery.ORDER]
    assert tasks.index("fence_host_task") < tasks.index("fenced_evacuate_instances_task")


def test_reserved_hosts_are_handed_to_the_main_phase():
    assert "fenced_evacuate_instances_task" in recovery.task_flows()["rh"]["main"]


def test_flows_are_fresh_each_time():
    recovery.task_flows()["auto"]["pre"].clear()

    assert recovery.task_flows()["auto"]["pre"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"state": IncidentState.RECOVERING}, None, id="under way"),
        pytest.param({"state": IncidentState.RECOVERED}, "incident 1 is over", id="recovered"),
        pytest.param(
            {"state": IncidentState.CLOSED, "closed_at_s": 1005.0}, "closed after", id="closed"
        ),
        pytest.param(
            {"state": IncidentState.CLOSED, "closed_at_s": 999.0}, None, id="of an earlier loss"
        ),
    ],
)
def test_a_notification_is_settled_once_its_incident_is(ordinary, changes, says):
    newest = ordinary.incident(**changes)

    settled = recovery.settled(newest, past=Past(), notification="n-1", generated_at_s=1000.0)

    assert settled is None if says is None else says in settled


def test_the_first_notification_of_a_host_is_never_settled():
    assert recovery.settled(None, past=Past(), notification="n-1", generated_at_s=1000.0) is None


@pytest.mark.parametrize(
    ("notification", "proven_at_s", "says"),
    [
        pytest.param("n-1", None, "has long been well again", id="void"),
        pytest.param("n-2", None, None, id="another one is"),
        pytest.param("n-1", 990.0, None, id="proven off before"),
        pytest.param("n-1", 1090.0, None, id="proven off after"),
    ],
)
def test_a_void_notification_is_settled_unless_there_is_a_proof(
    ordinary, notification, proven_at_s, says
):
    past = Past(voided=frozenset({"n-1"}), settled_at_s=proven_at_s)

    settled = recovery.settled(
        ordinary.incident(state=IncidentState.RECOVERING),
        past=past,
        notification=notification,
        generated_at_s=1000.0,
    )

    assert settled is None if says is None else says in settled


def test_every_task_of_every_flow_is_named():
    flows = (*recovery.task_flows().values(), recovery.instance_flow())
    listed = {task for flow in flows for phase in flow.values() for task in phase}

    assert listed == set(recovery.every_task())
