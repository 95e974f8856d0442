# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The tasks of a fenced recovery, for Masakari's engine.

Every task after the fence *requires* ``fence_proof``, which only the fence task *provides*:
taskflow refuses to run a flow without it, whatever an operator wrote into masakari.conf.
"""

from __future__ import annotations

from masakari_instance_ha.tasks.evacuate import FencedEvacuateInstancesTask
from masakari_instance_ha.tasks.fence import FenceHostTask
from masakari_instance_ha.tasks.force_down import ForceDownHostTask
from masakari_instance_ha.tasks.prepare import PrepareInstancesTask
from masakari_instance_ha.tasks.restart import RestartInstanceTask

__all__ = [
    "FenceHostTask",
    "FencedEvacuateInstancesTask",
    "ForceDownHostTask",
    "PrepareInstancesTask",
    "RestartInstanceTask",
]
