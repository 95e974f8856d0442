# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Stories: one failure each, played on real daemons, ending in a timeline and a verdict."""

import dataclasses
from collections.abc import Callable, Mapping

from lab.host import Host, hosts

from . import breakage, losses, refusals, rungs
from .scene import Scene, StoryFailedError
from .schedule import play_folder

__all__ = ["DEMO", "STORIES", "Scene", "Story", "StoryFailedError", "play", "play_folder"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Story:
    """One failure and what must come of it."""

    name: str
    play: Callable[[Scene, Host], None]

    @property
    def summary(self) -> str:
        """The story in one sentence."""
        return (self.play.__doc__ or "").partition("\n")[0]


def _named(*plays: Callable[[Scene, Host], None]) -> Mapping[str, Story]:
    found = (Story(name=play.__name__.replace("_", "-"), play=play) for play in plays)
    return {story.name: story for story in found}


STORIES = _named(
    losses.power_loss,
    losses.storage_lost,
    losses.management_lost,
    losses.looks_dead,
    losses.unfenced,
    losses.down_before_start,
    losses.killed_midway,
    breakage.controller_killed,
    rungs.bmc_rung,
    rungs.storage_rung,
    refusals.maas_unwell,
    refusals.process_killed,
    refusals.plugin_missing,
    losses.moved_back,
)

DEMO = ("power-loss", "storage-lost", "management-lost")
"""What a newcomer is shown."""


def play(story: Story, *, say: Callable[[str], None], host: Host | None = None) -> str:
    """Play a story on the running lab and return its timeline; the lab is whole again after it.

    Args:
        story: What to play.
        say: Is told what happens, as it happens.
        host: Whom it befalls; by default the first one. A host that was lost a moment ago is
            believed later the next time.

    Raises:
        StoryFailedError: if something that must be true was not.
    """
    everyone = hosts(3)
    scene = Scene(say=say)
    try:
        story.play(scene, host or everyone[0])
    finally:
        scene.restore(everyone)
    return scene.chronicle.render()
