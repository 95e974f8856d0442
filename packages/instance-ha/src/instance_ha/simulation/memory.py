# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The store in memory: incidents with their events, the engines' beats, the lease."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from instance_ha.errors import LeaseOverError, StoreUnreachableError
from instance_ha.model import Event, Incident, IncidentState, Pause, Rulings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.model import Approval, PauseScope
    from instance_ha.ports import Clock
    from instance_ha.simulation.witness import Witness


class MemoryJournal:
    """Implements ``ports.Journal``, and what an engine writes beside it."""

    def __init__(self) -> None:
        self.reachable = True
        """Whether the database answers."""
        self._incidents: dict[int, Incident] = {}
        self._events: list[tuple[int, Event]] = []
        self._beats: dict[str, float] = {}
        self._pauses: dict[int, Pause] = {}
        self._approved: set[int] = set()
        self._storms: dict[str, float] = {}

    def unclosed(self) -> Mapping[str, Incident]:
        """Return host -> its incident that is not closed."""
        self._ask()
        return {
            incident.host: incident
            for incident in self._incidents.values()
            if incident.state is not IncidentState.CLOSED
        }

    def open(self, host: str, *, segment: str, at_s: float, reason: str) -> Incident:
        """Return the host's unclosed incident, made now if there was none."""
        if (known := self.unclosed().get(host)) is not None:
            return known
        incident = Incident(
            id=len(self._incidents) + 1,
            host=host,
            segment=segment,
            state=IncidentState.OPEN,
            opened_at_s=at_s,
            reason=reason,
        )
        self._incidents[incident.id] = incident
        return incident

    def move(
        self,
        incident: Incident,
        state: IncidentState,
        *,
        at_s: float,
        reason: str = "",
        notification: str | None = None,
    ) -> Incident:
        """Set an incident's state; keep its notification unless a new one is given."""
        self._ask()
        known = self._incidents[incident.id]
        if (known.state, known.notification) != (incident.state, incident.notification):
            raise LeaseOverError(incident.host)
        moved = dataclasses.replace(
            known,
            state=state,
            reason=reason,
            closed_at_s=at_s if state is IncidentState.CLOSED else None,
            notification=notification or known.notification,
        )
        self._incidents[moved.id] = moved
        return moved

    def record(self, incident: Incident, event: Event) -> None:
        """Add one line to the incident's timeline."""
        self._ask()
        self._events.append((incident.id, event))

    def last_beat_s(self, notification: str) -> float | None:
        """Return when an engine last said that it works on *notification*; None if never."""
        self._ask()
        return self._beats.get(notification)

    def rulings(self) -> Rulings:
        """Return what people, and storms, have to say about every incident."""
        self._ask()
        return Rulings(
            pauses=tuple(p for p in self._pauses.values() if p.ended_at_s is None),
            approved=frozenset(self._approved),
            storms=dict(self._storms),
        )

    def note_storm(self, scope: str, *, at_s: float) -> None:
        """Keep that *scope* loses too many hosts at once now."""
        self._ask()
        self._storms[scope] = at_s

    def pause(self, pause: Pause) -> None:
        """Keep a pause; its number is given here."""
        number = len(self._pauses) + 1
        self._pauses[number] = dataclasses.replace(pause, id=number)

    def resume(self, scope: PauseScope, target: str, *, at_s: float) -> None:
        """End every pause of this scope and target."""
        for pause in tuple(self._pauses.values()):
            if (pause.scope, pause.target, pause.ended_at_s) == (scope, target, None):
                self._pauses[pause.id] = dataclasses.replace(pause, ended_at_s=at_s)

    def approve(self, approval: Approval) -> None:
        """Keep that a person lets an incident go on."""
        self._approved.add(approval.incident)
        event = Event(
            at_s=approval.at_s, actor=approval.author, kind="approval", text=approval.reason
        )
        self._events.append((approval.incident, event))

    def beat(self, notification: str, *, at_s: float) -> None:
        """Say that an engine works on *notification*."""
        self._ask()
        self._beats[notification] = at_s

    def closed(self, *, since_s: float) -> Mapping[str, Incident]:
        """Return host -> its newest incident, where that is closed and was opened since then."""
        self._ask()
        newest = {i.host: i for i in self._incidents.values() if i.opened_at_s >= since_s}
        return {host: i for host, i in newest.items() if i.state is IncidentState.CLOSED}

    def incidents(self) -> Sequence[Incident]:
        """Return every incident, the oldest first."""
        return tuple(self._incidents.values())

    def events(self, incident: Incident) -> Sequence[Event]:
        """Return the incident's events as they were written."""
        return tuple(event for number, event in self._events if number == incident.id)

    def _ask(self) -> None:
        if not self.reachable:
            raise StoreUnreachableError("the database does not answer; check mysql")


class LeaseRow:
    """The one row that some compete for."""

    def __init__(self, *, witness: Witness | None = None) -> None:
        """Make a free one; *witness* sees who gets it."""
        self.witness = witness
        self.holder = ""
        self.until_s = 0.0


class MemoryLease:
    """Implements ``ports.Lease`` over a row that several share."""

    def __init__(self, row: LeaseRow, *, holder: str, clock: Clock) -> None:
        self._row = row
        self._holder = holder
        self._clock = clock

    def take(self, *, ttl_s: float) -> bool:
        """Take or renew the lease; return whether it is ours until *ttl_s* from now."""
        now_s = self._clock.now_s()
        if self._row.holder != self._holder and now_s < self._row.until_s:
            return False
        self._row.holder, self._row.until_s = self._holder, now_s + ttl_s
        if self._row.witness is not None:
            self._row.witness.see_lease(self._holder, until_s=self._row.until_s)
        return True

    def give_up(self) -> None:
        """Let others have it at once; nothing happens if it was not ours."""
        if self._row.holder == self._holder:
            self._row.until_s = self._clock.now_s()
            if self._row.witness is not None:
                self._row.witness.see_lease_ended(self._holder)
