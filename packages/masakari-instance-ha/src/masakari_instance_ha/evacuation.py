# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How a server leaves a fenced host: what it needs next, and how it is to be left."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masakari_instance_ha.nova import Evacuation, Server

_EVACUABLE = frozenset({"active", "stopped", "error"})
_POWERED_OFF = 4  # Nova's power_state SHUTDOWN


class EndsAs(enum.StrEnum):
    """How a server is to be left, in Nova's words; what it was before decides."""

    ACTIVE = "active"
    STOPPED = "stopped"
    ERROR = "error"

    @classmethod
    def of(cls, server: Server) -> EndsAs:
        """Return what the server's state before the first try asks for."""
        if server.vm_state in set(cls):
            return cls(server.vm_state)
        if server.vm_state == "resized" and server.power_state != _POWERED_OFF:
            return cls.ACTIVE
        return cls.STOPPED  # paused, suspended, rescued ...: no such state survives a rebuild


class Step(enum.Enum):
    """What a server needs next."""

    WAIT = enum.auto()
    ORDER = enum.auto()
    RESET_AND_ORDER = enum.auto()
    STOP = enum.auto()
    MARK_ERROR = enum.auto()
    ARRIVED = enum.auto()
    GONE = enum.auto()
    BROKEN = enum.auto()


def next_step(
    server: Server, *, source: str, ends_as: EndsAs, evacuation: Evacuation | None
) -> Step:
    """Decide by what Nova says now; *evacuation* is its newest record for the server."""
    if server.host != source:
        return _step_after_arrival(server, ends_as)
    if evacuation is not None and evacuation.is_under_way:
        return Step.WAIT
    if server.task_state is None and server.vm_state in _EVACUABLE:
        return Step.ORDER
    return Step.RESET_AND_ORDER


def _step_after_arrival(server: Server, ends_as: EndsAs) -> Step:
    if server.task_state is not None or server.host is None:
        return Step.WAIT
    if server.vm_state == ends_as:
        return Step.ARRIVED
    if server.vm_state == "error":
        return Step.BROKEN
    if ends_as is EndsAs.ACTIVE:
        return Step.ARRIVED  # its owner was faster than we, and stopped or paused it
    if server.vm_state == "active":
        return Step.STOP
    return Step.MARK_ERROR if ends_as is EndsAs.ERROR else Step.ARRIVED


class Outcome(enum.Enum):
    """How the move of one server ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    IGNORED = "ignored"
    """The server was deleted meanwhile."""


@dataclass(kw_only=True)
class Move:
    """One server on its way."""

    server: str
    name: str
    ends_as: EndsAs
    outcome: Outcome | None = None
    destination: str | None = None
    problem: str = ""
    """What went wrong last; says why when the move has failed."""
    tries: int = 0
    """Orders that Nova took or refused; one whose answer was lost is not counted."""
    began_at_s: float | None = None
    """When it was first ordered, or first seen under way."""
    not_before_s: float = 0.0
    """Earliest time of the next order."""
    waits_on: int | None = None
    """Number of the evacuation that Nova works on."""
    waits_since_s: float = 0.0
