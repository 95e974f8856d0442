# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hook tools about the unit itself: config, status, ports, state, actions, network."""

import json
import logging

from lab import network
from lab.juju.arguments import Arguments
from lab.juju.context import HookContext
from lab.juju.errors import NotPlayedError, ToolError
from lab.juju.model import Status, Task, Unit

from .catalogue import Tool, as_json, tool
from .relation import find

TOOLS: dict[str, Tool] = {}

charm_log = logging.getLogger("charm")


@tool(TOOLS, "juju-log", values="--log-level -l", switches="--debug")
def juju_log(context: HookContext, arguments: Arguments) -> str:
    """Put a line into the model's log."""
    level = arguments.get("--log-level") or arguments.get("-l", "INFO")
    number = logging.getLevelNamesMapping().get(level.upper(), logging.DEBUG)
    text = " ".join(arguments.words)
    charm_log.log(number, "unit-%s %s: %s", context.unit.name, context.hook, text)
    return ""


@tool(TOOLS, "is-leader")
def is_leader(context: HookContext, arguments: Arguments) -> str:
    """Say whether the unit leads."""
    del arguments
    return as_json(context.leader)


@tool(TOOLS, "config-get", switches="--all -a")
def config_get(context: HookContext, arguments: Arguments) -> str:
    """Read one option, or all that have a value."""
    settings = context.app.settings()
    if arguments.words:
        return as_json(settings.get(arguments.words[0]))
    if arguments.has("--all") or arguments.has("-a"):
        settings = dict.fromkeys(context.app.charm.options) | settings
    return as_json(settings)


@tool(TOOLS, "status-set", values="--application")
def status_set(context: HookContext, arguments: Arguments) -> str:
    """Set the unit's status, or as leader the application's; kept even if the hook fails."""
    status = Status(current=arguments.word("status"), message=" ".join(arguments.words[1:]))
    if not arguments.has("--application"):
        context.unit.status = status
    elif context.leader:
        context.app.status = status
    else:
        raise ToolError("cannot set application status: this unit is not the leader")
    return ""


@tool(TOOLS, "status-get", values="--application", switches="--include-data")
def status_get(context: HookContext, arguments: Arguments) -> str:
    """Read the unit's status, or as leader those of the application and its units."""
    if not arguments.has("--application"):
        return as_json(_spoken(context.unit.status))
    if not context.leader:
        raise ToolError("cannot get application status: this unit is not the leader")
    units = context.model.units_of(context.unit.app)
    return as_json(
        {
            "application-status": _spoken(context.app.status),
            "units": {unit.name: _spoken(unit.status) for unit in units},
        }
    )


def _spoken(status: Status) -> dict[str, object]:
    return {"status": status.current, "message": status.message, "status-data": {}}


@tool(TOOLS, "application-version-set")
def application_version_set(context: HookContext, arguments: Arguments) -> str:
    """Tell the workload's version."""
    context.app.workload_version = arguments.word("version")
    return ""


def _task(context: HookContext) -> Task:
    if context.task is None:
        raise ToolError("not running an action")
    return context.task


@tool(TOOLS, "action-get")
def action_get(context: HookContext, arguments: Arguments) -> str:
    """Read the action's parameters."""
    value: object = _task(context).params
    for key in arguments.words[0].split(".") if arguments.words else ():
        value = value.get(key) if isinstance(value, dict) else None
    return as_json(value)


@tool(TOOLS, "action-set")
def action_set(context: HookContext, arguments: Arguments) -> str:
    """Set results; dots nest."""
    for pair in arguments.words:
        path, _, value = pair.partition("=")
        *parents, leaf = path.split(".")
        at = _task(context).results
        for parent in parents:
            at = at.setdefault(parent, {})
        at[leaf] = value
    return ""


@tool(TOOLS, "action-fail")
def action_fail(context: HookContext, arguments: Arguments) -> str:
    """Mark the action as failed."""
    task = _task(context)
    task.status = "failed"
    task.message = " ".join(arguments.words) or (
        "action failed without reason given, check action for errors"
    )
    return ""


@tool(TOOLS, "action-log")
def action_log(context: HookContext, arguments: Arguments) -> str:
    """Tell the person who runs the action how far it is."""
    _task(context).log.append(" ".join(arguments.words))
    return ""


