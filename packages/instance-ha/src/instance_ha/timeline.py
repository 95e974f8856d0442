# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""An incident as people read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import Event, Incident

_KIND_WIDTH = 9


def render(incident: Incident, events: Sequence[Event], start_s: float) -> str:
    """Return the incident's timeline, one event a line, the oldest first.

    Args:
        incident: Whose timeline it is.
        events: Its events, in any order; may be empty.
        start_s: The moment from which the seconds count.
    """
    return "".join(f"{line}\n" for line in lines(incident.host, events, start_s=start_s))


def lines(host: str, events: Sequence[Event], *, start_s: float, width: int = 0) -> list[str]:
    """Return one aligned line for each event of *host*.

    Args:
        host: Whose events they are.
        events: In any order.
        start_s: The moment from which the seconds count.
        width: At least so wide is the column of kinds.
    """
    column = max([_KIND_WIDTH, width, *(len(event.kind) for event in events)])
    return [
        f"{event.at_s - start_s:8.1f} s  {event.kind:<{column}}  {host}: {event.text}"
        for event in sorted(events, key=lambda event: event.at_s)
    ]
