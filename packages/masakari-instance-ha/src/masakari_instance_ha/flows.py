# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari's host flows: whether what masakari.conf lists would fence before it evacuates.

Masakari drops a task that it cannot load with one line in its log, and goes on without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stevedore import named

from instance_ha import recovery

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

TASKS = "masakari.task_flow.tasks"
PROOF = "fence_proof"
UNFENCED = "evacuate_instances_task"
"""Masakari's own evacuation, which asks for no proof."""

OPTIONS = {
    "auto": "host_auto_failure_recovery_tasks",
    "rh": "host_rh_failure_recovery_tasks",
}
"""Flow -> its option in ``[taskflow_driver_recovery_flows]``."""

REINSTALL = "The plugin is not complete here: juju refresh masakari-k8s"
RENDER = "Let the charm render masakari.conf anew: juju config masakari-k8s"

_ARGUMENTS = {"context": None, "novaclient": None, "update_host_method": None}


def problem(flow: str, phases: Mapping[str, list[str]]) -> str:
    """Return why a flow as it is configured must not run; empty if it may."""
    return listed(flow, phases) or loaded(phases) or demanded()


def listed(flow: str, phases: Mapping[str, list[str]]) -> str:
    """Return what is wrong with the lists; others' tasks may stand between ours."""
    if UNFENCED in _each(phases.values()):
        return f"{OPTIONS[flow]} has {UNFENCED}, which evacuates unfenced. {RENDER}"
    ours = set(recovery.TASKS.values())
    for phase, expected in recovery.task_flows()[flow].items():
        listed = phases.get(phase)
        if listed is None:
            return f"{OPTIONS[flow]} has no phase {phase}. {RENDER}"
        if [task for task in listed if task in ours] != expected:
            wanted = ", ".join(expected) or "none of ours"
            return f"{OPTIONS[flow]} must have in {phase}, in this order: {wanted}. {RENDER}"
    return ""


def loaded(phases: Mapping[str, list[str]]) -> str:
    """Return which listed task does not load, and why."""
    for name in _each(phases.values()):
        if problem := task_problem(name):
            return f"{name}: {problem}"
    return ""


def _each(lists: Iterable[list[str]]) -> list[str]:
    return [name for names in lists for name in names]


def demanded() -> str:
    """Return whether evacuating without fencing is possible, by what the tasks themselves say."""
    fence, _ = load(TASKS, recovery.TASKS["fence"], arguments=_ARGUMENTS)
    evacuate, _ = load(TASKS, recovery.TASKS["evacuate"], arguments=_ARGUMENTS)
    if fence is None or evacuate is None:
        return f"fencing and evacuation do not both load. {REINSTALL}"
    if PROOF not in fence.provides:
        return f"the fence task provides no {PROOF}, so nothing proves a fence. {REINSTALL}"
    if PROOF not in evacuate.requires:
        return f"the evacuation requires no {PROOF}, so it runs unfenced. {REINSTALL}"
    return ""


def task_problem(name: str) -> str:
    """Return why a task cannot be loaded; empty if it can."""
    _, problem = load(TASKS, name, arguments=_ARGUMENTS)
    return problem


def load(group: str, name: str, *, arguments: dict[str, None] | None = None) -> tuple[Any, str]:
    """Load one entry point as Masakari does, and make it if *arguments* are given.

    Returns:
        What was loaded, or None; and why it was not.
    """
    problems: list[str] = []

    def note(_manager: object, _entry_point: object, error: BaseException) -> None:
        problems.append(f"it does not load: {type(error).__name__}: {error}. {REINSTALL}")

    manager = named.NamedExtensionManager(
        group,
        names=[name],
        on_load_failure_callback=note,
        on_missing_entrypoints_callback=None,
        invoke_on_load=arguments is not None,
        invoke_kwds=arguments,
    )
    if manager.extensions:
        return manager.extensions[0].obj or manager.extensions[0].plugin, ""
    missing = f"no package has an entry point of this name in {group}. {REINSTALL}"
    return None, problems[0] if problems else missing
