# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Never twice, never forgotten: whatever fails, and at whatever moment."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings

from tests.sim import schedules
from tests.sim.schedules import COMPONENTS, KINDS, MOMENTS, examine, story

MANY = int(os.environ.get("INSTANCE_HA_SCHEDULES", "0"))
FEW = 60


@settings(
    max_examples=MANY or FEW,
    derandomize=not MANY,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(schedule=schedules.schedules)
def test_no_schedule_of_faults_breaks_a_promise(schedule):
    examine(story(schedule))