@tool(
    TOOLS,
    "network-get",
    values="-r --relation",
    switches=("--bind-address --egress-subnets --ingress-address --primary-address"),
)
def network_get(context: HookContext, arguments: Arguments) -> str:
    """Tell the unit's addresses (juju-trace: Shapes; the lab has no service addresses)."""
    if set(arguments.options) - {"-r", "--relation", "--format"}:
        raise NotPlayedError("single attributes of network-get")
    if reference := arguments.get("-r") or arguments.get("--relation"):
        find(context, reference)
    name = arguments.word("binding name")
    charm = context.app.charm
    if name not in charm.endpoints and name not in charm.extra_bindings:
        raise ToolError(f'no network config found for binding "{name}"')
    unit = context.unit
    here, interface = unit.address, f'placeholder for "{unit.name}" k8s pod'
    address = {"hostname": here, "value": here, "cidr": "0.0.0.0/0"}
    if unit.machine is not None:
        interface = network.MANAGEMENT.interface
        if name in context.app.bindings:
            wire = network.network(context.app.bindings[name])
            here, interface = wire.address(11 + unit.machine), wire.interface
        address = {"hostname": "", "value": here, "cidr": f"{here.rpartition('.')[0]}.0/24"}
    device = {"mac-address": "", "interface-name": interface, "addresses": [address]}
    return as_json(
        {
            "bind-addresses": [device],
            "egress-subnets": [f"{here}/32"],
            "ingress-addresses": [here],
        }
    )


@tool(TOOLS, "goal-state")
def goal_state(context: HookContext, arguments: Arguments) -> str:
    """Tell the units and relations that the operator asked for (juju-trace: Shapes)."""
    del arguments
    model, here = context.model, context.unit.app
    relations: dict[str, dict[str, object]] = {}
    for relation in model.relations_of(here):
        if relation.peer:
            continue
        far = relation.other(here)
        joined = {far: {"status": "joined", "since": model.applications[far].status.since}}
        goals = relations.setdefault(relation.endpoints[here], {})
        goals |= joined | {unit.name: _goal(unit) for unit in model.units_of(far)}
    units = {unit.name: _goal(unit) for unit in model.units_of(here)}
    return as_json({"units": units, "relations": relations})


def _goal(unit: Unit) -> dict[str, str]:
    status = "dying" if unit.dying else "active" if unit.started else "waiting"
    return {"status": status, "since": unit.agent.since}


def _port(word: str) -> str:
    return word if "/" in word or word == "icmp" else f"{word}/tcp"


@tool(TOOLS, "open-port")
def open_port(context: HookContext, arguments: Arguments) -> str:
    """Open a port."""
    context.ports.add(_port(arguments.word("port")))
    return ""


@tool(TOOLS, "close-port")
def close_port(context: HookContext, arguments: Arguments) -> str:
    """Close a port."""
    context.ports.discard(_port(arguments.word("port")))
    return ""


@tool(TOOLS, "opened-ports")
def opened_ports(context: HookContext, arguments: Arguments) -> str:
    """List the open ports."""
    del arguments
    return as_json(sorted(context.ports))


@tool(TOOLS, "state-get")
def state_get(context: HookContext, arguments: Arguments) -> str:
    """Read what the charm keeps with the controller."""
    value = context.state.get(arguments.words[0]) if arguments.words else context.state
    return f"{value or ''}\n" if arguments.get("--format") != "json" else as_json(value)


@tool(TOOLS, "state-set", values="--file")
def state_set(context: HookContext, arguments: Arguments) -> str:
    """Keep something with the controller."""
    pairs = dict(word.split("=", 1) for word in arguments.words)
    if arguments.get("--file"):
        pairs |= json.loads(arguments.stdin)
    context.state |= pairs
    return ""


@tool(TOOLS, "state-delete")
def state_delete(context: HookContext, arguments: Arguments) -> str:
    """Forget something kept with the controller."""
    context.state.pop(arguments.word("key"), None)
    return ""


@tool(TOOLS, "resource-get")
def resource_get(context: HookContext, arguments: Arguments) -> str:
    """Answer as for a resource that nobody attached."""
    name = arguments.word("resource name")
    if name in context.app.resources:
        raise NotPlayedError(f"resource-get {name}: only images of containers are played")
    raise ToolError(f"could not download resource: resource#{context.app.name}/{name} not found")


@tool(TOOLS, "credential-get")
def credential_get(context: HookContext, arguments: Arguments) -> str:
    """Answer as for an application that the operator does not trust."""
    del arguments
    if context.app.trust:
        raise NotPlayedError("credential-get of a trusted application")
    raise ToolError("cannot access cloud credentials")
