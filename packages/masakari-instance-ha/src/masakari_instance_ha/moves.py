# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which servers a notification has to move, kept as Masakari's own vmoves.

A server has one vmove per notification: a later try takes it up again, so a failure of an earlier
try does not count against it, and what an engine left unfinished is not forgotten.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from masakari.objects import fields
from masakari.objects.vmove import VMove, VMoveList
from oslo_utils import timeutils

from instance_ha.order import place_of
from masakari_instance_ha.evacuation import EndsAs, Move, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from masakari.context import RequestContext

    from instance_ha.model import Incident
    from instance_ha.selection import Selection
    from masakari_instance_ha.records import Server
    from masakari_instance_ha.store import Store

_SETTLED = frozenset({fields.VMoveStatus.SUCCEEDED, fields.VMoveStatus.IGNORED})
_UNFINISHED = frozenset({fields.VMoveStatus.PENDING, fields.VMoveStatus.ONGOING})


class MoveBook:
    """The vmoves of one notification for one host."""

    def __init__(
        self, context: RequestContext, *, host: str, notification: str, selection: Selection
    ) -> None:
        self._context = context
        self._host = host
        self._notification = notification
        self._selection = selection
        self._vmoves: dict[str, Any] = {}  # VMove, whose fields are made at run time
        self._ended: dict[str, Move] = {}
        self.left: dict[str, list[str]] = {}
        """Why servers stay on the host -> their names, as of the newest look."""

    def take_stock(
        self, servers: Iterable[Server], *, store: Store, incident: Incident
    ) -> Sequence[Move]:
        """Return what is still to be moved, in the order in which it is to go.

        Args:
            servers: What Nova places on the host now.
            store: Where it is kept how each server is to end.
            incident: The loss of the host that all of this belongs to.
        """
        found = {server.uuid: server for server in servers}
        first_sight = {uuid: EndsAs.of(server).value for uuid, server in found.items()}
        ends_as = store.ends_as(incident, first_sight)
        wanted = self._wanted(found, ends_as=ends_as)
        self._read()
        for uuid, server in wanted.items():
            if uuid not in self._vmoves:
                self._add(server)
        moves = [
            self._move(uuid, server=wanted.get(uuid), ends_as=ends_as.get(uuid, EndsAs.ACTIVE))
            for uuid, vmove in self._vmoves.items()
            if uuid not in self._ended and (uuid in wanted or vmove.status not in _SETTLED)
        ]
        for move in moves:
            if self._vmoves[move.server].status not in _UNFINISHED:
                self._save(move.server, status=fields.VMoveStatus.PENDING)
        return sorted(moves, key=lambda move: move.place.rank)

    def ordered(self, move: Move) -> None:
        """Note that Nova took the order."""
        now = timeutils.utcnow()
        self._save(move.server, status=fields.VMoveStatus.ONGOING, start_time=now, message=None)

    def ended(self, move: Move) -> None:
        """Note how a move ended; it is not taken up again by this book."""
        assert move.outcome is not None  # noqa: S101 - what "ended" means
        self._ended[move.server] = move
        self._save(
            move.server,
            status=move.outcome.value,
            dest_host=move.destination,
            end_time=timeutils.utcnow(),
            message=move.problem or None,
        )

    def failed(self) -> Sequence[Move]:
        """Return the moves of this book that failed."""
        return [move for move in self._ended.values() if move.outcome is Outcome.FAILED]

    def arrived_on(self, host: str) -> int:
        """Return how many servers this notification has moved to *host*, by whichever engine."""
        succeeded = fields.VMoveStatus.SUCCEEDED
        return sum(
            vmove.status == succeeded and vmove.dest_host == host
            for vmove in self._vmoves.values()
        )

    def _wanted(
        self, found: Mapping[str, Server], *, ends_as: Mapping[str, str]
    ) -> Mapping[str, Server]:
        """Return who has to move; what a server was before the first try counts."""
        wanted: dict[str, Server] = {}
        self.left = {}
        for uuid, server in found.items():
            facts = dataclasses.replace(server.facts, vm_state=ends_as[uuid])
            if why := self._selection.why_left(facts):
                self.left.setdefault(why, []).append(server.name)
            else:
                wanted[uuid] = server
        return wanted

    def _move(self, uuid: str, *, server: Server | None, ends_as: str) -> Move:
        """Return the move of one server; None of one that has left the host already."""
        move = Move(server=uuid, name=self._vmoves[uuid].instance_name, ends_as=EndsAs(ends_as))
        if server is not None:
            facts = server.facts
            move.asks = self._selection.asks(facts)
            marked = self._selection.is_marked(facts)
            move.place = place_of(facts.metadata, project=facts.project, marked=marked)
        return move

    def _read(self) -> None:
        stored: Any = VMoveList.get_all_vmoves(self._context, self._notification)
        # By number: that is the order in which they were noted, and in which they are moved.
        for vmove in sorted(stored, key=lambda vmove: vmove.id):
            self._vmoves[vmove.instance_uuid] = vmove

    def _add(self, server: Server) -> None:
        vmove: Any = VMove(context=self._context)
        vmove.instance_uuid = server.uuid
        vmove.instance_name = server.name
        vmove.notification_uuid = self._notification
        vmove.source_host = self._host
        vmove.status = fields.VMoveStatus.PENDING
        vmove.type = fields.VMoveType.EVACUATION
        vmove.create()
        self._vmoves[server.uuid] = vmove

    def _save(self, server: str, **values: object) -> None:
        vmove = self._vmoves[server]
        for name, value in values.items():
            setattr(vmove, name, value)
        vmove.save()
