# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What would become of the servers, were hosts lost now: by Nova's and Placement's own answers.

Nothing is changed. What the scheduler's own filters add to Placement's answer, such as server
groups and zones that a server was asked into, is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.order import place_of
from instance_ha.room import MEMORY, Guest, Room, stages
from masakari_instance_ha.connection import calling
from masakari_instance_ha.placement import Placement
from masakari_instance_ha.remaining import Remaining
from masakari_instance_ha.restoring import BINARY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import openstack.connection

    from instance_ha.model import Host
    from instance_ha.room import Seat
    from instance_ha.selection import ServerFacts
    from masakari_instance_ha.remaining import Resident
    from masakari_instance_ha.servers import Rules

MOST_LOST = 3
"""Beyond so many hosts lost at once no spare is counted: the guards hold long before."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """What one lost host would mean."""

    seats: Sequence[Seat]
    """Where each server goes that a recovery moves; some may find no room."""
    left: Sequence[Resident]
    """Servers that a recovery leaves by rule, and why."""

    @property
    def without_room(self) -> Sequence[Seat]:
        """The servers that would stay down."""
        return [seat for seat in self.seats if not seat.host]


class Rehearsal:
    """Reads each host once and plays losses on that."""

    def __init__(
        self,
        connection: openstack.connection.Connection,
        *,
        rules: Rules,
        hosts: Mapping[str, Host],
    ) -> None:
        self._connection = connection
        self._rules = rules
        self._hosts = hosts
        self._placement = Placement(connection)
        self._remaining = Remaining(connection)
        self._residents: dict[str, Sequence[Resident]] = {}
        self._guests: dict[str, Sequence[Guest]] = {}
        self._free: dict[str, Mapping[str, int]] = {}
        self._usable: frozenset[str] | None = None

    def lose(self, lost: Sequence[str]) -> Mapping[str, Loss]:
        """Return host -> what becomes of its servers, were all of *lost* gone at once."""
        guests = {name: self.guests(name) for name in lost}
        room = Room(self._free)
        return {
            name: Loss(
                seats=room.seat(guests[name], tried=self._tried(self._hosts[name], lost=lost)),
                left=[each for each in self.residents(name) if each.why is not None],
            )
            for name in lost
        }

    def spares(self) -> Mapping[str, int]:
        """Return segment -> how many of its hosts may be lost at once, as :meth:`spare` says."""
        segments = {host.segment.name for host in self._hosts.values()}
        return {name: self.spare(name) for name in sorted(segments)}

    def spare(self, segment: str) -> int:
        """Return how many hosts of a segment may be lost at once with room for all servers.

        The fullest ones are tried, so any others would find room too, up to ``MOST_LOST``.
        """
        names = [host.name for host in self._hosts.values() if host.segment.name == segment]
        fullest = sorted(names, key=lambda name: (-self._memory(name), name))
        for count in range(1, min(MOST_LOST, len(fullest)) + 1):
            losses = self.lose(fullest[:count]).values()
            if any(loss.without_room for loss in losses):
                return count - 1
        return min(MOST_LOST, len(fullest))

    def residents(self, host: str) -> Sequence[Resident]:
        """Return every server on a host, with what a recovery does with it."""
        if host not in self._residents:
            selection = self._rules.of(self._hosts[host].segment.name)
            self._residents[host] = self._remaining.residents(host, selection=selection)
        return self._residents[host]

    def guests(self, host: str) -> Sequence[Guest]:
        """Return the servers of a host that a recovery moves, each with who could take it."""
        if host not in self._guests:
            moved = [each for each in self.residents(host) if each.why is None]
            self._guests[host] = [self._guest(each, source=host) for each in moved]
        return self._guests[host]

    def _guest(self, resident: Resident, *, source: str) -> Guest:
        asked = self._placement.held(resident.uuid)
        facts = resident.facts
        found = self._placement.candidates(asked, traits=_traits(facts)) if asked else None
        if found is not None:
            for provider, amounts in found.free.items():
                self._free[provider] = {**self._free.get(provider, {}), **amounts}
        marked = self._rules.of(self._hosts[source].segment.name).is_marked(facts)
        return Guest(
            server=resident.uuid,
            name=resident.name,
            source=source,
            needs=asked,
            offers=found.offers if found is not None else (),
            place=place_of(facts.metadata, project=facts.project, marked=marked),
        )

    def _tried(self, host: Host, *, lost: Sequence[str]) -> Sequence[Collection[str]]:
        reserves = [
            other.name
            for other in self._hosts.values()
            if other.reserved
            and not other.on_maintenance
            and other.segment.uuid == host.segment.uuid
            and other.service is not None
            and other.service.up
            and other.name not in lost
        ]
        others = self._usable_hosts() - set(lost)
        return stages(host.segment.recovery_method, others=others, reserves=reserves)

    def _usable_hosts(self) -> frozenset[str]:
        """Return the hosts that Nova gives servers, enrolled or not."""
        if self._usable is None:
            with calling("list Nova's services"):
                services = list(self._connection.compute.services(binary=BINARY))
            self._usable = frozenset(
                each.host
                for each in services
                if each.state == "up" and each.status == "enabled" and not each.is_forced_down
            )
        return self._usable

    def _memory(self, host: str) -> int:
        return sum(guest.needs.get(MEMORY, 0) for guest in self.guests(host))


def _traits(facts: ServerFacts) -> list[str]:
    """Return the traits that a flavor requires or forbids."""
    signs = {"required": "", "forbidden": "!"}
    return [
        f"{signs[said]}{name.removeprefix('trait:')}"
        for name, said in facts.flavor.items()
        if name.startswith("trait:") and said in signs
    ]
