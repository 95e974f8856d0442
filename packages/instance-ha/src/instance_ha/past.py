# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an incident's own timeline tells of it, where its next step depends on that.

The timeline is kept in the store, so this is known to every controller alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from instance_ha.model import Event, Incident

DISABLED_BEFORE = "disabled_before"
"""Detail of an event: why Nova had the host disabled as it was lost."""
RESERVED_BEFORE = "reserved_before"
"""Detail of an event: not empty if the host was a reserve as it was lost."""
RETURN_ASKED = "return_asked"
"""Detail of an event: who wants the host put back to work."""
OPENED_RESERVE = "opened_reserve"
"""Detail of an event: the reserved host that is enabled now, and was disabled before."""
KEPT_RESERVE = "kept_reserve"
"""Detail of an event: the reserved host that was opened in vain, and is disabled again."""
SPENT_RESERVE = "spent_reserve"
"""Detail of an event: the reserved host that took over."""
VOIDED = "voided"
"""Detail of an event: the notification that no engine is to act upon any more."""

REMEMBERED_S = 5.0
"""How late it is noticed at most that a person asked for a host."""

_TOUCHING = frozenset({"proof", "force-down", "evacuate", "active"})
"""Kinds of the engines' events around which they may have written Nova's row of the host."""
_SETTLING = _TOUCHING | {"recovered"}
"""Kinds of the events after which a recovery has done with the host, as far as it got."""


@dataclass(frozen=True, kw_only=True)
class Past:
    """What has happened in one incident so far."""

    settled_at_s: float | None = None
    """When the host was last fenced, or its recovery last got on; None if it never was."""
    touched_at_s: float | None = None
    """The same by an engine's clock, where one told: the controller's may be hours off Nova's."""
    disabled_before: str | None = None
    """Why the host was disabled before it was lost; None if it was not."""
    reserved_before: bool = False
    """Whether it was a reserve, and took over from nobody."""
    return_asked_by: str = ""
    """Who asked to have it back; empty if nobody did since it was last fenced."""
    spent_reserve: str = ""
    """The reserved host that took over its servers; empty if none did."""
    voided: frozenset[str] = frozenset()
    """The notifications that were made void, as the host had long been well again."""

    def voids(self, notification: str | None) -> bool:
        """Tell whether nobody is to act upon *notification* any more.

        A proof wins, whatever came first: an order may have been on its way to the host as its
        notification was made void, and what is off has to be recovered.
        """
        return self.settled_at_s is None and notification in self.voided


class Recollection:
    """Remembers what timelines told, for a moment; forgotten with the process.

    Many hosts may be back and wait at once. A timeline is read again when its incident changed,
    and else after a moment: people write into it as well.
    """

    def __init__(self, read: Callable[[Incident], Iterable[Event]]) -> None:
        """Make one; *read* gives an incident's timeline, the oldest event first."""
        self._read = read
        self._known: dict[str, tuple[Incident, float, Past]] = {}

    def past(self, incident: Incident, *, now_s: float) -> Past:
        """Return what the incident's timeline told at most ``REMEMBERED_S`` ago."""
        known, read_at_s, past = self._known.get(incident.host, (None, 0.0, Past()))
        if known != incident or now_s - read_at_s >= REMEMBERED_S:
            past = recall(self._read(incident))
            self._known[incident.host] = (incident, now_s, past)
        return past


def recall(events: Iterable[Event]) -> Past:
    """Return what the events of one incident tell, the oldest event first."""
    settled_at_s = touched_at_s = None
    disabled_before: str | None = None
    asked = reserved = spent = ""
    voided: set[str] = set()
    for event in events:
        if event.kind in _SETTLING:
            settled_at_s = max(event.at_s, settled_at_s or event.at_s)
        if event.kind in _TOUCHING:
            touched_at_s = max(event.at_s, touched_at_s or event.at_s)
        if event.kind == "proof":
            asked = ""
        disabled_before = event.detail.get(DISABLED_BEFORE, disabled_before)
        reserved = event.detail.get(RESERVED_BEFORE, reserved)
        asked = event.detail.get(RETURN_ASKED, asked)
        spent = event.detail.get(SPENT_RESERVE, spent)
        if VOIDED in event.detail:
            voided.add(event.detail[VOIDED])
    return Past(
        settled_at_s=settled_at_s,
        touched_at_s=settled_at_s if touched_at_s is None else touched_at_s,
        disabled_before=disabled_before,
        reserved_before=bool(reserved),
        return_asked_by=asked,
        spent_reserve=spent,
        voided=frozenset(voided),
    )


def opened_reserves(events: Iterable[Event]) -> frozenset[str]:
    """Return the reserves that engines opened, and of which none has told the end since.

    An engine may die in between, so the next one has to know that they were disabled before.
    """
    opened: set[str] = set()
    for event in events:
        if OPENED_RESERVE in event.detail:
            opened.add(event.detail[OPENED_RESERVE])
        opened -= {event.detail.get(KEPT_RESERVE), event.detail.get(SPENT_RESERVE)}
    return frozenset(opened)
