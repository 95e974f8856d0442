# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every story of the lab, on one lab with guests; the timeline of each is printed."""

import pytest

from lab import stories

pytestmark = pytest.mark.lab


LONG = {"controller-killed"}
"""Told by `tox run -e chaos`: it brings up a second unit."""

PLAYED = [
    pytest.param(story, id=name, marks=[pytest.mark.chaos] if name in LONG else [])
    for name, story in stories.STORIES.items()
]


@pytest.mark.parametrize("story", PLAYED)
def test_story(lab, story, capsys):
    timeline = stories.play(story, say=lambda _: None)

    with capsys.disabled():
        print(f"\n== {story.name}: {story.summary}\n{timeline}")
