# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The promises, watched from outside the rules while a scenario is played.

The witness keeps books of its own: what machines really do, what the power controllers answered,
what Nova and Masakari were asked for. It never reads what the rules wrote down.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.model import Action, NotificationStatus, Reach
from instance_ha.simulation.machines import BOOT_S, Presence
from instance_ha.steps import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from instance_ha.model import Notification
    from instance_ha.policy import Policy
    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine

LATE_S = 40.0
"""How long after a loss a notification may still be for it: evidence, holding, slow calls."""
WELL_S = 45.0
"""How much longer than the return delay a host may be well before an order to it is too late:
holding back a host that flapped, a change of controllers, an old sight of Masakari."""
REACH = {Presence.THERE: Reach.UP, Presence.GONE: Reach.DOWN, Presence.LEFT: Reach.LEFT}


@dataclass(kw_only=True)
class _Loss:
    """One real loss of one machine, until Nova puts it back to work."""

    last_s: float
    """When it was last really lost."""
    was_there_again: bool = False
    """Whether the machine was well meanwhile, so that its next fault is another one."""
    notified: bool = False
    proven: bool = False
    under_way: set[str] = field(default_factory=set[str])
    moved: set[str] = field(default_factory=set[str])


class Witness:
    """Sees every order at the moment it is given, and every guest that runs."""

    def __init__(self, *, clock: Clock, policy: Policy) -> None:
        """Make one that saw nothing yet.

        Args:
            clock: The world's.
            policy: Says what calls for a recovery, and for how long a host must be well before it
                counts as back.
        """
        self.broken: list[str] = []
        """A sentence for each promise that was broken."""
        self.evacuated: Counter[str] = Counter()
        """Server -> how often it was moved."""
        self._clock = clock
        self._matrix = policy.matrix
        self._too_late_s = policy.return_after_s + WELL_S
        self._losses: dict[str, _Loss] = {}
        self._well_since_s: dict[str, float] = {}
        self._off_at_s: dict[str, float] = {}
        self._lost: set[str] = set()
        self._judged: dict[tuple[Presence, ...], bool] = {}
        self._holder = ""
        self._held_until_s = float("-inf")

    # What happens, step by step

    def see_machines(self, machines: Iterable[Machine], *, in_sight: bool = True) -> None:
        """Look at every machine, and check that no server writes on two of them.

        Args:
            machines: All of them.
            in_sight: Whether the controllers can see what they are now, and say so.
        """
        running: Counter[str] = Counter()
        for machine in machines:
            self._see_well(machine, in_sight=in_sight)
            if not machine.powered:
                self._off_at_s[machine.name] = self._clock.now_s()
            self._lost.discard(machine.name)
            if self._is_lost(machine):
                self._lost.add(machine.name)
                loss = self._losses.setdefault(machine.name, _Loss(last_s=self._clock.now_s()))
                loss.last_s = self._clock.now_s()
            elif machine.name in self._losses:
                self._losses[machine.name].was_there_again = True
            if not machine.storage_fenced:
                running.update(machine.processes)
        for server, copies in running.items():
            if copies > 1:
                self._say(f"{server} runs {copies} times")

    def _see_well(self, machine: Machine, *, in_sight: bool) -> None:
        """Count for how long a machine has been well, for all to see."""
        present = {machine.presence(network)[0] for network in self._matrix.networks}
        if in_sight and present == {Presence.THERE} and not machine.storage_fenced:
            self._well_since_s.setdefault(machine.name, self._clock.now_s())
        else:
            self._well_since_s.pop(machine.name, None)

    def see_answer(self, machine: str, answer: str) -> None:
        """Hear what a power controller says of a machine when it is asked."""
        if answer == "off" and machine in self._losses:
            self._losses[machine].proven = True

    def see_return(self, machine: Machine) -> None:
        """See Nova believe in a machine again: its loss is over; the next may have begun."""
        loss = self._losses.get(machine.name)
        if not self._is_lost(machine):
            self._losses.pop(machine.name, None)
        elif loss is not None and loss.was_there_again:
            self._losses[machine.name] = _Loss(last_s=loss.last_s, under_way=loss.under_way)

    def is_lost(self, machine: str) -> bool:
        """Return whether a machine is really lost now."""
        return machine in self._lost

    # What is asked for

    def see_lease(self, holder: str, *, until_s: float) -> None:
        """See somebody get the lease of the controllers."""
        if holder != self._holder and self._clock.now_s() < self._held_until_s:
            self._say(f"{holder} and {self._holder} hold the lease")
        self._holder, self._held_until_s = holder, until_s

    def see_lease_ended(self, holder: str) -> None:
        """See somebody give it up."""
        if holder == self._holder:
            self._held_until_s = self._clock.now_s()

    def see_act(self, by: str, what: str) -> None:
        """See a controller about to change something."""
        if by != self._holder or self._clock.now_s() >= self._held_until_s:
            self._say(f"{by} does {what} without the lease")

    def see_notification(
        self, host: str, *, before: Notification | None, servers_left: int
    ) -> None:
        """See Masakari take a notification of *host*; *before* is the one it had until now."""
        now_s = self._clock.now_s()
        loss = self._losses.get(host)
        if loss is None or now_s - loss.last_s > LATE_S:
            self._say(f"{host} is notified though it is well")
            return
        if loss.notified and before is not None:
            finished = before.status is NotificationStatus.FINISHED and not servers_left
            if before.status in UNFINISHED or finished:
                self._say(f"{host} is notified twice for one loss")
        loss.notified = True

    def see_power_order(self, machine: str) -> None:
        """See a machine ordered off."""
        loss = self._losses.get(machine)
        if loss is None or not loss.notified:
            self._say(f"{machine} is fenced though it is well")
        elif not loss.proven and self._well_for_s(machine) > self._too_late_s:
            self._say(f"{machine} is fenced though it has long been well again")

    def see_evacuation(self, server: str, *, machine: Machine) -> None:
        """Check what must be so when a server of *machine* is evacuated."""
        now_s = self._clock.now_s()
        boots = now_s - self._off_at_s.get(machine.name, float("-inf")) <= BOOT_S
        if machine.powered and not boots and not machine.storage_fenced:
            self._say(f"{server} evacuated while {machine.name} has power")
        loss = self._losses.get(machine.name)
        if loss is None:
            self._say(f"{server} evacuated though {machine.name} is well")
            return
        if not loss.proven and not machine.storage_fenced:
            self._say(f"{server} evacuated without a proof for {machine.name}")
        if server in loss.moved or server in loss.under_way:
            self._say(f"{server} evacuated twice for one loss of {machine.name}")
        loss.under_way.add(server)

    def see_move(self, server: str, *, source: str) -> None:
        """Take note of an evacuation that ended well."""
        self.evacuated[server] += 1
        if source in self._losses:
            self._losses[source].under_way.discard(server)
            self._losses[source].moved.add(server)

    def see_failed_move(self, server: str, *, source: str) -> None:
        """Take note of one that Nova ended without success; it may be asked for again."""
        if source in self._losses:
            self._losses[source].under_way.discard(server)

    def _well_for_s(self, machine: str) -> float:
        now_s = self._clock.now_s()
        return now_s - self._well_since_s.get(machine, now_s)

    def _is_lost(self, machine: Machine) -> bool:
        """Return whether the matrix asks for the recovery of what the machine really is."""
        present = tuple(machine.presence(network)[0] for network in self._matrix.networks)
        if present not in self._judged:
            reach = dict(zip(self._matrix.networks, map(REACH.__getitem__, present), strict=True))
            self._judged[present] = self._matrix.action(reach) is Action.RECOVERY
        return self._judged[present]

    def _say(self, what: str) -> None:
        if not any(known.endswith(f"s: {what}") for known in self.broken):
            self.broken.append(f"{self._clock.now_s():.1f} s: {what}")
