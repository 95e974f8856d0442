# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The words of the domain: networks, evidence, verdicts, proofs, incidents.

Times are seconds since the epoch as the :class:`~instance_ha.ports.Clock` port tells them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Network(enum.StrEnum):
    """A network whose loss says something about a host."""

    MANAGEMENT = "management"
    TENANT = "tenant"
    STORAGE = "storage"


class Reach(enum.StrEnum):
    """What the observers of one network say of one host; unknown is never a kind of down."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    """The host's agent said goodbye: a planned stop, never a failure."""
    UNKNOWN = "unknown"


class Action(enum.StrEnum):
    """What the matrix asks for."""

    NONE = "none"
    MIGRATE = "migrate"
    """Move the servers while they run; only a host that has lost nothing but tenant can."""
    RECOVERY = "recovery"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to be done about one host, and why."""

    host: str
    action: Action
    reach: Mapping[Network, Reach]
    reason: str
    """One sentence for people, for example "storage down, management and tenant up"."""
    alive: bool = False
    """Whether the host is certainly not lost; while that is unclear it is neither."""


@dataclass(frozen=True, kw_only=True)
class FenceProof:
    """The power controller's own answer that a host can no longer write.

    Only a fencer makes one, and only from an answer that was asked for after the order was given.
    """

    host: str
    method: str
    """``maas`` for a confirmed power-off, ``none`` for "unfenced by choice"."""
    target: str
    """What was asked about, for example the MAAS system id."""
    answer: str
    """The answer itself, for example ``off``."""
    ordered_at_s: float
    confirmed_at_s: float
    by: str
    """Who ordered it, for example ``masakari-engine@masakari-0``."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A Masakari failover segment."""

    uuid: str
    name: str
    recovery_method: str
    enabled: bool = True


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host as Masakari has it enrolled, with what Nova says of its compute service."""

    name: str
    uuid: str
    segment: Segment
    reserved: bool = False
    on_maintenance: bool = False
    service: ComputeService | None = None
    """None where Nova knows no compute service of that name."""


@dataclass(frozen=True, kw_only=True)
class ComputeService:
    """Nova's view of one nova-compute."""

    up: bool
    enabled: bool
    forced_down: bool


class NotificationStatus(enum.StrEnum):
    """Masakari's own words for how far a notification got."""

    NEW = "new"
    RUNNING = "running"
    ERROR = "error"
    FAILED = "failed"
    IGNORED = "ignored"
    FINISHED = "finished"


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A host notification that Masakari accepted."""

    uuid: str
    host: str
    status: NotificationStatus
    generated_at_s: float
    updated_at_s: float


class IncidentState(enum.StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    """The host is judged lost; nothing irreversible has been asked for yet."""
    HELD = "held"
    """A guard holds it; ``reason`` says which and why."""
    RECOVERING = "recovering"
    """Masakari has the notification."""
    RECOVERED = "recovered"
    """The recovery is over; the host has not come back yet."""
    CLOSED = "closed"
    """The host is back at work, or was never really lost."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of an incident's timeline."""

    at_s: float
    actor: str
    """``controller``, ``engine`` or ``operator``, with ``@unit`` where it is known."""
    kind: str
    """One word: ``evidence``, ``verdict``, ``guard``, ``notification``, ``fence``, ``proof``,
    ``force-down``, ``evacuate``, ``active``, ``recovered``, ``return``, ``closed``."""
    text: str
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Incident:
    """One loss of one host, from the first suspicion to its return."""

    id: int
    host: str
    segment: str
    state: IncidentState
    opened_at_s: float
    closed_at_s: float | None = None
    notification: str | None = None
    """UUID of the newest notification that Masakari accepted for it."""
    reason: str = ""
