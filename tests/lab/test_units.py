# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The product in three units, as Sunbeam deploys it."""

import pytest

from lab import deployment, juju, stories
from lab.process import wait_until
from lab.stories import faults

pytestmark = [pytest.mark.lab, pytest.mark.chaos]

TOLD = [name for name in stories.STORIES if name != "controller-killed"]
"""All but the one that adds its own second unit."""


@pytest.fixture(scope="module")
def three_units(lab):
    client = juju.client()
    with faults.more_units(client, 2):
        yield deployment.units(client)


def test_every_service_of_every_unit_does_its_work(three_units):
    assert len(three_units) == 3
    client = juju.client()
    for unit in three_units:
        for container in (faults.API, faults.ENGINE, faults.HOSTMONITOR):
            wait_until(
                lambda unit=unit, container=container: faults.is_well(client, unit, container),
                within_s=120,
                what=f"{container} of {unit} to do its work",
            )


def test_every_unit_answers_people(three_units):
    client = juju.client()
    for unit in three_units:
        assert deployment.SEGMENT in client.run(unit, "list-segments").results["segments"]


@pytest.mark.parametrize("story", TOLD)
def test_story(three_units, story, capsys):
    timeline = stories.play(stories.STORIES[story], say=lambda _: None)

    with capsys.disabled():
        print(f"\n== {story} in {len(three_units)} units\n{timeline}")
