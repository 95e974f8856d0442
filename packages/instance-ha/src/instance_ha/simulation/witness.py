# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The promises, watched from outside the rules while a scenario is played."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine
    from instance_ha.simulation.memory import MemoryJournal


class Witness:
    """Sees every evacuation at the moment it is asked for, and every guest that runs."""

    def __init__(self, *, clock: Clock, journal: MemoryJournal) -> None:
        self.broken: list[str] = []
        """A sentence for each promise that was broken."""
        self.evacuated: Counter[str] = Counter()
        """Server -> how often it was moved."""
        self._clock = clock
        self._journal = journal
        self._moved: set[tuple[int, str]] = set()
        self._twice: set[str] = set()

    def see_evacuation(self, server: str, *, machine: Machine) -> None:
        """Check what must be so when a server of *machine* is evacuated."""
        if machine.powered and not machine.storage_fenced:
            self._say(f"{server} evacuated while {machine.name} has power")
        incident = self._journal.unclosed().get(machine.name)
        if incident is None:
            self._say(f"{server} evacuated though {machine.name} has no incident")
            return
        if not any(event.kind == "proof" for event in self._journal.events(incident)):
            self._say(f"{server} evacuated without a proof for {machine.name}")
        if (incident.id, server) in self._moved:
            self._say(f"{server} evacuated twice for one loss of {machine.name}")

    def see_move(self, server: str, *, source: str) -> None:
        """Take note of an evacuation that ended well."""
        self.evacuated[server] += 1
        incident = self._journal.unclosed().get(source)
        if incident is not None:
            self._moved.add((incident.id, server))

    def see_guests(self, machines: Iterable[Machine]) -> None:
        """Check that no server runs on two machines that its storage listens to."""
        writing = (machine for machine in machines if not machine.storage_fenced)
        running = Counter(server for machine in writing for server in machine.processes)
        for server, copies in running.items():
            if copies > 1 and server not in self._twice:
                self._twice.add(server)
                self._say(f"{server} runs {copies} times")

    def _say(self, what: str) -> None:
        self.broken.append(f"{self._clock.now_s():.1f} s: {what}")
