# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What ``juju status`` and ``juju show-unit`` tell, in the shape that Juju prints as JSON."""

from typing import Any

from .agent import Agent
from .model import JUJU_VERSION, Application, Model, Relation, Status, Unit
from .place import instance_id

SEVERITY = ("error", "blocked", "waiting", "maintenance", "active", "terminated", "unknown")
"""Worst first; an application that says nothing is as bad as its worst unit."""
BASE = {"name": "ubuntu", "channel": "24.04"}


def status(agent: Agent) -> dict[str, Any]:
    """Return the whole model; the caller holds it."""
    model = agent.model
    applications = model.applications.values()
    machines = sorted({u.machine for u in model.units.values() if u.machine is not None})
    return {
        "model": {
            "name": model.name,
            "type": "iaas",
            "controller": "lab",
            "cloud": "lab",
            "version": JUJU_VERSION,
            "model-status": {"current": "available"},
        },
        "machines": {str(number): _machine(agent, number) for number in machines},
        "applications": {app.name: _application(agent, app) for app in applications},
        "controller": {"timestamp": ""},
    }


def _spoken(status: Status) -> dict[str, str]:
    return {"current": status.current, "message": status.message, "since": status.since}


def _machine(agent: Agent, number: int) -> dict[str, Any]:
    units = [u for u in agent.model.units.values() if u.machine == number]
    off = any(agent.is_lost(unit) for unit in units)
    address = next((unit.address for unit in units if unit.address), "")
    return {
        "juju-status": {"current": "down" if off else "started"},
        "machine-status": {"current": "stopped" if off else "running"},
        "hostname": f"h{number + 1}",
        "dns-name": address,
        "ip-addresses": [address] if address else [],
        "instance-id": instance_id(number),
        "base": BASE,
    }


def workload_status(agent: Agent, unit: Unit) -> Status:
    """Return a unit's status as people see it: a failed hook or a lost agent hides the charm's."""
    if agent.is_lost(unit):
        return Status(current="unknown", message="agent lost, see `python -m lab status`")
    if unit.failure:
        return Status(current="error", message=f'hook failed: "{unit.failure.hook}"')
    return unit.status


def _agent_status(agent: Agent, unit: Unit) -> Status:
    if agent.is_lost(unit):
        return Status(current="lost", message="agent is not communicating with the server")
    return unit.agent


def _application(agent: Agent, app: Application) -> dict[str, Any]:
    model = agent.model
    units = model.units_of(app.name)
    shown = app.status
    if shown.current == "unknown" and units:
        each = [workload_status(agent, unit) for unit in units]
        shown = min(each, key=lambda one: _severity(one.current))
    answer: dict[str, Any] = {
        "charm": f"local:{app.charm.name}-{app.charm_revision}",
        "charm-origin": "local",
        "charm-name": app.charm.name,
        "charm-rev": app.charm_revision,
        "base": BASE,
        "exposed": False,
        "life": "dying" if app.dying else "",
        "scale": len(units),
        "application-status": _spoken(shown),
        "version": app.workload_version,
        "relations": _relations(model, app),
    }
    if app.charm.subordinate:
        answer["subordinate-to"] = sorted(
            {other.partition("/")[0] for u in units if (other := u.principal)}
        )
    else:
        answer["units"] = {unit.name: _unit(agent, unit) for unit in units}
    return answer


def _severity(current: str) -> int:
    return SEVERITY.index(current) if current in SEVERITY else len(SEVERITY)


def _relations(model: Model, app: Application) -> dict[str, list[dict[str, str]]]:
    answer: dict[str, list[dict[str, str]]] = {}
    for relation in model.relations_of(app.name):
        entry = {
            "related-application": relation.other(app.name),
            "interface": model.endpoint(relation, app.name).interface,
            "scope": relation.scope,
        }
        answer.setdefault(relation.endpoints[app.name], []).append(entry)
    return answer


def _unit(agent: Agent, unit: Unit) -> dict[str, Any]:
    model = agent.model
    answer: dict[str, Any] = {
        "workload-status": _spoken(workload_status(agent, unit)),
        "juju-status": _spoken(_agent_status(agent, unit)),
        "leader": model.is_leader(unit),
        "open-ports": sorted(unit.ports),
        "address": unit.address,
    }
    if unit.machine is not None:
        answer["machine"] = str(unit.machine)
        answer["public-address"] = unit.address
    below = [other for other in model.units.values() if other.principal == unit.name]
    if below:
        answer["subordinates"] = {other.name: _unit(agent, other) for other in below}
    return answer


def show_unit(agent: Agent, unit: Unit) -> dict[str, Any]:
    """Return one unit with the databags of its relations."""
    model = agent.model
    app = model.applications[unit.app]
    answer: dict[str, Any] = {
        "opened-ports": sorted(unit.ports),
        "charm": f"local:{app.charm.name}-{app.charm_revision}",
        "leader": model.is_leader(unit),
        "workload-version": app.workload_version,
        "address": unit.address,
        "life": "dying" if unit.dying else "alive",
        "relation-info": [
            _relation_info(model, unit, relation)
            for relation in model.relations_of(unit.app)
            if relation.id in unit.told
        ],
    }
    if unit.machine is not None:
        answer |= {"machine": str(unit.machine), "public-address": unit.address}
    return {unit.name: answer}


def _relation_info(model: Model, unit: Unit, relation: Relation) -> dict[str, Any]:
    far = relation.other(unit.app)
    return {
        "relation-id": relation.id,
        "endpoint": relation.endpoints[unit.app],
        "related-endpoint": relation.endpoints[far],
        "application-data": relation.bags.get(far, {}),
        "local-unit": {"in-scope": True, "data": relation.bags.get(unit.name, {})},
        "related-units": {
            name: {"in-scope": True, "data": relation.bags.get(name, {})}
            for name in model.visible(relation, unit)
        },
    }
