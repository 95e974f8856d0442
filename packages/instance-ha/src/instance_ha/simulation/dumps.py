# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated kernel dumps: who writes one says so every few seconds, as fence_kdump_send does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine

FIRST_AFTER_S = 12.0
"""From the crash until the kernel that writes the dump has booted."""
EVERY_S = 10.0


class SimDumps:
    """Implements ``ports.KernelDumps``."""

    def __init__(self, machines: Mapping[str, Machine], *, clock: Clock) -> None:
        self._machines = machines
        self._clock = clock
        self._dumps: dict[str, tuple[float, float]] = {}
        """Host -> the seconds of its first and last message."""
        self._heard: dict[str, float] = {}

    def begin(self, host: str, *, lasts_s: float) -> None:
        """Have *host* write a dump for so long after its crash."""
        now_s = self._clock.now_s()
        self._dumps[host] = (now_s + FIRST_AFTER_S, now_s + lasts_s)

    def heard(self) -> Mapping[str, float]:
        """Return host -> when its newest message came."""
        now_s = self._clock.now_s()
        for host, (first_s, last_s) in self._dumps.items():
            until_s = min(now_s, last_s)
            if self._machines[host].powered and until_s >= first_s:
                self._heard[host] = until_s - (until_s - first_s) % EVERY_S
        return self._heard
