# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every story of the lab, on one lab with guests; the timeline of each is printed."""

import pytest

from lab import host, stories

pytestmark = pytest.mark.lab


LONG = {"controller-killed", "bmc-rung", "storage-rung", "moved-back"}
"""Told by `tox run -e chaos`: they bring up a second unit, or more, or take their time."""

HOSTS = host.hosts(3)
"""They take turns: a host that was lost a moment ago is believed later the next time."""

PLAYED = [
    pytest.param(
        story,
        HOSTS[number % len(HOSTS)],
        id=name,
        marks=[pytest.mark.chaos] if name in LONG else [],
    )
    for number, (name, story) in enumerate(stories.STORIES.items())
]
PLAYED.append(
    pytest.param(
        stories.STORIES["bmc-rung"], HOSTS[1], id="bmc-rung-redfish", marks=pytest.mark.chaos
    )
)


@pytest.mark.parametrize(("story", "befallen"), PLAYED)
def test_story(lab, story, befallen, capsys):
    timeline = stories.play(story, say=lambda _: None, host=befallen)

    with capsys.disabled():
        print(f"\n== {story.name}: {story.summary}\n{timeline}")
