# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts that come back, and those that enrolment would take or leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.enrolment import Watch, plan
from instance_ha.model import Event
from instance_ha.past import RETURN_ASKED
from instance_ha.survey import Survey
from masakari_instance_ha import assembly, duties
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from instance_ha.enrolment import Plan
    from instance_ha.model import Host, Incident
    from masakari_instance_ha.cli.output import Value

_PLAN = ("host", "segment", "next", "why")


def describe_return(host: Commands) -> None:
    """Describe ``host return`` and ``host plan``."""
    made = host.deed("return", return_host, "let a host that was lost work again")
    made.add_argument("host")
    host.verb("plan", plan_hosts, "show which hypervisors would be enrolled, and which left out")


def return_host(call: Call) -> Record:
    """Ask to have a host back; it returns as soon as it is well and later than its fence.

    Raises:
        InputError: if it has no incident that is not closed.
    """
    name = call.arguments.host
    incident = call.store.unclosed().get(name)
    if incident is None:
        raise InputError(
            f"{name} was not lost, so there is nothing to return from; if it is on maintenance: "
            f"instance-ha host update {name} --no-on-maintenance"
        )
    want_back(call, incident)
    return Record(
        fields={
            "host": name,
            "incident": incident.id,
            "next": "it works again once it has been well for long enough: "
            f"instance-ha incident show --host {name}",
        }
    )


def want_back(call: Call, incident: Incident) -> None:
    """Write down that a person wants the incident's host back at work."""
    event = Event(
        at_s=SystemClock().now_s(),
        actor=call.author,
        kind="return",
        text="wanted back at work",
        detail={RETURN_ASKED: call.author},
    )
    call.store.record(incident, event)


def plan_hosts(call: Call) -> Table:
    """Show what enrolment would do once its waiting times are over; nothing is changed."""
    clock = SystemClock()
    survey = Survey(
        now_s=clock.now_s(),
        verdicts={},
        hosts={host.name: host for host in assembly.cloud(call.conf, clock=clock).hosts()},
        notifications={},
        incidents=call.store.unclosed(),
    )
    hypervisors = duties.fleet(call.conf).hypervisors()
    due = plan(
        hypervisors,
        survey=survey,
        roll=call.store.roll().names(),
        watch=Watch().look(hypervisors, survey.hosts, now_s=float("-inf")),
        policy=duties.enrol_policy(call.conf),
    )
    rows: list[dict[str, Value]] = []
    for name in sorted({*survey.hosts, *(hypervisor.name for hypervisor in hypervisors)}):
        known = survey.hosts.get(name)
        segment = due.add.get(name, known.segment.name if known else "")
        rows.append(
            {
                "host": name,
                "segment": segment,
                "next": _next(name, due=due, known=known),
                "why": due.left.get(name, _standing(known)),
            }
        )
    return Table(columns=_PLAN, rows=rows, empty="nova has no hypervisor")


def _next(name: str, *, due: Plan, known: Host | None) -> str:
    if name in due.add:
        return "is enrolled"
    if name in due.drop:
        return "leaves"
    return "is left out" if known is None else "stays"


def _standing(known: Host | None) -> str:
    if known is None:
        return ""
    return "enrolled by rule" if known.automatic else "enrolled by hand"
