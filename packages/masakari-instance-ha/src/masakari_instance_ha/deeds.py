# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What people changed with the command, and who they were, in the store."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Deed:
    """One command that changed something, or was to."""

    at_s: float
    author: str
    command: str
    """For example ``host remove``."""
    given: Mapping[str, str | int | float | bool]
    """What was typed."""
    outcome: str
    """``done``, or why it was not."""


class StoredDeeds:
    """Every such command; only ever added to."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def add(self, deed: Deed) -> None:
        """Keep one."""
        insert = sa.insert(schema.deeds).values(
            {**dataclasses.asdict(deed), "given": {**deed.given}}
        )
        self._run(lambda connection: connection.execute(insert))

    def newest(self, *, limit: int = 50) -> Sequence[Deed]:
        """Return the newest first."""
        table = schema.deeds
        query = sa.select(table).order_by(table.c.id.desc()).limit(limit)
        found = self._run(lambda connection: connection.execute(query).mappings().all())
        names = [field.name for field in dataclasses.fields(Deed)]
        return [Deed(**{name: row[name] for name in names}) for row in found]
