# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Note which servers have to move."""

from __future__ import annotations

from typing import Any

from masakari_instance_ha.moves import MoveBook
from masakari_instance_ha.tasks.lone import alone
from masakari_instance_ha.tasks.permission import tell_plan
from masakari_instance_ha.tasks.work import RecoveryTask, proven


class PrepareInstancesTask(RecoveryTask):
    """Make a vmove of each server that has to leave the fenced host.

    It takes up what an earlier engine left unfinished. A host without servers is no reason to
    skip anything: the evacuation then finds nothing to do, and the recovery is finished.
    """

    def execute(self, host_name: str, notification_uuid: str, fence_proof: dict[str, Any]) -> None:
        """Return once every vmove is stored."""
        with self.working(host_name, notification=notification_uuid) as work:
            proven(fence_proof, host=host_name)
            book = MoveBook(
                self.context,
                host=host_name,
                notification=notification_uuid,
                selection=work.selection,
            )
            with alone(work):
                moves = book.take_stock(work.servers(), store=work.store, incident=work.incident)
            for why, names in book.left.items():
                work.say("left", f"{', '.join(sorted(names))}: {why}")
            tell_plan(work, servers=[move.name for move in moves])
            names = ", ".join(move.server for move in moves) or "none"
            self.update_details(f"Instances to be evacuated are: {names}", 1.0)
