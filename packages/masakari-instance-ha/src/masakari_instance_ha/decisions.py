# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What people decided, who and why: pauses and approvals, kept for good; storms beside them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from instance_ha.model import Approval, Pause, PauseScope, Rulings
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredDecisions:
    """Pauses and approvals; a pause that was ended stays, as the record of who did it and why."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def rulings(self) -> Rulings:
        """Return what counts now, read at one moment."""
        pauses, approvals = schema.pauses, schema.approvals
        unended = sa.select(pauses).where(pauses.c.ended_at_s.is_(None)).order_by(pauses.c.id)
        unclosed = schema.incidents.c.open_host.is_not(None)
        approved = sa.select(approvals.c.incident_id).join(schema.incidents).where(unclosed)

        def read(connection: sa.Connection) -> Rulings:
            return Rulings(
                pauses=[_pause(row) for row in connection.execute(unended)],
                approved=frozenset(connection.scalars(approved)),
                storms={
                    row.scope: row.at_s for row in connection.execute(sa.select(schema.storms))
                },
            )

        return self._run(read)

    def note_storm(self, scope: str, *, at_s: float) -> None:
        """Keep that *scope* loses too many hosts at once now."""
        table = schema.storms
        known = table.update().where(table.c.scope == scope).values(at_s=at_s)
        if not self._run(lambda connection: connection.execute(known).rowcount):
            first = table.insert().values(scope=scope, at_s=at_s)
            with contextlib.suppress(exc.IntegrityError):  # the same moment is there already
                self._run(lambda connection: connection.execute(first).rowcount)

    def pause(
        self,
        scope: PauseScope,
        *,
        target: str,
        name: str,
        reason: str,
        author: str,
        at_s: float,
        until_s: float | None,
    ) -> Pause:
        """Begin a pause beside those that there are, and return it."""
        values = {
            "scope": scope.value,
            "target": target,
            "name": name,
            "reason": reason,
            "author": author,
            "since_s": at_s,
            "until_s": until_s,
            "ended_by": "",
        }
        table = schema.pauses
        insert = table.insert().values(values)

        def begin(connection: sa.Connection) -> Pause:
            number = connection.execute(insert).lastrowid
            return _pause(connection.execute(sa.select(table).where(table.c.id == number)).one())

        return self._run(begin)

    def resume(self, numbers: Sequence[int], *, at_s: float, author: str) -> None:
        """End pauses; one that somebody ended before stays his."""
        table = schema.pauses
        end = (
            table.update()
            .where(table.c.id.in_(numbers), table.c.ended_at_s.is_(None))
            .values(ended_at_s=at_s, ended_by=author)
        )
        self._run(lambda connection: connection.execute(end).rowcount)

    def pauses(self, *, limit: int = 100) -> Sequence[Pause]:
        """Return the newest pauses first, those over included."""
        query = sa.select(schema.pauses).order_by(schema.pauses.c.id.desc()).limit(limit)
        return self._run(lambda connection: [_pause(row) for row in connection.execute(query)])

    def approve(self, approval: Approval) -> None:
        """Keep that a person lets an incident go on; the first such word stays."""
        values = {
            "incident_id": approval.incident,
            "author": approval.author,
            "reason": approval.reason,
            "at_s": approval.at_s,
        }
        insert = schema.approvals.insert().values(values)
        with contextlib.suppress(exc.IntegrityError):  # it was approved before
            self._run(lambda connection: connection.execute(insert).rowcount)

    def approval(self, incident: int) -> Approval | None:
        """Return who approved an incident, and why; None if nobody did."""
        table = schema.approvals
        query = sa.select(table).where(table.c.incident_id == incident)
        row = self._run(lambda connection: connection.execute(query).first())
        return None if row is None else _approval(row)


def _pause(row: sa.Row[Any]) -> Pause:
    return Pause(
        id=row.id,
        scope=PauseScope(row.scope),
        target=row.target,
        name=row.name,
        reason=row.reason,
        author=row.author,
        since_s=row.since_s,
        until_s=row.until_s,
        ended_at_s=row.ended_at_s,
        ended_by=row.ended_by,
    )


def _approval(row: sa.Row[Any]) -> Approval:
    return Approval(incident=row.incident_id, author=row.author, reason=row.reason, at_s=row.at_s)
