# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who would go where, were hosts lost now, and who finds no room: pure.

Placement says which hosts could take each server as things are. Each of these answers is right
for one server alone; here the room is spent server by server, in the order of a recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.homecoming import WITH_RESERVES
from instance_ha.order import Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

MEMORY = "MEMORY_MB"
"""Whoever has most of it left is chosen, as Nova's weigher does by default."""

Amounts = dict[str, int]
"""Resource class -> amount."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One way in which a host would take a server."""

    host: str
    takes: Mapping[str, Mapping[str, int]]
    """Resource provider -> resource class -> amount; a host may consist of several."""


@dataclass(frozen=True, kw_only=True)
class Guest:
    """A server that has to leave its host."""

    server: str
    name: str
    source: str
    needs: Mapping[str, int]
    """Resource class -> amount."""
    offers: Sequence[Offer]
    place: Place = field(default_factory=Place)


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where a server would go."""

    guest: Guest
    host: str
    """Empty where it finds no room."""
    why: str = ""
    """Why it finds none."""


def stages(
    method: str, *, others: Collection[str], reserves: Sequence[str]
) -> Sequence[Collection[str]]:
    """Return the hosts that a recovery method tries, one set after the other.

    Args:
        method: Masakari's recovery method of the segment.
        others: Hosts that work, where the scheduler may put servers.
        reserves: The segment's reserved hosts that are ready; each is used by itself.
    """
    one_by_one = [{reserve} for reserve in reserves]
    if method not in WITH_RESERVES:
        return [others]
    return {
        "reserved_host": one_by_one,
        "auto_priority": [others, *one_by_one],
        "rh_priority": [*one_by_one, others],
    }[method]


class Room:
    """What is free, and what is left of it as servers are seated."""

    def __init__(self, free: Mapping[str, Mapping[str, int]]) -> None:
        """Take resource provider -> resource class -> what is free of it."""
        self._free = {provider: Amounts(amounts) for provider, amounts in free.items()}

    def seat(self, guests: Iterable[Guest], *, tried: Sequence[Collection[str]]) -> Sequence[Seat]:
        """Seat servers in the order of a recovery, each in the first stage that has room."""
        return [
            self._seat(guest, tried=tried)
            for guest in sorted(guests, key=lambda guest: (guest.place.rank, guest.name))
        ]

    def _seat(self, guest: Guest, *, tried: Sequence[Collection[str]]) -> Seat:
        able: set[str] = set()
        for hosts in tried:
            offers = [offer for offer in guest.offers if offer.host in hosts]
            able |= {offer.host for offer in offers}
            fitting = [offer for offer in offers if self._fits(offer)]
            if fitting:
                best = max(fitting, key=lambda offer: (self._memory(offer), offer.host))
                self._take(best)
                return Seat(guest=guest, host=best.host)
        if able:
            why = f"{', '.join(sorted(able))} would be full by then"
        elif any(tried):
            why = f"none of the hosts that would take over has {_words(guest.needs)}"
        else:
            why = "no host is left that could take over"
        return Seat(guest=guest, host="", why=why)

    def _fits(self, offer: Offer) -> bool:
        return all(
            self._free.get(provider, {}).get(kind, 0) >= amount
            for provider, amounts in offer.takes.items()
            for kind, amount in amounts.items()
        )

    def _memory(self, offer: Offer) -> int:
        return sum(self._free[provider].get(MEMORY, 0) for provider in offer.takes)

    def _take(self, offer: Offer) -> None:
        for provider, amounts in offer.takes.items():
            for kind, amount in amounts.items():
                self._free[provider][kind] -= amount


def _words(asked: Mapping[str, int]) -> str:
    return ", ".join(f"{amount} {kind}" for kind, amount in sorted(asked.items()))
