# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The actions: thin calls of the command ``instance-ha`` beside the controller."""

import json

import ops

from masakari_k8s import plugin, rendering, services, workload
from masakari_k8s.commands import COMMANDS, ParameterError
from masakari_k8s.services import ENGINE, HOSTMONITOR
from masakari_k8s.workload import Box, CommandError


def run(event: ops.ActionEvent, unit: ops.Unit, *, name: str) -> None:
    """Run one action of :data:`COMMANDS`; its result is the command's own JSON."""
    command = COMMANDS[name]
    try:
        words = command.argv(event.params)
    except ParameterError as error:
        event.fail(f"{name}: {error}")
        return
    where = _place(unit)
    if where is None:
        event.fail(f"{name}: nothing is configured yet; juju status says what is missing")
        return
    common = ["--config-file", rendering.INSTANCE_HA_CONF, "--format", "json"]
    try:
        answer = workload.run(
            where,
            [plugin.COMMAND, *common, *words],
            stdin=command.stdin(event.params),
            timeout_s=command.timeout_s,
        )
    except CommandError as error:
        if not error.output:
            event.fail(f"{error}. If that is not about your input, run the check action")
            return
        answer = error.output  # what was asked for was found, and is not well
        event.fail(f"{name}: {error.reason}")
    event.set_results(_results(command.result, answer))


def _place(unit: ops.Unit) -> Box | None:
    """Return where the command finds its configuration: beside the controller if there is one."""
    for name in (HOSTMONITOR, ENGINE):
        where = workload.box(unit.get_container(name))
        if where is not None and workload.read(where, rendering.INSTANCE_HA_CONF) is not None:
            return where
    return None


def _results(key: str, answer: str) -> dict[str, object]:
    """Return the answer as JSON, with what people want to see of it beside."""
    results: dict[str, object] = {key: answer.strip()}
    try:
        found = json.loads(answer)
    except ValueError:
        return results
    match found:
        case [*rows]:
            results["count"] = len(rows)
        case {"timeline": str(timeline)}:
            results["timeline"] = timeline
        case _:
            pass
    return results


def check(event: ops.ActionEvent, unit: ops.Unit) -> None:
    """Prove plugin, configuration, database and credentials in both containers that use them."""
    results: dict[str, str] = {}
    failures: list[str] = []
    for name in (ENGINE, HOSTMONITOR):
        where = workload.box(unit.get_container(name))
        if where is None:
            failures.append(f"{name} does not answer; wait for it in juju status")
            continue
        try:
            command = [plugin.COMMAND, *services.options(name), "check", "--store"]
            results[name] = workload.run(where, command)
        except CommandError as error:
            failures.append(f"{name}: {error}")
    event.set_results(results)
    if failures:
        event.fail("; ".join(failures))
