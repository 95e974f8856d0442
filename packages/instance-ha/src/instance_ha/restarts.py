# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What to do about one server whose process died, by how often it has died lately."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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
    """One death of a server's process, and what was done about it."""

    server: str
    name: str
    host: str
    notification: str
    at_s: float
    remedy: Remedy
    outcome: str
    """One sentence for people."""


def remedy(past: Iterable[Restart], *, now_s: float, patience: Patience) -> Remedy:
    """Return what to do about a server that died now, having died as *past* tells."""
    lately = [one.remedy for one in past if now_s - one.at_s < patience.window_s]
    if len(lately) < patience.most:
        return Remedy.RESTART
    if patience.then is Remedy.MOVE and Remedy.MOVE in lately:
        return Remedy.STOP
    return patience.then
