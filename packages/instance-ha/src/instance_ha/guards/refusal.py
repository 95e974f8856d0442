# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A refusal to act now: what is held, why, until when, and what to run."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

_SHORT_S = 120
"""Below that, seconds say more than minutes."""

_HELD_BY = "held by "


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A refusal to act now."""

    guard: str
    reason: str
    """The fact, what it means, and the next command where there is one.

    It stays the same while nothing changes: the seconds that are left are no part of it.
    """
    look_again_s: float
    until_s: float | None = None
    """When it ends by itself; None where that depends on something else than time."""

    def __str__(self) -> str:
        return f"{_HELD_BY}{self.guard}: {self.reason}"

    def ends(self, *, now_s: float) -> str:
        """Return until when it holds, absolute and relative; empty where time does not tell."""
        if self.until_s is None:
            return ""
        return f"until {moment(self.until_s)}, in {duration(self.until_s - now_s)}"


def guard_of(text: str) -> str:
    """Return which guard a refusal's text names; empty if it is no refusal."""
    if not text.startswith(_HELD_BY):
        return ""
    return text.removeprefix(_HELD_BY).partition(":")[0]


def moment(at_s: float) -> str:
    """Return a time as people read it."""
    at = datetime.datetime.fromtimestamp(at_s, tz=datetime.UTC)
    return at.isoformat(sep=" ", timespec="seconds").replace("+00:00", " UTC")


def duration(seconds: float) -> str:
    """Return a duration as people say it: "45 s", "3 min", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if whole < _SHORT_S:
        return f"{whole} s"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
