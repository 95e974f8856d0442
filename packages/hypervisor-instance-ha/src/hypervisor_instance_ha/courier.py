# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Bring what waits in a spool to Masakari: in order, judged first, for as long as that takes."""

from __future__ import annotations

import enum
import logging
from collections.abc import Callable
from dataclasses import dataclass

from hypervisor_instance_ha.errors import (
    CloudRefusedError,
    CloudUnreachableError,
    HypervisorError,
)
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.spool import Entry, Spool

logger = logging.getLogger(__name__)

TOO_OLD_S = 86_400.0
"""Nobody waits for a server any more that was down for a day; Masakari forgets as well."""
DUPLICATE_S = 30.0
"""Masakari declines what it heard within its duplicate window, and hosts under maintenance."""
REFUSED_S = 60.0
UNREACHABLE_S = (1.0, 2.0, 4.0, 8.0, 10.0)
IDLE_S = 60.0


class What(enum.Enum):
    """What becomes of an entry."""

    SEND = "sent"
    DROP = "dropped"
    LATER = "later"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What becomes of an entry now, and why."""

    what: What
    reason: str
    again_s: float = 5.0
    """For LATER: after how many seconds it is judged again."""


class Courier:
    """Work a spool off, one entry at a time."""

    def __init__(
        self,
        spool: Spool,
        *,
        judge: Callable[[Entry], Decision],
        send: Callable[[Entry], None],
        now_s: Callable[[], float],
        report: Report,
    ) -> None:
        self._spool = spool
        self._judge = judge
        self._send = send
        self._now_s = now_s
        self._report = report
        self._due_s: dict[int, float] = {}
        self._failures = 0

    def run(self, should_stop: Callable[[], bool]) -> None:
        """Work until *should_stop* says so."""
        while not should_stop():
            pause_s = self.step()
            if pause_s > 0:
                self._spool.wait(pause_s)

    def step(self) -> float:
        """Do what is due with the oldest entry that is; return the seconds until more is due.

        While Masakari or Nova is away nothing overtakes: the oldest entry is tried again, with
        growing pauses, and keeps its place.
        """
        now_s = self._now_s()
        waiting = self._spool.entries()
        self._due_s = {one.number: self._due_s.get(one.number, 0.0) for one in waiting}
        self._report.tell(waiting=len(waiting))
        due_s = {one.number: max(one.not_before_s, self._due_s[one.number]) for one in waiting}
        entry = next((one for one in waiting if due_s[one.number] <= now_s), None)
        if entry is None:
            return max(0.05, min(due_s.values(), default=now_s + IDLE_S) - now_s)
        try:
            self._handle(entry, now_s=now_s)
        except CloudRefusedError as error:
            declined_s = DUPLICATE_S if error.status == 409 else REFUSED_S
            self._postpone(entry, declined_s, why=str(error))
        except CloudUnreachableError as error:
            pause_s = UNREACHABLE_S[min(self._failures, len(UNREACHABLE_S) - 1)]
            self._failures += 1
            if self._report.tell(masakari=f"waiting: {error}"):
                logger.warning("masakari is not told of %s yet: %s", entry.name, error)
            return pause_s
        except HypervisorError as error:
            self._postpone(entry, 2.0, why=str(error))
        return 0.0

    def _handle(self, entry: Entry, *, now_s: float) -> None:
        if now_s - entry.at_s > TOO_OLD_S:
            logger.error("%s is forgotten: masakari did not take it for a day", entry)
            self._spool.remove(entry)
            return
        decision = self._judge(entry)
        if decision.what is What.LATER:
            self._postpone(entry, decision.again_s, why=decision.reason)
            return
        if decision.what is What.SEND:
            self._send(entry)
        self._answered()
        logger.info("%s %s: %s, %s", entry.kind, entry.name, decision.what.value, decision.reason)
        self._spool.remove(entry)

    def _answered(self) -> None:
        self._failures = 0
        self._report.tell(masakari="ok")

    def _postpone(self, entry: Entry, seconds: float, *, why: str) -> None:
        self._due_s[entry.number] = self._now_s() + seconds
        if self._report.tell(masakari=f"waiting: {why}"):
            logger.info("%s %s waits: %s", entry.kind, entry.name, why)
