# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which servers go back to the host that an incident took them from: pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from instance_ha.model import Event

SERVER = "server"
DESTINATION = "destination"
"""Details of an ``active`` event: the server's UUID, and the host that it was put on."""


TRIES = 2
"""Moves of one server, the first that Nova gives up included.

Where disks are in Ceph, Nova leaves the directory of an evacuated server on its old host, gives
the first move back up because of it (``DestinationDiskExists``), and removes it in doing so. Seen
with Nova 34; the second move succeeds.
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server is now."""

    server: str
    name: str
    host: str
    idle: bool
    """Whether it runs and nothing is done with it, so that it can be moved alive."""


@dataclass(frozen=True, kw_only=True)
class Return:
    """What is to be moved back, and what is left where it is."""

    go: Sequence[Place]
    stay: Mapping[str, str]
    """Server, by its name where it has one -> why it stays."""


def taken(events: Iterable[Event]) -> Mapping[str, str]:
    """Return server -> the host that the incident put it on last."""
    return {
        event.detail[SERVER]: event.detail[DESTINATION]
        for event in events
        if event.kind == "active" and event.detail.keys() >= {SERVER, DESTINATION}
    }


def came_of(place: Place | None, *, to: str) -> str | None:
    """Return what came of a server's move; None while it goes on.

    Args:
        place: Where it is now; None if it was deleted.
        to: The host that it was to go to.
    """
    if place is None:
        return "was deleted meanwhile"
    if not place.idle:
        return None
    return "moved" if place.host == to else f"stays on {place.host}: nova gave the move up"


def is_given_up(place: Place | None, *, to: str) -> bool:
    """Return whether Nova gave a server's move up, so that it runs on where it was."""
    return place is not None and place.idle and place.host != to


def choose(taken_to: Mapping[str, str], places: Mapping[str, Place]) -> Return:
    """Return who goes back: only servers that are still where the incident put them.

    Args:
        taken_to: Server -> the host that it was put on.
        places: Server -> where it is now; one that is left out was deleted.
    """
    go: list[Place] = []
    stay: dict[str, str] = {}
    for server, put_on in taken_to.items():
        place = places.get(server)
        if place is None:
            stay[server] = "it was deleted"
        elif place.host != put_on:
            stay[place.name] = f"it was put on {put_on} and is on {place.host}: somebody moved it"
        elif not place.idle:
            stay[place.name] = "it does not run, or something is being done with it"
        else:
            go.append(place)
    return Return(go=sorted(go, key=lambda place: (place.name, place.server)), stay=stay)
