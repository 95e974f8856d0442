# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How a server leaves a fenced host: what it needs next, and how it is to be left."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.order import Place

if TYPE_CHECKING:
    from masakari_instance_ha.records import Evacuation, Server

_EVACUABLE = frozenset({"active", "stopped", "error"})
_REBUILDING = "rebuild"
"""What Nova's task states of an evacuation begin with."""
_POWERED_OFF = 4  # Nova's power_state SHUTDOWN
_DISK_NOT_FOUND = "shared storage"
"""In Nova's words for a disk that the destination does not find."""


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
    RESTORE = enum.auto()
    """It stays, and is called what it was before it was tried."""
    STAYS = enum.auto()


def next_step(
    server: Server,
    *,
    source: str,
    ends_as: EndsAs,
    evacuation: Evacuation | None,
    stays: bool = False,
) -> Step:
    """Decide by what Nova says now.

    Args:
        server: The server.
        source: The fenced host.
        ends_as: How it is to be left.
        evacuation: Nova's newest record of an evacuation of it.
        stays: Whether its disk is known to be out of reach.
    """
    if server.host != source:
        return _step_after_arrival(server, ends_as)
    if evacuation is not None and (evacuation.is_under_way or is_unwinding(server, evacuation)):
        return Step.WAIT
    if stays:
        restored = server.vm_state != "error" or ends_as is EndsAs.ERROR
        return Step.STAYS if restored else Step.RESTORE
    if server.task_state is None and server.vm_state in _EVACUABLE:
        return Step.ORDER
    return Step.RESET_AND_ORDER


def is_unwinding(server: Server, evacuation: Evacuation) -> bool:
    """Return whether Nova still takes back what a failed evacuation did.

    It calls the record failed first, and ends by setting the task state to nothing, whoever has
    set it meanwhile: a newer order would fail by that, its guest running.
    """
    return evacuation.has_failed and (server.task_state or "").startswith(_REBUILDING)


def has_no_disk(server: Server, evacuation: Evacuation | None) -> bool:
    """Return whether the destination of the newest evacuation did not find the server's disk."""
    if evacuation is None or evacuation.is_under_way:
        return False
    return server.task_state is None and _DISK_NOT_FOUND in server.fault


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
    """The server was deleted meanwhile, or its disk is nowhere but on the lost host."""


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
    asks: bool = False
    """Whether Nova looks for its disk before it rebuilds anything."""
    stays: bool = False
    """Nova did not find its disk."""
    place: Place = field(default_factory=Place)
    failed_on: set[str] = field(default_factory=set[str])
    """Hosts that could not take it."""
    began_at_s: float | None = None
    """Since when Nova works on it: its newest order, or when it was first seen under way."""
    hung: int | None = None
    """Number of the evacuation that has hung, and that one more order follows."""
    not_before_s: float = 0.0
    """Earliest time of the next order."""
    waits_on: tuple[int, str] | None = None
    """Number and status of the evacuation that Nova works on."""
    waits_since_s: float = 0.0

    def wait_on(self, evacuation: Evacuation, *, now_s: float) -> None:
        """Note what Nova works on, and since when.

        By its status too: servers are read before the evacuations, so the end of a long rebuild
        may show in its record while the server still seems to be where it was.
        """
        seen = (evacuation.id, evacuation.status)
        if self.waits_on != seen:
            self.waits_on, self.waits_since_s = seen, now_s
