# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Fencing through MAAS: order the power off, then ask the BMC until it says so."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from instance_ha.errors import FenceError, FenceTargetError, FenceTimeoutError
from instance_ha.model import FenceProof
from masakari_instance_ha.fencing import targets
from masakari_instance_ha.fencing.maas_api import Access, MaasApi, MaasError

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Generator, Sequence

    from instance_ha.ports import Clock

_Question = ParamSpec("_Question")
_Answer = TypeVar("_Answer")

logger = logging.getLogger(__name__)

OFF = "off"
"""The only answer that is a proof; ``unknown`` and ``error`` are not."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long one try takes at most, and how often it asks."""

    deadline_s: float
    interval_s: float


class MaasFencer:
    """Powers hosts off and proves it; implements :class:`instance_ha.ports.Fencer`.

    Both files are read anew for every host, so that a new key or a new hypervisor needs no
    restart.
    """

    def __init__(
        self, *, access: Access, targets: pathlib.Path, pace: Pace, clock: Clock, by: str
    ) -> None:
        self._access = access
        self._targets = targets
        self._pace = pace
        self._clock = clock
        self._by = by

    def fence(self, host: str) -> FenceProof:
        """Order *host* off and return the proof.

        The order is given even if the host is off already: only then does an answer of later
        mean that nobody powered it on meanwhile.

        Raises:
            FenceTargetError: if MAAS has not exactly one machine for the host.
            FenceTimeoutError: if the order was taken and ``off`` was not answered in time.
            FenceError: if MAAS cannot be asked.
        """
        with self._conversation(host) as (maas, system_id):
            return self._order_and_ask(host, maas=maas, system_id=system_id)

    def check(self, host: str) -> str:
        """Return the power state as the BMC answers now, without any order."""
        with self._conversation(host) as (maas, system_id):
            return maas.power_state(system_id)

    @contextlib.contextmanager
    def _conversation(self, host: str) -> Generator[tuple[MaasApi, str]]:
        target = targets.find(host, file=self._targets)
        try:
            with MaasApi(self._access) as maas:
                yield maas, _only(host, maas.machines(target))
        except MaasError as error:
            raise FenceError(host, error.reason, hint=error.hint) from error

    def _order_and_ask(self, host: str, *, maas: MaasApi, system_id: str) -> FenceProof:
        """Order until the order is taken, and ask each time: a lost answer may hide a success."""
        ordered_at_s = self._clock.now_s()
        until_s = ordered_at_s + self._pace.deadline_s
        comment = f"instance HA fences {host}, by {self._by}"
        taken: bool | MaasError | None = None
        while True:
            if not isinstance(taken, bool):
                taken = _unless_passing(host, maas.power_off, system_id, comment=comment)
                if taken is False:
                    logger.info("%s: maas had no order to give; its power state decides", host)
            answer = _unless_passing(host, maas.power_state, system_id)
            if answer == OFF:
                return self._proof(host, system_id=system_id, ordered_at_s=ordered_at_s)
            if self._clock.now_s() >= until_s:
                if isinstance(answer, MaasError):
                    raise answer
                raise self._too_late(host, system_id=system_id, answer=answer)
            self._clock.sleep(self._pace.interval_s)

    def _proof(self, host: str, *, system_id: str, ordered_at_s: float) -> FenceProof:
        return FenceProof(
            host=host,
            method="maas",
            target=system_id,
            answer=OFF,
            ordered_at_s=ordered_at_s,
            confirmed_at_s=self._clock.now_s(),
            by=self._by,
        )

    def _too_late(self, host: str, *, system_id: str, answer: str) -> FenceTimeoutError:
        reason = f"its power state is still {answer!r} {self._pace.deadline_s:g} s after the order"
        hint = f"Look at the power events of {system_id} in MAAS, and at its BMC"
        return FenceTimeoutError(host, reason, hint=hint)


def _unless_passing(
    host: str, ask: Callable[_Question, _Answer], *args: _Question.args, **kwargs: _Question.kwargs
) -> _Answer | MaasError:
    """Return the answer, or the failure if the same question may be answered a moment later."""
    try:
        return ask(*args, **kwargs)
    except MaasError as error:
        if not error.passing:
            raise
        logger.warning("%s: %s", host, error.reason)
        return error


def _only(host: str, system_ids: Sequence[str]) -> str:
    if len(system_ids) == 1:
        return system_ids[0]
    if not system_ids:
        reason = "MAAS has no machine for it"
        hint = "Compare its names with maas machines read, and enrol it"
    else:
        reason = f"MAAS has {len(system_ids)} machines of its name: {', '.join(system_ids)}"
        hint = "Give hacluster-shim the system id of the right one"
    raise FenceTargetError(host, reason, hint=hint)
