# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The tasks of one recovery, as the engine plays them in the order it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError, FenceError, InstanceHaError
from instance_ha.ladder import OFF
from instance_ha.model import Event

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from instance_ha.ladder import Ladder
    from instance_ha.model import FenceProof
    from instance_ha.ports import Clock, Fencer
    from instance_ha.simulation.memory import MemoryJournal
    from instance_ha.simulation.nova import SimNova

    Work = Generator[float, None, None]
    """Yields the seconds after which it wants to go on."""

CALL_S = 0.5
"""One call of an API."""
PAUSE_S = 1.0
"""Between two questions."""


class RecoveryFailedError(InstanceHaError):
    """A task failed, so the flow stops there."""


class Flow:
    """One recovery of one host."""

    def __init__(
        self,
        *,
        host: str,
        segment: str,
        clock: Clock,
        nova: SimNova,
        fencer: Ladder,
        storage: Fencer | None,
        journal: MemoryJournal,
        fence_patience_s: float,
    ) -> None:
        self._host = host
        self._segment = segment
        self._clock = clock
        self._nova = nova
        self._fencer = fencer
        self._storage = storage
        self._journal = journal
        self._fence_patience_s = fence_patience_s
        self._proof: FenceProof | None = None

    def run(self, order: Sequence[str]) -> Work:
        """Play the tasks in this order."""
        tasks = {
            "fence": self._fence,
            "force-down": self._force_down,
            "disable": self._disable,
            "prepare": self._prepare,
            "evacuate": self._evacuate,
        }
        for step in order:
            yield from tasks[step]()

    def _fence(self) -> Work:
        """Try until there is a proof, or patience is over."""
        began_s = self._clock.now_s()
        said = ""
        self._tell("fence", "order power off")
        while True:
            try:
                proof = self._fencer.fence(self._host)
            except FenceError as error:
                if error.reason != said and self._clock.now_s() > began_s + PAUSE_S:
                    said = error.reason
                    self._tell("fence", f"no proof yet: {said}")
                if self._clock.now_s() - began_s >= self._fence_patience_s:
                    raise RecoveryFailedError(str(error)) from error
                yield PAUSE_S
            else:
                self._tell("proof", f"{proof.method} answers {proof.answer} for {proof.target}")
                self._proof = proof
                self._free_locks(proof)
                return

    def _free_locks(self, proof: FenceProof) -> None:
        """Have the storage forget a host that is off, so that its locks hold up nobody."""
        if self._storage is None or proof.answer != OFF:
            return
        try:
            self._storage.fence(self._host)
        except FenceError as error:
            self._tell("fence", f"its locks expire by themselves: {error.reason}")
        else:
            self._tell("fence", "its storage refuses it too, which frees its locks")

    def _force_down(self) -> Work:
        yield CALL_S
        self._nova.force_down(self._host)
        self._tell("force-down", "nova is told that nova-compute is down")

    def _disable(self) -> Work:
        yield CALL_S
        self._nova.disable(self._host)

    def _prepare(self) -> Work:
        """Follow what an engine before this one began, to its end."""
        while any(move.source == self._host for move in self._nova.moves.values()):
            yield PAUSE_S

    def _evacuate(self) -> Work:
        """Evacuate what is left, and follow each server to the end of its move."""
        yield CALL_S
        if waits := set(self._nova.servers_on(self._host)):
            self._tell("evacuate", ", ".join(sorted(waits)))
        while waits:
            for server in sorted(waits - self._nova.moves.keys()):
                place = self._nova.host_of[server]
                if place == self._host:
                    yield from self._keep_fenced()
                    self._move(server)
                else:
                    self._tell("active", f"{server} on {place}")
                    waits.remove(server)
            yield CALL_S

    def _keep_fenced(self) -> Work:
        """See that the proof still holds, and fence again if it may not."""
        if self._proof is None:
            return
        try:
            answer = self._fencer.upholding(self._proof).check(self._host)
        except FenceError as error:
            answer = error.reason
        if answer != self._proof.answer:
            self._tell("fence", f"the proof may not hold any more: {answer}")
            yield from self._fence()

    def _move(self, server: str) -> None:
        """Ask for one evacuation; once more if the host that was chosen died meanwhile."""
        try:
            self._nova.evacuate(server)
        except CloudUnreachableError as error:
            self._tell("evacuate", f"{server} refused: {error}")
            raise RecoveryFailedError(str(error)) from error

    def _tell(self, kind: str, text: str) -> None:
        now_s = self._clock.now_s()
        incident = self._journal.open(self._host, segment=self._segment, at_s=now_s, reason=text)
        self._journal.record(incident, Event(at_s=now_s, actor="engine", kind=kind, text=text))
