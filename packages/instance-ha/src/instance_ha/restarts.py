# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What to do about one server whose process died, by how often it has died lately."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


FAILED = "failed"
INTERRUPTED = "interrupted"
_IN_VAIN = (FAILED, INTERRUPTED)


class Remedy(enum.StrEnum):
    """What is done about it."""

    RESTART = "restart"
    """Start it where it was."""
    MOVE = "move"
    """Migrate it, stopped as it is, and start it there: the fault may be its host's."""
    STOP = "stop"
    """Leave it stopped and say so: the fault is probably its own."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often a server is started where it was."""

    most: int = 3
    window_s: float = 3600.0
    then: Remedy = Remedy.MOVE
    """What is done beyond it; moved once within the window, it is stopped the next time."""


@dataclass(frozen=True, kw_only=True)
class Restart:
    """One try to do something about the death of a server's process.

    A notification stands for one death; where Masakari takes it up again there are several tries.
    """

    server: str
    name: str
    host: str
    notification: str
    at_s: float
    remedy: Remedy
    outcome: str
    """One sentence for people; begins with ``FAILED`` or ``INTERRUPTED`` if it came to no end."""

    @property
    def in_vain(self) -> bool:
        """Whether the server is not what the remedy asks for."""
        return self.outcome.startswith(_IN_VAIN)


def remedy(past: Iterable[Restart], *, now_s: float, patience: Patience) -> Remedy:
    """Return what to do about a server that died now.

    Args:
        past: Tries of its earlier deaths, in any order; those of one death count once.
        now_s: The moment.
        patience: How often it is started where it was.
    """
    lately = [one for one in past if now_s - one.at_s < patience.window_s]
    deaths = {one.notification for one in lately}
    if len(deaths) < patience.most:
        return Remedy.RESTART
    if patience.then is Remedy.MOVE and Remedy.MOVE in {one.remedy for one in lately}:
        return Remedy.STOP
    return patience.then
