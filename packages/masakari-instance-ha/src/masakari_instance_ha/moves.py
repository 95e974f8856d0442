# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which servers a notification has to move, kept as Masakari's own vmoves.

A server has one vmove per notification: a later try takes it up again, so a failure of an earlier
try does not count against it, and what an engine left unfinished is not forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from masakari.objects import fields
from masakari.objects.vmove import VMove, VMoveList
from oslo_utils import strutils, timeutils

from masakari_instance_ha.evacuation import EndsAs, Move, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from masakari.context import RequestContext
    from oslo_config import cfg

    from instance_ha.model import Incident
    from masakari_instance_ha.nova import Server
    from masakari_instance_ha.store import Store

_SETTLED = frozenset({fields.VMoveStatus.SUCCEEDED, fields.VMoveStatus.IGNORED})
_UNFINISHED = frozenset({fields.VMoveStatus.PENDING, fields.VMoveStatus.ONGOING})


class MoveBook:
    """The vmoves of one notification for one host."""

    def __init__(
        self, context: RequestContext, *, host: str, notification: str, conf: cfg.ConfigOpts
    ) -> None:
        self._context = context
        self._host = host
        self._notification = notification
        self._conf = conf.host_failure
        self._vmoves: dict[str, Any] = {}  # VMove, whose fields are made at run time
        self._ended: dict[str, Move] = {}

    def take_stock(
        self, servers: Iterable[Server], *, store: Store, incident: Incident
    ) -> Sequence[Move]:
        """Return what is still to be moved, servers marked HA_Enabled first.

        Args:
            servers: What Nova places on the host now.
            store: Where it is kept how each server is to end.
            incident: The loss of the host that all of this belongs to.
        """
        found = {server.uuid: server for server in servers}
        first_sight = {uuid: EndsAs.of(server).value for uuid, server in found.items()}
        ends_as = store.ends_as(incident, first_sight)
        wanted = [server for server in found.values() if self._must_move(server, ends_as)]
        self._read()
        for server in sorted(wanted, key=self._is_marked, reverse=True):
            if server.uuid not in self._vmoves:
                self._add(server)
        unfinished = {
            uuid: vmove
            for uuid, vmove in self._vmoves.items()
            if uuid in {server.uuid for server in wanted} or vmove.status not in _SETTLED
        }
        moves = [
            Move(
                server=uuid,
                name=vmove.instance_name,
                ends_as=EndsAs(ends_as.get(uuid, EndsAs.ACTIVE)),
            )
            for uuid, vmove in unfinished.items()
            if uuid not in self._ended
        ]
        for move in moves:
            if self._vmoves[move.server].status not in _UNFINISHED:
                self._save(move.server, status=fields.VMoveStatus.PENDING)
        return moves

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

    def _must_move(self, server: Server, ends_as: Mapping[str, str]) -> bool:
        """Tell whether the operator wants it moved; what it was before the first try counts."""
        was_in_error = ends_as[server.uuid] == EndsAs.ERROR
        if self._conf.ignore_instances_in_error_state and was_in_error:
            return False
        return self._conf.evacuate_all_instances or self._is_marked(server)

    def _is_marked(self, server: Server) -> bool:
        key = self._conf.ha_enabled_instance_metadata_key
        return strutils.bool_from_string(server.metadata.get(key, False))

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
