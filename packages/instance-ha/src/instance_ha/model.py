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
    from collections.abc import Collection, Mapping, Sequence


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

    @property
    def well(self) -> bool:
        """Whether every declared network has the host up; what is unknown is not up."""
        return self.alive and all(reach is Reach.UP for reach in self.reach.values())


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
    automatic: bool = False
    """Whether it was enrolled by rule; what a person enrolled is the person's."""
    zone: str = ""
    """Its availability zone in Nova; empty where that is not known."""
    aggregates: tuple[str, ...] = ()
    """The names of its host aggregates in Nova, sorted."""


@dataclass(frozen=True, kw_only=True)
class ComputeService:
    """Nova's view of one nova-compute."""

    up: bool
    enabled: bool
    forced_down: bool
    disabled_reason: str = ""
    """What whoever disabled it gave as the reason; may be empty."""
    updated_at_s: float | None = None
    """When Nova's row of it changed last, by a report of nova-compute or by a call."""


class Role(enum.StrEnum):
    """What a host that comes back is to be."""

    WORK = "work"
    """Given servers again."""
    DISABLED = "disabled"
    """Left disabled, as its operator had it."""
    RESERVE = "reserve"
    """Disabled, until another host is lost."""


@dataclass(frozen=True, kw_only=True)
class NovaHealth:
    """Whether Nova can move servers at all."""

    down: tuple[str, ...] = ()
    """Services of which none is up, for example ``nova-scheduler``."""


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
    ``plan``, ``approval``, ``force-down``, ``evacuate``, ``active``, ``recovered``, ``return``,
    ``closed``."""
    text: str
    detail: Mapping[str, str] = field(default_factory=dict)


class PauseScope(enum.StrEnum):
    """How much a pause stops."""

    CLOUD = "cloud"
    SEGMENT = "segment"
    HOST = "host"


@dataclass(frozen=True, kw_only=True)
class Pause:
    """A person's word that nothing irreversible is to be begun for a while."""

    id: int
    scope: PauseScope
    target: str
    """The segment's UUID or the host's name; empty for the whole cloud."""
    name: str
    """The target as people call it; empty for the whole cloud."""
    reason: str
    author: str
    since_s: float
    until_s: float | None = None
    """When it ends by itself; None: when somebody resumes."""
    ended_at_s: float | None = None
    """When somebody resumed; None if nobody did."""
    ended_by: str = ""

    def covers(self, host: str, *, segment: str, at_s: float) -> bool:
        """Tell whether it stops the host of this name in the segment of this UUID."""
        if self.ended_at_s is not None or (self.until_s is not None and self.until_s <= at_s):
            return False
        return (
            self.target
            == {
                PauseScope.CLOUD: "",
                PauseScope.SEGMENT: segment,
                PauseScope.HOST: host,
            }[self.scope]
        )

    def __str__(self) -> str:
        what = f"{self.scope} {self.name}".rstrip()
        return f"{self.author} paused {what}: {self.reason}"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person's word that one incident is to go on."""

    incident: int
    author: str
    reason: str
    at_s: float


@dataclass(frozen=True, kw_only=True)
class Rulings:
    """What the store keeps of people's words, and of storms."""

    pauses: Sequence[Pause] = ()
    """Those that nobody ended; one may have run out meanwhile."""
    approved: Collection[int] = ()
    """The numbers of unclosed incidents that a person approved."""
    storms: Mapping[str, float] = field(default_factory=dict)
    """Scope, for example ``segment rack-1`` -> when it last lost too many hosts at once."""


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
