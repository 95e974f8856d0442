# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The real clocks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading


class SystemClock:
    """The machine's time; implements :class:`instance_ha.ports.Clock`."""

    def now_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait; under eventlet only this green thread waits."""
        time.sleep(seconds)


class StoppableClock:
    """Time that never jumps; whoever sleeps wakes when the controller stops.

    Seconds since the epoch as the machine told them at the start, and counted on from there: a
    machine whose clock is set while the controller runs makes no evidence older than it is.
    """

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._began_s = time.time() - time.monotonic()

    def now_s(self) -> float:
        """Return seconds since the epoch."""
        return self._began_s + time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once when the controller stops."""
        self._stopped.wait(seconds)
