# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The names that were enrolled by rule, in the store."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import exc

from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredRoll:
    """Implements ``ports.Roll``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def names(self) -> frozenset[str]:
        """Return every name."""
        query = sa.select(schema.roll.c.name)
        return frozenset(self._run(lambda connection: connection.scalars(query).all()))

    def add(self, name: str) -> None:
        """Add a name; nothing happens if it is there."""
        insert = schema.roll.insert().values(name=name)
        with contextlib.suppress(exc.IntegrityError):
            self._run(lambda connection: connection.execute(insert).rowcount)

    def strike(self, name: str) -> None:
        """Remove a name; nothing happens if it is not there."""
        gone = schema.roll.delete().where(schema.roll.c.name == name)
        self._run(lambda connection: connection.execute(gone).rowcount)
