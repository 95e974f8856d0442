# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The boots that the hosts were last known to run, in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from instance_ha.reboots import Boot
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredBoots:
    """Implements ``ports.BootBook``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def boots(self) -> Mapping[str, Boot]:
        """Return host -> the boot that it was last known to run."""
        query = sa.select(schema.boots)
        rows = self._run(lambda connection: connection.execute(query).mappings().all())
        return {row["host"]: Boot(id=row["boot_id"], since_s=row["since_s"]) for row in rows}

    def note(self, host: str, boot: Boot) -> None:
        """Keep that a host runs *boot*."""
        table = schema.boots
        values = {"host": host, "boot_id": boot.id, "since_s": boot.since_s}

        def replace(connection: sa.Connection) -> None:
            connection.execute(table.delete().where(table.c.host == host))
            connection.execute(table.insert().values(values))

        self._run(replace)

    def was_recovered(self, host: str, *, since_s: float) -> bool:
        """Return whether Masakari was told of a loss of *host* that began since then."""
        table = schema.incidents
        query = (
            sa.select(sa.func.count())
            .select_from(table)
            .where(
                table.c.host == host,
                table.c.opened_at_s >= since_s,
                table.c.notification.is_not(None),
            )
        )
        return bool(self._run(lambda connection: connection.execute(query).scalar()))
