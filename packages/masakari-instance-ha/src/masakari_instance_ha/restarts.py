# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The servers that were started again, in the store."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from instance_ha.restarts import Remedy, Restart
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredRestarts:
    """What was done about servers whose process died; only ever added to."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def add(self, restart: Restart) -> None:
        """Keep one."""
        row = dataclasses.asdict(restart) | {"remedy": restart.remedy.value}
        insert = sa.insert(schema.restarts).values(row)
        self._run(lambda connection: connection.execute(insert))

    def newest(self, *, server: str | None = None, limit: int = 50) -> Sequence[Restart]:
        """Return the newest first, of one server or of all."""
        table = schema.restarts
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        if server is not None:
            query = query.where(table.c.server == server)
        found = self._run(lambda connection: connection.execute(query).mappings().all())
        return [_restart(row) for row in found]


def _restart(row: Mapping[str, Any]) -> Restart:
    values: dict[str, Any] = {f.name: row[f.name] for f in dataclasses.fields(Restart)}
    values["remedy"] = Remedy(values["remedy"])
    return Restart(**values)
