# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is old enough to leave the database: Masakari's rows, its task flows' and ours.

Masakari's own purge leaves the moves and the logbooks of the task flows for ever. What an
unfinished notification or an unclosed incident still needs is never touched, however old.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Callable[[sa.Connection], Any]], Any]

BATCH = 500
"""Rows in one transaction, so that no engine waits for long."""

_notifications = sa.table(
    "notifications",
    sa.column("id"),
    sa.column("notification_uuid"),
    sa.column("status"),
    sa.column("updated_at", sa.DateTime),
    sa.column("created_at", sa.DateTime),
)
_vmoves = sa.table("vmoves", sa.column("notification_uuid"))
_hosts = sa.table("hosts", sa.column("id"), sa.column("deleted_at", sa.DateTime))
_segments = sa.table("failover_segments", sa.column("id"), sa.column("deleted_at", sa.DateTime))
_logbooks = sa.table("logbooks", sa.column("uuid"), sa.column("created_at", sa.DateTime))

_OVER = ("finished", "failed", "ignored")


@dataclass(frozen=True, kw_only=True)
class _Heap:
    """Rows that may go, and what hangs on them."""

    table: sa.TableClause
    key: sa.ColumnElement[Any]
    doomed: sa.ColumnElement[bool]
    hanging: Sequence[tuple[sa.TableClause, sa.ColumnElement[Any]]] = ()
    """Table and the column of it that has the key."""


class Purge:
    """Count what is old, and remove it."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def count(self, *, before_s: float) -> Mapping[str, int]:
        """Return table -> its rows from before that time that nobody needs."""
        return {
            heap.table.name: self._run(
                lambda connection, heap=heap: connection.execute(
                    sa.select(sa.func.count()).select_from(heap.table).where(heap.doomed)
                ).scalar_one()
            )
            for heap in self._heaps(before_s)
        }

    def remove(self, *, before_s: float) -> Mapping[str, int]:
        """Remove them, a batch at a time; return table -> how many went."""
        return {heap.table.name: self._empty(heap) for heap in self._heaps(before_s)}

    def _empty(self, heap: _Heap) -> int:
        removed = 0
        while batch := self._run(lambda connection: _remove_batch(connection, heap)):
            removed += batch
        return removed

    def _heaps(self, before_s: float) -> Sequence[_Heap]:
        present = set(self._run(lambda connection: sa.inspect(connection).get_table_names()))
        heaps = (*_masakaris(before_s), *_ours(before_s))
        return [heap for heap in heaps if heap.table.name in present]


def _remove_batch(connection: sa.Connection, heap: _Heap) -> int:
    query = sa.select(heap.key).where(heap.doomed).limit(BATCH)
    keys = list(connection.scalars(query))
    if not keys:
        return 0
    for table, column in heap.hanging:
        connection.execute(sa.delete(table).where(column.in_(keys)))
    return connection.execute(sa.delete(heap.table).where(heap.key.in_(keys))).rowcount


def _masakaris(before_s: float) -> Sequence[_Heap]:
    before = datetime.datetime.fromtimestamp(before_s, tz=datetime.UTC).replace(tzinfo=None)
    made, changed = _notifications.c.created_at, _notifications.c.updated_at
    return (
        _Heap(
            table=_notifications,
            key=_notifications.c.notification_uuid,
            doomed=sa.and_(
                sa.func.coalesce(changed, made) < before, _notifications.c.status.in_(_OVER)
            ),
            hanging=[(_vmoves, _vmoves.c.notification_uuid)],
        ),
        _Heap(table=_hosts, key=_hosts.c.id, doomed=_hosts.c.deleted_at < before),
        _Heap(table=_segments, key=_segments.c.id, doomed=_segments.c.deleted_at < before),
        # What hangs on a logbook goes with it, by the tables' own foreign keys.
        _Heap(table=_logbooks, key=_logbooks.c.uuid, doomed=_logbooks.c.created_at < before),
    )


def _ours(before_s: float) -> Sequence[_Heap]:
    incidents, pauses = schema.incidents, schema.pauses
    of_incidents = (schema.events, schema.proofs, schema.moves, schema.approvals)
    ended_s = sa.func.coalesce(pauses.c.ended_at_s, pauses.c.until_s)
    aged = (
        _Heap(table=table, key=key, doomed=table.c.at_s < before_s)
        for table, key in (
            (schema.beats, schema.beats.c.notification),
            (schema.restarts, schema.restarts.c.id),
            (schema.deeds, schema.deeds.c.id),
        )
    )
    return (
        _Heap(
            table=incidents,
            key=incidents.c.id,
            doomed=sa.and_(incidents.c.open_host.is_(None), incidents.c.closed_at_s < before_s),
            hanging=[(table, table.c.incident_id) for table in of_incidents],
        ),
        _Heap(table=pauses, key=pauses.c.id, doomed=ended_s < before_s),
        *aged,
    )
