# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha import recovery


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
