# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Everything outside the rules, as protocols; adapters and the simulation implement them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from instance_ha.model import Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from instance_ha.enrolment import Hypervisor
    from instance_ha.evasion import Movable
    from instance_ha.matrices import Edition
    from instance_ha.model import (
        Event,
        FenceProof,
        Host,
        Incident,
        IncidentState,
        Network,
        Notification,
        NovaHealth,
        Reach,
        Rulings,
    )
    from instance_ha.moving_back import Place
    from instance_ha.names import Finding
    from instance_ha.reboots import Boot
    from instance_ha.survey import Survey


class Clock(Protocol):
    """Time; the only place where it comes from."""

    def now_s(self) -> float:
        """Return seconds since the epoch."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait; a simulated clock moves on by itself."""
        ...


class Observer(Protocol):
    """Who says which host can be reached on which network."""

    def observe(self) -> Mapping[str, Mapping[Network, Reach]]:
        """Return host -> declared network -> reach, already agreed between the servers.

        A host or a network that nobody speaks of is left out, which counts as unknown.
        """
        ...


class KernelDumps(Protocol):
    """Who hears hosts that write a dump of their kernel."""

    def heard(self) -> Mapping[str, float]:
        """Return host -> when its newest message came; never waits."""
        ...


class Proofs(Protocol):
    """Who has hosts powered off before anybody is told of their loss: a Pacemaker ring."""

    def proofs(self) -> Mapping[str, FenceProof]:
        """Return host -> the proof that it is off now; never waits."""
        ...


class Cloud(Protocol):
    """Masakari and Nova. Every method may raise ``CloudUnreachableError``.

    What a method changed is seen by the next call of any other: an answer from before a change
    would be taken for the change undone.
    """

    def hosts(self) -> Sequence[Host]:
        """Return every enrolled host, with its segment and its compute service."""
        ...

    def notifications(self) -> Mapping[str, Notification]:
        """Return the newest COMPUTE_HOST notification of each host that has one."""
        ...

    def health(self) -> NovaHealth:
        """Return whether Nova could move servers now."""
        ...

    def servers_on(self, host: str) -> int:
        """Return how many servers Nova still places on *host* that a recovery would move."""
        ...

    def notify(self, host: str, *, at_s: float) -> Notification:
        """Tell Masakari that *host* is lost; raise ``NotificationRefusedError`` if it declines."""
        ...

    def release_orphan(self, notification: str) -> None:
        """Give a notification that no engine works on any more back to the engines."""
        ...

    def end_maintenance(self, host: Host) -> None:
        """Clear Masakari's on_maintenance flag of *host*; raise ``NotYetError`` if it declines."""
        ...

    def return_to_service(self, host: Host, *, role: Role = Role.WORK, reason: str = "") -> None:
        """Un-force the host's compute service, end its maintenance, make it what *role* says.

        It is enabled for work; else it stays disabled for *reason*, as a reserve where it is one.
        That comes last, so that no host is given servers before it can be notified again.

        Once nova-compute has cleaned up, and before anything else, its storage is opened again.

        Raises:
            NotYetError: while a step has to wait; a part may be done.
        """
        ...

    def open_storage(self, host: str) -> None:
        """Have the storage listen to *host* again; nothing happens where it does."""
        ...


class Journal(Protocol):
    """The incidents. Every method may raise ``StoreUnreachableError``."""

    def unclosed(self) -> Mapping[str, Incident]:
        """Return host -> its incident that is not closed; a host has one at most."""
        ...

    def closed(self, *, since_s: float) -> Mapping[str, Incident]:
        """Return host -> its newest incident, where that is closed and was opened since then."""
        ...

    def open(self, host: str, *, segment: str, at_s: float, reason: str) -> Incident:
        """Return the host's unclosed incident, made now if there was none."""
        ...

    def move(
        self,
        incident: Incident,
        state: IncidentState,
        *,
        at_s: float,
        reason: str = "",
        notification: str | None = None,
    ) -> Incident:
        """Set an incident's state; keep its notification unless a new one is given.

        Raises:
            LeaseOverError: if its state or notification is not what was read any more.
        """
        ...

    def record(self, incident: Incident, event: Event) -> None:
        """Add one line to the incident's timeline."""
        ...

    def events(self, incident: Incident) -> Sequence[Event]:
        """Return the incident's timeline, the oldest line first."""
        ...

    def last_beat_s(self, notification: str) -> float | None:
        """Return when an engine last said that it works on *notification*; None if never."""
        ...

    def rulings(self) -> Rulings:
        """Return what people, and storms, have to say about every incident."""
        ...

    def note_storm(self, scope: str, *, at_s: float) -> None:
        """Keep that *scope* loses too many hosts at once now."""
        ...


