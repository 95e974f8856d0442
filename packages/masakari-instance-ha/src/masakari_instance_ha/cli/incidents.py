# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Incidents: what was seen, decided and done about a lost host."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from instance_ha import timeline
from instance_ha.model import Approval, Event, IncidentState
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Record, Story, Table, moment
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import FenceProof, Incident
    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("id", "host", "segment", "state", "opened", "closed", "reason")


def describe_incident(incident: Commands) -> None:
    """Describe the verbs of ``incident``."""
    made = incident.verb("list", list_incidents, "list the newest incidents")
    made.add_argument("--host", help="of this host only")
    made.add_argument("--limit", type=int, default=50, help="default: 50")
    made = incident.verb("show", show_incident, "tell one incident: its timeline and its proofs")
    which = made.add_mutually_exclusive_group()
    which.add_argument("id", type=int, nargs="?", help="default: the newest incident of all")
    which.add_argument("--host", help="the newest incident of this host")
    made = incident.deed("approve", approve_incident, "let a held or fenced host's recovery go on")
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("id", type=int, nargs="?")
    which.add_argument("--host", help="the incident of this host")
    made.add_argument("--reason", default="", help="why; kept with the incident")


def list_incidents(call: Call) -> Table:
    """List the newest incidents first."""
    found = call.store.incidents(host=call.arguments.host, limit=call.arguments.limit)
    return Table(
        columns=_COLUMNS, rows=[_fields(incident) for incident in found], empty="no incident"
    )


def show_incident(call: Call) -> Story:
    """Tell one incident, seconds counted from its first event."""
    incident = _find(call)
    events = call.store.events(incident)
    proofs = call.store.proofs(incident)
    start_s = min([incident.opened_at_s, *(event.at_s for event in events)])
    told = timeline.render(incident, events, start_s)
    heading = f"incident {incident.id}  {incident.host}  {incident.state}  {moment(start_s)}"
    return Story(
        told=f"{heading}\n{told}{_proof_lines(proofs)}",
        facts={
            **_fields(incident),
            "notification": incident.notification,
            "timeline": told,
            "events": [
                {**dataclasses.asdict(event), "detail": dict(event.detail)} for event in events
            ],
            "proofs": [dataclasses.asdict(proof) for proof in proofs],
        },
    )


def approve_incident(call: Call) -> Record:
    """Let one incident go on, whatever else is lost, and its evacuation where that waits.

    Raises:
        InputError: if there is no such incident, or it is over.
    """
    incident = _find(call)
    if incident.state in {IncidentState.CLOSED, IncidentState.RECOVERED}:
        raise InputError(
            f"incident {incident.id} is {incident.state}, so nothing of it waits; "
            "see instance-ha incident list"
        )
    approval = Approval(
        incident=incident.id,
        author=call.author,
        reason=call.arguments.reason,
        at_s=SystemClock().now_s(),
    )
    call.store.decisions.approve(approval)
    kept = call.store.decisions.approval(incident.id) or approval
    if kept == approval:
        text = f"approved: {approval.reason}" if approval.reason else "approved"
        event = Event(at_s=approval.at_s, actor=approval.author, kind="approval", text=text)
        call.store.record(incident, event)
    return Record(
        fields={
            "incident": incident.id,
            "host": incident.host,
            "approved_by": kept.author,
            "approved": moment(kept.at_s),
            "next": f"instance-ha incident show {incident.id}",
        }
    )


def _find(call: Call) -> Incident:
    asked = call.arguments
    if asked.id is not None:
        found = call.store.incident(asked.id)
        which = f"incident {asked.id}"
    else:
        newest = call.store.incidents(host=asked.host, limit=1)
        found = newest[0] if newest else None
        which = f"incident of {asked.host}" if asked.host else "incident"
    if found is None:
        raise InputError(f"there is no {which}; see instance-ha incident list")
    return found


def _fields(incident: Incident) -> dict[str, Value]:
    return {
        "id": incident.id,
        "host": incident.host,
        "segment": incident.segment,
        "state": str(incident.state),
        "opened": moment(incident.opened_at_s),
        "closed": moment(incident.closed_at_s),
        "reason": incident.reason,
    }


def _proof_lines(proofs: Sequence[FenceProof]) -> str:
    return "".join(
        f"proof  {proof.host}: {proof.answer}  {proof.method} {proof.target}, "
        f"ordered {moment(proof.ordered_at_s)}, confirmed {moment(proof.confirmed_at_s)}, "
        f"by {proof.by}\n"
        for proof in proofs
    )
