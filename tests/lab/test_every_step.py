# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Any component dies at any step of a recovery: the recovery ends, and each server moves once.

In a lab of its own, with Nova's fake driver: all that matters is who moves what, and how often.
"""

import pytest

from lab import errors, host, layers, openstack, paths, stories
from lab.stories import breakage

pytestmark = pytest.mark.chaos

SCHEDULES = sorted((paths.REPOSITORY / "tests/sim/scenarios").glob("schedule-*"))
"""Folders that the simulation plays as well."""


@pytest.fixture(scope="module", autouse=True)
def light_lab():
    """The lab without guests, in the place of the one with guests."""
    try:
        is_other = openstack.current_profile() != "light"
    except errors.LabError:
        is_other = False
    if is_other:
        layers.down()
    layers.up(host.hosts(3), profile="light")


@pytest.mark.parametrize("step", breakage.STEPS)
@pytest.mark.parametrize("component", breakage.COMPONENTS)
def test_every_component_dies_at_every_step(hurry, play, component, step):
    play(breakage.killed_at, component=component, step=step)


@pytest.mark.parametrize("folder", [pytest.param(f, id=f.name) for f in SCHEDULES])
def test_a_schedule_of_faults(play, folder):
    def schedule(scene, _):
        stories.play_folder(scene, folder)

    play(schedule)
