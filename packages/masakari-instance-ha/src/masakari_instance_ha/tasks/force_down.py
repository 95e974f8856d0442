# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Tell Nova that a fenced host's nova-compute is down, so that it waits for nothing."""

from __future__ import annotations

from typing import Any

from masakari_instance_ha.tasks.work import RecoveryTask, proven


class ForceDownHostTask(RecoveryTask):
    """Force the fenced host's compute service down in Nova."""

    def execute(self, host_name: str, notification_uuid: str, fence_proof: dict[str, Any]) -> None:
        """Return once Nova takes the service for down; nothing happens if it did before."""
        with self.working(host_name, notification=notification_uuid) as work:
            proven(fence_proof, host=host_name)
            done = work.nova.force_down(host_name)
            text = "nova-compute is forced down" if done else "nova-compute was forced down before"
            work.say("force-down", text)
            self.update_details(f"Compute service on host '{host_name}' is forced down", 1.0)
