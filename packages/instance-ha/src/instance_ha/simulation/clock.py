# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Time that passes only when it is told to."""

from __future__ import annotations


class SimClock:
    """Implements ``ports.Clock``."""

    def __init__(self, now_s: float = 0.0) -> None:
        self._now_s = now_s

    def now_s(self) -> float:
        """Return the simulated second."""
        return self._now_s

    def sleep(self, seconds: float) -> None:
        """Move on by *seconds*."""
        self._now_s += seconds
