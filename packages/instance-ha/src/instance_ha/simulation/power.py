# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated power controller whose faults can be switched, and the fencer over it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from instance_ha.errors import FenceError, FenceTimeoutError
from instance_ha.model import FenceProof

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine
    from instance_ha.simulation.witness import Witness

POWER_OFF_S = 2.0
"""From the order to the power being off."""
ORDER_DEADLINE_S = 10.0
"""How long an order that was taken is followed; what is ordered after that is another try."""


class Fault(enum.StrEnum):
    """What is wrong with the power controller."""

    NONE = "well"
    FAILING = "failing"
    """It answers every request with an error."""
    HANGING = "hanging"
    """It does not answer."""
    LYING = "lying"
    """It takes the order, says that it is done, and does nothing."""


class SimPower:
    """A power controller, for example MAAS, as far as recovery knows it."""

    def __init__(self, machines: Mapping[str, Machine], *, clock: Clock, witness: Witness) -> None:
        self.fault = Fault.NONE
        self._witness = witness
        self._machines = machines
        self._clock = clock
        self._due: dict[str, float] = {}

    def order_off(self, machine: str) -> None:
        """Take the order; it is carried out a little later."""
        self._witness.see_power_order(machine)
        if self.fault is not Fault.LYING:
            self._due.setdefault(machine, self._clock.now_s() + POWER_OFF_S)

    def query(self, machine: str) -> str:
        """Return the live power state."""
        answer = "on" if self._machines[machine].powered else "off"
        self._witness.see_answer(machine, answer)
        return answer

    def advance(self) -> None:
        """Carry out the orders that are due."""
        for machine, due_s in list(self._due.items()):
            if self._clock.now_s() >= due_s:
                self._machines[machine].power_off()
                del self._due[machine]


class SimFencer:
    """Implements ``ports.Fencer`` for one look; who needs more patience looks again."""

    def __init__(self, power: SimPower, *, clock: Clock, by: str, method: str = "maas") -> None:
        self._power = power
        self._method = method
        self._clock = clock
        self._by = by
        self._ordered: dict[str, float] = {}

    def fence(self, host: str) -> FenceProof:
        """Order the host off and ask once; return the proof, or raise ``FenceError``."""
        now_s = self._clock.now_s()
        answer = self.check(host)
        if answer == "off":
            return FenceProof(
                host=host,
                method=self._method,
                target=f"sys-{host}",
                answer=answer,
                ordered_at_s=self._ordered.pop(host, now_s),
                confirmed_at_s=now_s,
                by=self._by,
            )
        if not self.awaits(host):
            self._ordered[host] = now_s
        self._power.order_off(host)
        raise FenceTimeoutError(host, f"its power is {answer}", hint="It is asked again.")

    def awaits(self, host: str) -> bool:
        """Return whether an order was taken of which nothing is known yet."""
        ordered_at_s = self._ordered.get(host, float("-inf"))
        return self._clock.now_s() - ordered_at_s < ORDER_DEADLINE_S

    def check(self, host: str) -> str:
        """Return the power state as the controller answers now."""
        if self._power.fault is Fault.FAILING:
            raise FenceError(host, f"{self._method} answers 503", hint="It is asked again.")
        if self._power.fault is Fault.HANGING:
            reason = f"{self._method} does not answer"
            raise FenceTimeoutError(host, reason, hint="It is asked again.")
        return self._power.query(host)
