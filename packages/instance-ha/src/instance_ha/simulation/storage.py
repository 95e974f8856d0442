# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated Ceph that can refuse a host, and the lowest rung of the ladder over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError, FenceError
from instance_ha.ladder import STORAGE_FENCED, STORAGE_OPEN, Rung
from instance_ha.model import FenceProof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine


class SimStorage:
    """Keeps the list of hosts that are refused."""

    def __init__(self, machines: Mapping[str, Machine]) -> None:
        self.reachable = True
        """Whether it can be asked; what is refused stays refused meanwhile."""
        self._machines = machines

    def refuse(self, host: str) -> None:
        """Listen to the host no more."""
        self._machines[host].storage_fenced = True

    def lift(self, host: str) -> None:
        """Listen to the host again."""
        if not self.reachable:
            raise CloudUnreachableError("ceph does not answer")
        self._machines[host].storage_fenced = False

    def refuses(self, host: str) -> bool:
        """Return whether the host is refused."""
        return self._machines[host].storage_fenced


class SimStorageFencer:
    """Implements ``ports.Fencer``."""

    def __init__(self, storage: SimStorage, *, clock: Clock, by: str) -> None:
        self._storage = storage
        self._clock = clock
        self._by = by

    def fence(self, host: str) -> FenceProof:
        """Have the storage refuse the host, and ask whether it does."""
        if not self._storage.reachable:
            raise FenceError(host, "ceph does not answer", hint="It is asked again.")
        now_s = self._clock.now_s()
        self._storage.refuse(host)
        return FenceProof(
            host=host,
            method=Rung.CEPH,
            target=f"clients of {host}",
            answer=self.check(host),
            ordered_at_s=now_s,
            confirmed_at_s=now_s,
            by=self._by,
        )

    def check(self, host: str) -> str:
        """Return whether the storage refuses the host now."""
        return STORAGE_FENCED if self._storage.refuses(host) else STORAGE_OPEN
