# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Fencing by power, whatever switches it: order the power off, then ask until it is off."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from instance_ha.errors import FenceError, FenceTimeoutError, InstanceHaError
from instance_ha.ladder import OFF
from instance_ha.model import FenceProof

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from instance_ha.ladder import Rung
    from instance_ha.ports import Clock

_Question = ParamSpec("_Question")
_Answer = TypeVar("_Answer")

logger = logging.getLogger(__name__)


def no_objection() -> None:
    """Let every order be given."""


class PowerError(InstanceHaError):
    """A power controller did not do what it was asked for."""

    def __init__(self, reason: str, *, hint: str, passing: bool, status: int = 0) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint
        self.passing = passing
        """Whether the same question may be answered a moment later."""
        self.status = status
        """Of HTTP, where that is how it was asked."""


class Switch(Protocol):
    """The power of one machine, while a conversation lasts. Each method may raise PowerError."""

    @property
    def target(self) -> str:
        """What the power controller calls the machine."""
        ...

    def off(self, *, comment: str) -> bool:
        """Order the power off, hard; return whether there was anything to do."""
        ...

    def on(self) -> None:
        """Order the power on."""
        ...

    def state(self) -> str:
        """Return what the machine's controller answers now, in lower case."""
        ...


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long one try takes at most, and how often it asks."""

    deadline_s: float
    interval_s: float


class PowerFencer:
    """Powers hosts off and proves it; implements :class:`instance_ha.ports.Fencer`."""

    def __init__(
        self,
        reach: Callable[[str], AbstractContextManager[Switch]],
        *,
        rung: Rung,
        pace: Pace,
        clock: Clock,
        by: str,
        before_order: Callable[[], None] = no_objection,
    ) -> None:
        """Make a fencer.

        Args:
            reach: Begins a conversation about the host of this name; may raise PowerError, or
                FenceTargetError if it is not certain which machine that is.
            rung: The method that proofs name.
            pace: Of one try.
            clock: Time.
            by: Who orders.
            before_order: Is called right before each order; whatever it raises ends the try. An
                order that was taken is followed to its end.
        """
        self._reach = reach
        self._rung = rung
        self._pace = pace
        self._clock = clock
        self._by = by
        self._before_order = before_order

    def fence(self, host: str) -> FenceProof:
        """Order *host* off and return the proof.

        The order is given even if the host is off already: only then does an answer of later
        mean that nobody powered it on meanwhile.

        Raises:
            FenceTargetError: if it is not certain which machine is the host.
            FenceTimeoutError: if the order was taken and ``off`` was not answered in time.
            FenceError: if the controller cannot be asked.
        """
        try:
            with self._reach(host) as switch:
                return self._order_and_ask(host, switch=switch)
        except PowerError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error

    def check(self, host: str) -> str:
        """Return the power state as the machine's controller answers now, without any order."""
        try:
            with self._reach(host) as switch:
                return switch.state()
        except PowerError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error

    def power_on(self, host: str) -> str:
        """Order *host* on, and return what was ordered on."""
        try:
            with self._reach(host) as switch:
                switch.on()
                return switch.target
        except PowerError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error

    def _order_and_ask(self, host: str, *, switch: Switch) -> FenceProof:
        """Order until the order is taken, and ask each time: a lost answer may hide a success."""
        ordered_at_s = self._clock.now_s()
        until_s = ordered_at_s + self._pace.deadline_s
        comment = f"instance HA fences {host}, by {self._by}"
        taken: bool | PowerError | None = None
        while True:
            if not isinstance(taken, bool):
                self._before_order()
                taken = _unless_passing(host, switch.off, comment=comment)
                if taken is False:
                    logger.info("%s: there was no order to give; its power state decides", host)
            answer = _unless_passing(host, switch.state)
            if answer == OFF:
                return FenceProof(
                    host=host,
                    method=self._rung,
                    target=switch.target,
                    answer=OFF,
                    ordered_at_s=ordered_at_s,
                    confirmed_at_s=self._clock.now_s(),
                    by=self._by,
                )
            if self._clock.now_s() >= until_s:
                if isinstance(answer, PowerError):
                    raise answer
                raise self._too_late(host, target=switch.target, answer=answer)
            self._clock.sleep(self._pace.interval_s)

    def _too_late(self, host: str, *, target: str, answer: str) -> FenceTimeoutError:
        reason = f"its power state is still {answer!r} {self._pace.deadline_s:g} s after the order"
        hint = f"Look at the power events of {target} in {self._rung}, and at its BMC"
        return FenceTimeoutError(host, reason, hint=hint)


def _unless_passing(
    host: str, ask: Callable[_Question, _Answer], *args: _Question.args, **kwargs: _Question.kwargs
) -> _Answer | PowerError:
    """Return the answer, or the failure if the same question may be answered a moment later."""
    try:
        return ask(*args, **kwargs)
    except PowerError as error:
        if not error.passing:
            raise
        logger.warning("%s: %s", host, error.reason)
        return error
