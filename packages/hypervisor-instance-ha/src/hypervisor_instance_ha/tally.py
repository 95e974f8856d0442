# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How often each server was reported: what dies again and again is left alone in the end."""

from __future__ import annotations

from collections import defaultdict


class Tally:
    """Reports of each server within a window."""

    def __init__(self, *, limit: int, window_s: float) -> None:
        """Count; 0 as the *limit* lets everything pass."""
        self._limit = limit
        self._window_s = window_s
        self._times_s: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, uuid: str, *, at_s: float) -> None:
        """Note a report."""
        self._times_s[uuid].append(at_s)

    def exceeded(self, uuid: str, *, now_s: float) -> bool:
        """Return whether the server had all the restarts that it may have in the window."""
        recent = [at_s for at_s in self._times_s[uuid] if at_s > now_s - self._window_s]
        self._times_s[uuid] = recent
        return 0 < self._limit <= len(recent)

    def since_s(self, uuid: str, *, now_s: float) -> float:
        """Return how many seconds ago the server was reported last; infinite if never."""
        return now_s - max(self._times_s.get(uuid, ()), default=float("-inf"))
