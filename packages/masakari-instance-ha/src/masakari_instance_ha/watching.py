# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Watch the servers of a host while they move, and ask Nova for little: it has better to do.

Once all of them were seen, one list of evacuations tells which have got on. Only their servers are
read again, and those that may be ordered next.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.nova import NovaRefusedError

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Mapping, Sequence

    from instance_ha.ports import Clock
    from masakari_instance_ha.evacuation import Move
    from masakari_instance_ha.nova import Nova
    from masakari_instance_ha.records import Evacuation, Server

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Figures of one host's recovery."""

    at_once: int
    tries: int
    poll_s: float
    pause_s: float
    """From an order to the next one for the same server; doubled by each try."""
    stagger_s: float = 0.0
    """From an order to the next one for any server."""
    untouched_s: float
    """After which an order that no compute has claimed is given again."""
    deadline_s: float
    """After which a rebuild counts as hung. It is ordered once more, and may take as long again.

    Well above the 300 s that Nova waits for a port of Neutron's.
    """


@dataclass(frozen=True, kw_only=True)
class View:
    """What Nova said in one look."""

    read: Sequence[Move]
    """Whose servers were read."""
    servers: Mapping[str, Server]
    """What was read; a server that is missing was deleted."""
    evacuations: Mapping[str, Evacuation]
    fenced: frozenset[str]
    usable: frozenset[str]
    """Hosts that take servers; read only when one has failed to."""
    resting: int
    """Moves under way whose servers were not read, as nothing says that they have got on."""
    stirred: bool
    """Whether one of those has got on meanwhile: look again at once."""


class Watch:
    """Looks at the moves of one host's servers, and judges how long they have taken."""

    def __init__(self, nova: Nova, *, clock: Clock, source: str, limits: Limits) -> None:
        """Make ready; nothing is asked yet."""
        self._nova = nova
        self._clock = clock
        self._source = source
        self._limits = limits
        self._answered_at_s = clock.now_s()
        self._evacuations: Mapping[str, Evacuation] = {}
        self._followed: set[str] = set()
        """Servers that were busy when they were read last, or that were ordered since."""
        self._ordered: set[str] = set()
        """Those that were ordered since the last look."""
        self._seen_all = False

    def begin(self) -> None:
        """Have patience with Nova anew."""
        self._answered_at_s = self._clock.now_s()

    def ordered(self, move: Move) -> None:
        """Hear that Nova took an order: its record will tell how that goes on."""
        self._ordered.add(move.server)

    def look(
        self,
        moves: Sequence[Move],
        *,
        may_order: Callable[[Move, Sequence[Move]], bool],
        pool: concurrent.futures.Executor,
    ) -> View | None:
        """Ask Nova, or return None if it does not answer.

        Args:
            moves: All that have no outcome.
            may_order: Whether it is a server's turn, while those others have not ended.
            pool: Reads single servers.

        Raises:
            CloudUnreachableError: if it has not answered until the deadline.
            NovaRefusedError: likewise.
        """
        resting = [move for move in moves if self._seen_all and self._rests(move)]
        try:
            if self._seen_all:
                read = self._due(moves, resting=len(resting), may_order=may_order)
            else:
                read = moves
            view = self._ask(read, resting=resting, pool=pool)
        except (CloudUnreachableError, NovaRefusedError) as error:
            logger.warning("%s: %s", self._source, error)
            if self._clock.now_s() - self._answered_at_s >= self._limits.deadline_s:
                raise
            return None
        self._answered_at_s, self._seen_all = self._clock.now_s(), True
        return view

    def _ask(
        self, read: Sequence[Move], *, resting: Sequence[Move], pool: concurrent.futures.Executor
    ) -> View:
        # Servers first: whoever is seen idle, and evacuated afterwards, is followed.
        servers = {} if self._seen_all else {**self._nova.servers_on(self._source)}
        missing = [move.server for move in read if move.server not in servers]
        found = pool.map(self._nova.server, missing)
        servers |= {server.uuid: server for server in found if server is not None}
        self._evacuations = self._nova.evacuations_from(self._source)
        stuck = any(self.waits_long(move) for move in read) or any(
            one.older or (one.traces and not one.is_busy) for one in self._evacuations.values()
        )
        choose = any(move.failed_on or self._has_failed(move) for move in read)
        fenced = self._nova.forced_down_hosts() if stuck else frozenset[str]()
        usable = self._nova.usable_hosts() if choose else frozenset[str]()
        self._follow(read, resting)
        return View(
            read=read,
            servers=servers,
            evacuations=self._evacuations,
            fenced=fenced,
            usable=usable,
            resting=len(resting),
            stirred=not all(self._rests(move) for move in resting),
        )

    def _has_failed(self, move: Move) -> bool:
        newest = self._evacuations.get(move.server)
        return newest is not None and newest.has_failed

    def waits_long(self, move: Move) -> bool:
        """Return whether an evacuation has not got on for longer than an untouched one may."""
        waited_s = self._clock.now_s() - move.waits_since_s
        return move.waits_on is not None and waited_s >= self._limits.untouched_s

    def is_late(self, move: Move) -> bool:
        """Return whether a server should have arrived by now."""
        began_at_s = move.began_at_s
        late_s = self._limits.deadline_s
        return began_at_s is not None and self._clock.now_s() - began_at_s >= late_s

    def _rests(self, move: Move) -> bool:
        """Return whether Nova still works on a server, as far as the evacuations tell.

        After more than one order Nova may work by another evacuation than the newest.
        """
        if move.tries > 1 or self.waits_long(move):
            return False
        if move.server in self._ordered:
            return True
        newest = self._evacuations.get(move.server)
        return move.server in self._followed and newest is not None and newest.is_busy

    def _due(
        self,
        moves: Sequence[Move],
        *,
        resting: int,
        may_order: Callable[[Move, Sequence[Move]], bool],
    ) -> Sequence[Move]:
        """Return whose servers to read: those on their way, and as many as may follow them."""
        begun = [m for m in moves if m.began_at_s is not None and not self._rests(m)]
        others = [
            m for m in moves if m.began_at_s is None or self._rests(m)
        ]  # begun may have ended
        coming = (m for m in others if m.began_at_s is None and may_order(m, others))
        room = self._limits.at_once - resting
        return [*begun, *(move for move, _ in zip(coming, range(room), strict=False))]

    def _follow(self, read: Sequence[Move], resting: Sequence[Move]) -> None:
        self._followed.difference_update(move.server for move in read)
        self._followed |= self._ordered
        self._ordered.clear()
        for move in [*read, *resting]:
            newest = self._evacuations.get(move.server)
            if newest is not None and newest.is_busy:
                self._followed.add(move.server)
                move.wait_on(newest, now_s=self._clock.now_s())
