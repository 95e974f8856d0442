# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator should know of before a host is lost, in the store."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from instance_ha.names import Finding
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Run = Callable[[Callable[[sa.Connection], Any]], Any]


class StoredBoard:
    """Implements ``ports.FindingBoard``."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def post(self, findings: Sequence[Finding], *, at_s: float) -> None:
        """Put these up in place of all others; what was up before keeps its time."""
        table = schema.findings

        def replace(connection: sa.Connection) -> None:
            since = {
                (row.kind, row.about): row.since_s for row in connection.execute(sa.select(table))
            }
            connection.execute(table.delete())
            for finding in findings:
                since_s = since.get((finding.kind, finding.about), at_s)
                row = dataclasses.asdict(finding) | {"since_s": since_s}
                connection.execute(table.insert().values(row))

        self._run(replace)

    def found(self) -> Sequence[tuple[Finding, float]]:
        """Return what is up, each with the time since when it is, by the hosts' names."""
        table = schema.findings
        query = sa.select(table).order_by(table.c.about, table.c.kind)
        rows = self._run(lambda connection: connection.execute(query).mappings().all())
        return [
            (Finding(**{k: v for k, v in row.items() if k != "since_s"}), row["since_s"])
            for row in rows
        ]
