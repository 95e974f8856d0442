# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The matrices that operators set, every edition of them, in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from instance_ha.matrices import Edition
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from instance_ha.matrix import Row

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredShelf:
    """Editions, only ever added; implements ``ports.MatrixShelf``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def newest(self) -> Sequence[Edition]:
        """Return the newest edition of each segment."""
        table = schema.matrices
        versions = sa.select(sa.func.max(table.c.version)).group_by(table.c.segment)
        return self._read(sa.select(table).where(table.c.version.in_(versions)))

    def history(self, *, segment: str | None = None, limit: int = 50) -> Sequence[Edition]:
        """Return the newest editions first, of the segment of this UUID or of all."""
        table = schema.matrices
        query = sa.select(table).order_by(table.c.version.desc()).limit(limit)
        return self._read(query if segment is None else query.where(table.c.segment == segment))

    def put(
        self,
        rows: Sequence[Row],
        *,
        segment: str,
        name: str,
        forced: bool,
        at_s: float,
        author: str,
        reason: str,
    ) -> Edition:
        """Add an edition and return it; the caller has checked *rows*, which may be empty."""
        values: dict[str, Any] = {
            "segment": segment,
            "name": name,
            "rows": [dict(row) for row in rows],
            "forced": forced,
            "at_s": at_s,
            "author": author,
            "reason": reason,
        }
        insert = schema.matrices.insert().values(values)
        version = self._run(lambda connection: connection.execute(insert).lastrowid)
        return Edition(version=version, **values)

    def _read(self, query: sa.Select[Any]) -> Sequence[Edition]:
        found = self._run(lambda connection: connection.execute(query).mappings().all())
        return [Edition(**row) for row in found]
