# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The tasks of one recovery, as the engine plays them in the order it is given."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha import recovery
from instance_ha.errors import CloudUnreachableError, FenceError, InstanceHaError
from instance_ha.ladder import OFF, UNDOES
from instance_ha.model import Event
from instance_ha.past import recall
from instance_ha.simulation.process import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from instance_ha.ladder import Ladder
    from instance_ha.model import FenceProof, Notification
    from instance_ha.ports import Clock, Fencer
    from instance_ha.simulation.memory import MemoryJournal, MemoryLease
    from instance_ha.simulation.nova import SimNova
    from instance_ha.simulation.permission import SimPermission
    from instance_ha.simulation.process import Line, Process

    Work = Generator[float, None, None]
    """Yields the seconds after which it wants to go on."""

CALL_S = 0.5
"""One call of an API."""
PAUSE_S = 1.0
"""Between two questions."""
WATCH_S = 15.0
"""Between two looks at the power of a host whose servers move."""
LEASE_S = 15.0
"""How long an engine that died keeps others from evacuating its host."""


class RecoveryFailedError(InstanceHaError):
    """A task failed, so the flow stops there."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What one recovery is about, and what it works with."""

    notification: Notification
    segment: str
    clock: Clock
    engine: Process
    """Who works on it."""
    nova: SimNova
    line: Line
    """The way to Nova."""
    lease: MemoryLease
    """Of those who evacuate this host."""
    reached: Callable[[str], None]
    """Is told of each moment: before, within and after a step."""
    fencer: Ladder
    storage: Fencer | None
    """Frees the locks of a host that is off; None where it cannot."""
    journal: MemoryJournal
    permission: SimPermission
    awaits: Callable[[], bool]
    """Whether an order was taken of which nothing is known yet."""
    fence_patience_s: float


class Flow:
    """One recovery of one host."""

    def __init__(self, means: Means) -> None:
        self._notification = means.notification
        self._host = means.notification.host
        self._engine = means.engine
        self._line = means.line
        self._lease = means.lease
        self._reached = means.reached
        self._watched_at_s = means.clock.now_s()
        self._segment = means.segment
        self._clock = means.clock
        self._nova = means.nova
        self._fencer = means.fencer
        self._storage = means.storage
        self._journal = means.journal
        self._permission = means.permission
        self._awaits = means.awaits
        self._fence_patience_s = means.fence_patience_s
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
            self._reached(f"before {step}")
            yield 0.0  # an engine that died or stopped of it goes no further
            self._demand_an_open_case()
            yield from tasks[step]()
            self._reached(f"after {step}")
            yield 0.0

    def _fence(self) -> Work:
        """Try until there is a proof, or patience is over."""
        began_s = self._clock.now_s()
        said = ""
        self._tell("fence", "order power off")
        while True:
            if not self._awaits():  # an order that was taken is followed to its end
                self._demand_an_open_case()
                self._permission.demand()
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

    def _demand_an_open_case(self) -> None:
        """Fail if what the notification is about was settled meanwhile."""
        incidents = [i for i in self._journal.incidents() if i.host == self._host]
        newest = incidents[-1] if incidents else None
        settled = recovery.settled(
            newest,
            past=recall(() if newest is None else self._journal.events(newest)),
            notification=self._notification.uuid,
            generated_at_s=self._notification.generated_at_s,
        )
        if settled is not None:
            raise RecoveryFailedError(f"{self._host}: {settled}")

    def _force_down(self) -> Work:
        yield CALL_S
        self._ask_nova(functools.partial(self._nova.force_down, self._host))
        self._tell("force-down", "nova is told that nova-compute is down")

    def _disable(self) -> Work:
        yield CALL_S
        self._ask_nova(functools.partial(self._nova.disable, self._host))

    def _prepare(self) -> Work:
        """Follow what an engine before this one began, to its end."""
        while any(move.source == self._host for move in self._nova.moves.values()):
            yield PAUSE_S

    def _evacuate(self) -> Work:
        """Evacuate what is left, alone, and follow each server to the end of its move."""
        yield CALL_S
        yield from self._permission.await_approval()
        self._permission.demand()
        while not self._lease.take(ttl_s=LEASE_S):
            yield PAUSE_S
        if waits := set(self._nova.servers_on(self._host)):
            self._tell("evacuate", ", ".join(sorted(waits)))
        while waits:
            if not self._lease.take(ttl_s=LEASE_S):
                raise RecoveryFailedError(f"another engine evacuates {self._host}")
            yield from self._keep_fenced()
            self._look(waits)
            yield CALL_S
        self._lease.give_up()

    def _look(self, waits: set[str]) -> None:
        """Order what still is there; take what has arrived out of *waits*."""
        if self._line.trouble in {Trouble.DOWN, Trouble.HUNG}:
            return
        for server in sorted(waits - self._nova.moves.keys()):
            place = self._nova.host_of[server]
            if place == self._host:
                self._move(server)
                self._reached("within evacuate")
                if self._engine.stopped or not self._engine.alive:
                    return
            else:
                self._tell("active", f"{server} on {place}", server=server, destination=place)
                waits.remove(server)

    def _keep_fenced(self) -> Work:
        """See now and then that the proof still holds, and fence again if it may not."""
        if self._proof is None or self._clock.now_s() - self._watched_at_s < WATCH_S:
            return
        self._watched_at_s = self._clock.now_s()
        try:
            answer = self._fencer.upholding(self._proof).check(self._host)
        except FenceError:  # no answer says nothing against the proof
            return
        if answer in UNDOES:
            self._tell("fence", f"the proof may not hold any more: {answer}")
            yield from self._fence()

    def _move(self, server: str) -> None:
        """Ask for one evacuation; whether a lost answer was a yes, the next look tells."""
        try:
            self._ask_nova(functools.partial(self._nova.evacuate, server))
        except CloudUnreachableError as error:
            if self._line.trouble is not Trouble.NONE:
                return
            self._tell("evacuate", f"{server} refused: {error}")
            self._lease.give_up()
            raise RecoveryFailedError(str(error)) from error

    def _ask_nova(self, call: Callable[[], object]) -> None:
        self._line.carry(call, by=self._engine)

    def _tell(self, kind: str, text: str, **detail: str) -> None:
        now_s = self._clock.now_s()
        incident = self._journal.open(self._host, segment=self._segment, at_s=now_s, reason=text)
        event = Event(at_s=now_s, actor="engine", kind=kind, text=text, detail=detail)
        self._journal.record(incident, event)
