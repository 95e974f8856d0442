# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated hosts: power, networks, agents, and the servers whose processes run on them."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from instance_ha.model import Network
    from instance_ha.ports import Clock

BOOT_S = 20.0
"""From power on to agents and nova-compute running."""


class Presence(enum.StrEnum):
    """How a machine is present on one network."""

    THERE = "there"
    GONE = "gone"
    """Silent without a word."""
    LEFT = "left"
    """Its agent said goodbye."""


class Machine:
    """One hypervisor; it knows nothing of clouds."""

    def __init__(
        self, name: str, *, networks: Collection[Network], clock: Clock, powered: bool = True
    ) -> None:
        self.name = name
        self.powered = powered
        self.processes: set[str] = set()
        """The servers whose guests run here, and write."""
        self.storage_fenced = False
        """Whether its storage refuses it, so that guests that run here do not write."""
        self._clock = clock
        self._up_at_s = clock.now_s() if powered else float("inf")
        self._cut: set[Network] = set()
        self._left = False
        self._since: dict[Network, tuple[Presence, float]] = {
            network: (self._presence(network), float("-inf")) for network in networks
        }

    @property
    def runs(self) -> bool:
        """Whether it has booted, so that its daemons are there."""
        return self.powered and self._clock.now_s() >= self._up_at_s

    def presence(self, network: Network) -> tuple[Presence, float]:
        """Return how it is present on *network*, and since when."""
        before = self._since[network]
        now = self._presence(network)
        if now is not before[0]:
            self._since[network] = (now, self._clock.now_s())
        return self._since[network]

    def power_off(self) -> None:
        """Stop at once; the processes die with it."""
        self.powered = False
        self._up_at_s = float("inf")
        self._left = False
        self.processes.clear()
        self._notice()

    def crash(self) -> None:
        """Have its kernel fail: power stays, and nothing runs until it is switched off and on."""
        self.power_off()
        self.powered = True

    def power_on(self) -> None:
        """Begin to boot; no process is there afterwards."""
        self.powered = True
        self._up_at_s = self._clock.now_s() + BOOT_S

    def leave(self) -> None:
        """Stop the agents as an orderly shutdown does."""
        self._left = True
        self._notice()

    def cut(self, network: Network) -> None:
        """Take it off one network."""
        self._cut.add(network)
        self._notice()

    def heal(self, network: Network) -> None:
        """Put it back on the network."""
        self._cut.discard(network)
        self._notice()

    def reaches(self, network: Network) -> bool:
        """Return whether it could be reached on *network* now."""
        return self.runs and network not in self._cut

    def _presence(self, network: Network) -> Presence:
        if self._left:
            return Presence.LEFT
        return Presence.THERE if self.reaches(network) else Presence.GONE

    def _notice(self) -> None:
        for network in self._since:
            self.presence(network)
