# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Any component dies at any step of a recovery: the recovery ends, and each server moves once."""

import functools

import pytest

from lab import host, layers, stories
from lab.stories import breakage

SLICE = (("mariadb", "proof"), ("rabbitmq", "verdict"))
"""What is played with guests; the whole table takes hours."""


def play(component, step, capsys):
    played = functools.partial(breakage.killed_at, component=component, step=step)
    story = stories.Story(name=f"{component}-killed-at-{step}", play=played)
    timeline = stories.play(story, say=lambda _: None)
    with capsys.disabled():
        print(f"\n== {story.name}\n{timeline}")


@pytest.fixture(scope="module")
def light_lab():
    """The lab with Nova's fake driver: all that matters here is who moves what, and how often."""
    layers.up(host.hosts(3), profile="light")


@pytest.mark.chaos
@pytest.mark.parametrize(("component", "step"), SLICE)
def test_a_component_dies(lab, component, step, capsys):
    play(component, step, capsys)


@pytest.mark.chaos
@pytest.mark.parametrize("step", breakage.STEPS)
@pytest.mark.parametrize("component", breakage.COMPONENTS)
def test_every_component_dies_at_every_step(light_lab, component, step, capsys):
    play(component, step, capsys)
