# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The order of a recovery, and Masakari's task flows that keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.model import IncidentState

if TYPE_CHECKING:
    from instance_ha.model import Incident
    from instance_ha.past import Past

ORDER = ("fence", "force-down", "disable", "prepare", "evacuate")
"""Fence first, so that nothing runs twice. Force down before disable: Nova asks the dead host
when a service is disabled that it still believes to be up, which costs 60 s."""

TASKS = {
    "fence": "fence_host_task",
    "force-down": "force_down_host_task",
    "disable": "disable_compute_service_task",
    "prepare": "prepare_instances_task",
    "evacuate": "fenced_evacuate_instances_task",
}
"""Step -> entry point in the group ``masakari.task_flow.tasks``."""


def task_flows() -> dict[str, dict[str, list[str]]]:
    """Return both of Masakari's host flows as phase -> entry points.

    Both have every task: the methods ``auto_priority`` and ``rh_priority`` run the other flow
    when the first one fails, and a flow without fencing would then evacuate unfenced. In the
    reserved-host flow the evacuation belongs to the main phase, which is handed the reserves.
    """
    before = [TASKS[step] for step in ("fence", "force-down", "disable")]
    prepare, evacuate = TASKS["prepare"], TASKS["evacuate"]
    return {
        "auto": {"pre": [*before], "main": [prepare], "post": [evacuate]},
        "rh": {"pre": [*before], "main": [prepare, evacuate], "post": []},
    }


RESTART = "restart_instance_task"
"""Entry point of the task that starts one server again whose process died."""


def instance_flow() -> dict[str, list[str]]:
    """Return Masakari's flow for one server as phase -> entry points."""
    return {"pre": [], "main": [RESTART], "post": []}


def every_task() -> tuple[str, ...]:
    """Return the entry points of all tasks that the flows list."""
    return (*TASKS.values(), RESTART)


def settled(
    newest: Incident | None, *, past: Past, notification: str, generated_at_s: float
) -> str | None:
    """Return why a notification must not be acted upon any more, or None if it may be.

    Masakari's engines may begin with a notification long after its time: one that failed is begun
    anew by every engine that had listed it, and a request that hung in the API is carried out
    once the API goes on. By then the host may be back at work, and fencing it would end what runs
    on it. So it is asked anew before every order.

    Args:
        newest: The newest incident of the host; None if there never was one.
        past: What the timeline of that incident tells now.
        notification: Its UUID.
        generated_at_s: When the notification was made.
    """
    if newest is None:
        return None
    if newest.state is IncidentState.RECOVERED:
        return f"the recovery of incident {newest.id} is over"
    if newest.closed_at_s is not None and newest.closed_at_s >= generated_at_s:
        return f"incident {newest.id} was closed after the notification was made"
    if past.voids(notification):
        return f"incident {newest.id} says that it has long been well again"
    return None
