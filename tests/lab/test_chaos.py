# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Any component dies at any step of a recovery: the recovery ends, and each server moves once."""

import functools
import itertools

import pytest

from lab import deployment, host, juju, layers, paths, stories
from lab.stories import breakage

SLICE = (("mariadb", "proof"), ("rabbitmq", "verdict"))
"""What is played with guests; the whole table takes hours."""

SCHEDULES = sorted((paths.REPOSITORY / "tests/sim/scenarios").glob("schedule-*"))
"""Folders that the simulation plays as well."""


DEADLINE_S = 120
"""After which a rebuild counts as hung, instead of ten minutes."""

TURNS = itertools.cycle(host.hosts(3))
"""Whom the next story befalls: a host that was lost twice within minutes is believed later."""


def show(story, capsys):
    timeline = stories.play(story, say=lambda _: None, host=next(TURNS))
    with capsys.disabled():
        print(f"\n== {story.name}\n{timeline}")


def play(component, step, capsys):
    played = functools.partial(breakage.killed_at, component=component, step=step)
    show(stories.Story(name=f"{component}-killed-at-{step}", play=played), capsys)


@pytest.fixture(scope="module")
def light_lab():
    """The lab with Nova's fake driver: all that matters here is who moves what, and how often."""
    layers.up(host.hosts(3), profile="light")


@pytest.fixture(scope="module")
def hurry():
    """Do not wait ten minutes for what Nova forgets.

    Without its database or queue for a moment it may leave a rebuild unfinished for ever.
    """
    with deployment.option(juju.client(), "evacuation-deadline", DEADLINE_S):
        yield


@pytest.mark.chaos
@pytest.mark.parametrize(("component", "step"), SLICE)
def test_a_component_dies(lab, hurry, component, step, capsys):
    play(component, step, capsys)


@pytest.mark.chaos
def test_a_guest_of_which_nova_knows_nothing_gets_no_twin(lab, capsys):
    show(stories.Story(name="left-behind", play=breakage.left_behind), capsys)


@pytest.mark.chaos
@pytest.mark.parametrize("step", breakage.STEPS)
@pytest.mark.parametrize("component", breakage.COMPONENTS)
def test_every_component_dies_at_every_step(light_lab, hurry, component, step, capsys):
    play(component, step, capsys)


@pytest.mark.chaos
@pytest.mark.parametrize("folder", [pytest.param(f, id=f.name) for f in SCHEDULES])
def test_a_schedule_of_faults(light_lab, folder, capsys):
    def played(scene, _):
        stories.play_folder(scene, folder)

    show(stories.Story(name=folder.name, play=played), capsys)
