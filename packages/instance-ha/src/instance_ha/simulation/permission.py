# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an engine asks right before it fences, and right before it evacuates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha import guards
from instance_ha.model import Event
from instance_ha.simulation.flow import PAUSE_S, RecoveryFailedError

if TYPE_CHECKING:
    from instance_ha.model import Incident
    from instance_ha.policy import Policy
    from instance_ha.ports import Clock
    from instance_ha.simulation.flow import Work
    from instance_ha.simulation.masakari import SimMasakari
    from instance_ha.simulation.memory import MemoryJournal
    from instance_ha.simulation.nova import SimNova


class SimPermission:
    """One host's segment, pauses and approval, read anew each time."""

    def __init__(
        self,
        host: str,
        *,
        masakari: SimMasakari,
        nova: SimNova,
        journal: MemoryJournal,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._host = host
        self._masakari = masakari
        self._nova = nova
        self._journal = journal
        self._policy = policy
        self._clock = clock

    def demand(self) -> None:
        """Raise ``RecoveryFailedError`` if people stopped the host meanwhile."""
        hold = guards.stop(
            self._host,
            segment=self._masakari.segment_of(self._host),
            pauses=self._journal.rulings().pauses,
            now_s=self._clock.now_s(),
        )
        if hold is not None:
            self._tell("guard", str(hold))
            raise RecoveryFailedError(str(hold))

    def await_approval(self) -> Work:
        """Wait for a person where one has to agree, once, and as long as patience lasts."""
        if self._policy.needs_approval(self._masakari.segment_of(self._host).name):
            yield from self._wait()

    def _wait(self) -> Work:
        if not self._is_approved() and guards.was_waited_for(self._journal.events(self._incident)):
            raise RecoveryFailedError("nobody approved it in time")
        until_s = self._clock.now_s() + self._policy.approval_patience_s
        if not self._is_approved():
            servers = ", ".join(self._nova.servers_on(self._host)) or "no server"
            self._tell("plan", f"to be evacuated once a person approves: {servers}")
        while not self._is_approved():
            if self._clock.now_s() >= until_s:
                self._tell("approval", "nobody approved it in time")
                raise RecoveryFailedError("nobody approved it in time")
            yield PAUSE_S

    @property
    def _incident(self) -> Incident:
        segment = self._masakari.segment_of(self._host).name
        now_s = self._clock.now_s()
        return self._journal.open(self._host, segment=segment, at_s=now_s, reason="in recovery")

    def _is_approved(self) -> bool:
        return self._incident.id in self._journal.rulings().approved

    def _tell(self, kind: str, text: str) -> None:
        event = Event(at_s=self._clock.now_s(), actor="engine", kind=kind, text=text)
        self._journal.record(self._incident, event)
