# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The real clock."""

from __future__ import annotations

import time


class SystemClock:
    """The machine's time; implements :class:`instance_ha.ports.Clock`."""

    def now_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait; under eventlet only this green thread waits."""
        time.sleep(seconds)