class FindingBoard(Protocol):
    """What an operator should know of before a host is lost."""

    def post(self, findings: Sequence[Finding], *, at_s: float) -> None:
        """Put these up in place of all others; may raise ``StoreUnreachableError``."""
        ...

    def found(self) -> Sequence[tuple[Finding, float]]:
        """Return what is up, each with the time since when; may raise the same."""
        ...


class BootBook(Protocol):
    """The boots of the hosts. Every method may raise ``StoreUnreachableError``."""

    def boots(self) -> Mapping[str, Boot]:
        """Return host -> the boot that it was last known to run."""
        ...

    def note(self, host: str, boot: Boot) -> None:
        """Keep that a host runs *boot*."""
        ...

    def was_recovered(self, host: str, *, since_s: float) -> bool:
        """Return whether Masakari was told of a loss of *host* that began since then."""
        ...


class MatrixShelf(Protocol):
    """The matrices that operators set."""

    def newest(self) -> Sequence[Edition]:
        """Return the newest edition of each segment; may raise ``StoreUnreachableError``."""
        ...


class Lease(Protocol):
    """Who among several controllers may act."""

    def take(self, *, ttl_s: float) -> bool:
        """Take or renew the lease; return whether it is ours until *ttl_s* from now."""
        ...

    def give_up(self) -> None:
        """Let others have it at once; nothing happens if it was not ours."""
        ...


class Fleet(Protocol):
    """Nova's hypervisors. Every method may raise ``CloudUnreachableError``."""

    def hypervisors(self) -> Sequence[Hypervisor]:
        """Return every hypervisor that Nova has, whatever its state."""
        ...

    def enrol(self, host: str, *, segment: str) -> None:
        """Make *host* one of the segment's, marked as enrolled by rule; make the segment first."""
        ...

    def dismiss(self, host: Host) -> None:
        """Take a host out of its segment."""
        ...


class Mover(Protocol):
    """Nova's live migration. Every method may raise ``CloudUnreachableError``."""

    def servers(self, host: str) -> Sequence[Movable]:
        """Return the servers that Nova places on *host*, in the order in which they are moved."""
        ...

    def move(self, server: str, *, target: str | None) -> None:
        """Begin to move a running server to *target*, or to where the scheduler likes."""
        ...

    def places(self, servers: Iterable[str]) -> Mapping[str, Place]:
        """Return server -> where it is now; one that was deleted is left out."""
        ...

    def cordon(self, host: str, *, reason: str) -> None:
        """Keep new servers off *host*."""
        ...

    def release(self, host: str) -> None:
        """Let *host* have new servers again."""
        ...


class ServerNotices(Protocol):
    """Masakari's notifications of single servers."""

    def running(self) -> Mapping[str, str]:
        """Return notification -> Masakari's time of its last change, of those in work.

        May raise ``CloudUnreachableError``.
        """
        ...


class Roll(Protocol):
    """The names that were enrolled by rule. Every method may raise ``StoreUnreachableError``.

    It tells what a person took out of a segment from what was never in one.
    """

    def names(self) -> frozenset[str]:
        """Return every name."""
        ...

    def add(self, name: str) -> None:
        """Add a name; nothing happens if it is there."""
        ...

    def strike(self, name: str) -> None:
        """Remove a name; nothing happens if it is not there."""
        ...


class Duty(Protocol):
    """What the controller that acts sees to now and then, beside the recoveries.

    It runs within a pass, so it makes a handful of calls at most and leaves the rest for its next
    turn: while it works, no host is looked at.
    """

    @property
    def name(self) -> str:
        """One word that no other duty has."""
        ...

    @property
    def every_s(self) -> float:
        """How long after one turn the next is due."""
        ...

    def attend(self, survey: Survey) -> None:
        """See to it once; may raise ``CloudUnreachableError`` or ``StoreUnreachableError``.

        *survey* was read in this pass. Nothing needs to be kept between turns: another controller
        may have the next one.
        """
        ...


class Fencer(Protocol):
    """What can prove that a host no longer writes."""

    def fence(self, host: str) -> FenceProof:
        """Order the host off and return the proof, or raise ``FenceError``."""
        ...

    def check(self, host: str) -> str:
        """Return the host's power state as the controller answers now, without any order."""
        ...
