# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari and Nova as a controller sees them: from a snapshot that may be half a minute old."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instance_ha.simulation.process import Trouble
from instance_ha.steps import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from instance_ha.model import Host, Notification
    from instance_ha.ports import Clock, Cloud
    from instance_ha.simulation.process import Line, Process
    from instance_ha.simulation.world import SimWorld

CALM_S = 15.0
BUSY_S = 2.0
"""Age from which the snapshot is read anew: in calm, and while a recovery is under way."""
USABLE_S = 30.0
LATELY_S = 60.0
_READS = frozenset({"health", "servers_on"})
"""They change nothing, so the snapshot stays what it is."""


@dataclass(frozen=True, kw_only=True)
class _Snapshot:
    asked_at_s: float
    hosts: Sequence[Host]
    notifications: Mapping[str, Notification]


class SnapshotCloud:
    """Implements ``ports.Cloud`` for one program, as lazily as the real adapter.

    An old snapshot is handed out while the next one is read aside; only what the program itself
    changed is read anew before it is answered.
    """

    def __init__(
        self, cloud: Cloud, *, line: Line, caller: Process, clock: Clock, world: SimWorld
    ) -> None:
        self._cloud = cloud
        self._line = line
        self._caller = caller
        self._clock = clock
        self._world = world
        self._newest: _Snapshot | None = None
        self._acted_at_s = float("-inf")

    def hosts(self) -> Sequence[Host]:
        """Return every enrolled host, with its segment and its compute service."""
        return self._get().hosts

    def notifications(self) -> Mapping[str, Notification]:
        """Return the newest notification of each host that has one."""
        return self._get().notifications

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return any other method of the port, made to go over the line."""
        return functools.partial(self._call, name)

    def _call(self, name: str, *args: object, **kwargs: object) -> Any:  # noqa: ANN401
        call = functools.partial(getattr(self._cloud, name), *args, **kwargs)
        if name in _READS:
            return self._line.carry(call, by=self._caller)
        self._begin(name)
        try:
            answer = self._line.carry(call, by=self._caller)
        finally:
            self._acted_at_s = self._clock.now_s()
            self._newest = None
        self._end(name)
        return answer

    def _begin(self, name: str) -> None:
        """Let faults happen, and the witness see what is about to be changed."""
        self._world.witness.see_act(self._caller.name, name)
        self._world.reached(f"before {name.replace('_', '-')}")
        self._caller.wait(0.0)

    def _end(self, name: str) -> None:
        self._world.reached(f"after {name.replace('_', '-')}")
        self._caller.wait(0.0)

    def _get(self) -> _Snapshot:
        if self._newest is None or self._age_s(self._newest) > USABLE_S:
            self._newest = self._line.carry(self._read, by=self._caller)
        known = self._newest
        answers = self._line.trouble is Trouble.NONE and not self._caller.cut_off
        if answers and self._age_s(known) > self._fresh_s(known):
            self._newest = self._read()
        return known

    def _read(self) -> _Snapshot:
        return _Snapshot(
            asked_at_s=self._clock.now_s(),
            hosts=self._cloud.hosts(),
            notifications=self._cloud.notifications(),
        )

    def _age_s(self, snapshot: _Snapshot) -> float:
        return self._clock.now_s() - snapshot.asked_at_s

    def _fresh_s(self, snapshot: _Snapshot) -> float:
        busy = any(n.status in UNFINISHED for n in snapshot.notifications.values())
        acted_lately = self._clock.now_s() - self._acted_at_s < LATELY_S
        return BUSY_S if busy or acted_lately else CALM_S
