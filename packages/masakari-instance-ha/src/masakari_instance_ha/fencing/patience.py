# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Fence again and again: a power controller that is slow or away now may answer in a minute."""

from __future__ import annotations

import concurrent.futures
from typing import TYPE_CHECKING

from instance_ha.errors import FenceError
from instance_ha.ladder import NO_FENCING, UNDOES

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.model import FenceProof
    from instance_ha.ports import Clock, Fencer

PAUSE_S = 5.0
"""Between two tries."""


def _go_on() -> None:
    """Find nothing that speaks against another try."""


def fence_patiently(
    fencer: Fencer,
    host: str,
    *,
    clock: Clock,
    patience_s: float,
    tell: Callable[[FenceError], None],
    before_try: Callable[[], None] = _go_on,
) -> FenceProof:
    """Return the proof of *host*, however many tries it takes.

    Args:
        fencer: What orders and asks.
        host: The host's name in Nova.
        clock: Time.
        patience_s: How long a new try is begun after a failed one.
        tell: Hears of a failure; of the same failure only once.
        before_try: Is called before each try; whatever it raises ends this.

    Raises:
        FenceError: the newest failure, once patience is over.
    """
    until_s = clock.now_s() + patience_s
    told = ""
    while True:
        before_try()
        try:
            return fencer.fence(host)
        except FenceError as error:
            if error.reason != told:
                tell(error)
                told = error.reason
            if clock.now_s() + PAUSE_S > until_s:
                raise
        clock.sleep(PAUSE_S)


class FenceWatch:
    """Looks at a fenced host's power while its servers move, and fences it again if it is back.

    The question is asked aside, because a slow BMC needs up to half a minute for an answer.
    """

    def __init__(
        self,
        fencer: Fencer,
        proof: FenceProof,
        *,
        clock: Clock,
        interval_s: float,
        again: Callable[[], None],
    ) -> None:
        """Make ready.

        Args:
            fencer: What asks.
            proof: The proof to watch over; where fencing is off by choice, nothing is asked.
            clock: Time.
            interval_s: Pause between two looks; the first one counts from the proof.
            again: Fences anew; whatever it raises ends the recovery.
        """
        self._fencer = fencer
        self._host = proof.host
        self._clock = clock
        self._interval_s = interval_s
        self._again = again
        self._next_s = proof.confirmed_at_s + interval_s
        self._asks = proof.method != NO_FENCING
        self._pool = concurrent.futures.ThreadPoolExecutor(1)
        self._asking: concurrent.futures.Future[str] | None = None

    @property
    def answered(self) -> bool:
        """Whether no question is under way."""
        return self._asking is None or self._asking.done()

    def look(self) -> None:
        """Take note of an answer that has come, or ask if it is time."""
        if self._asking is not None and self.answered:
            answer, self._asking = self._asking.result(), None
            self._next_s = self._clock.now_s() + self._interval_s
            if answer in UNDOES:  # "unknown" says nothing against the proof
                self._again()
        elif self._asking is None and self._asks and self._clock.now_s() >= self._next_s:
            self._asking = self._pool.submit(self._ask)

    def close(self) -> None:
        """Ask no more; a question that is under way ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _ask(self) -> str:
        try:
            return self._fencer.check(self._host)
        except FenceError:
            return "unknown"
