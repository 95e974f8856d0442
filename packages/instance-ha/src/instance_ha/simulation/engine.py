# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated masakari-engine: takes notifications up, one flow each, and retries once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.model import Notification, NotificationStatus
from instance_ha.simulation.flow import Flow, RecoveryFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from instance_ha.ports import Clock
    from instance_ha.simulation.flow import Work
    from instance_ha.simulation.masakari import SimMasakari
    from instance_ha.simulation.memory import MemoryJournal

RETRY_EVERY_S = 10.0
"""Masakari's process_unfinished_notifications_interval, as the charm sets it."""


@dataclass
class _Job:
    notification: str
    work: Work
    due_s: float
    last_try: bool


class SimEngine:
    """What it holds in memory dies with it, as with the real one."""

    def __init__(
        self,
        *,
        clock: Clock,
        masakari: SimMasakari,
        journal: MemoryJournal,
        make_flow: Callable[[Notification], Flow],
        order: Sequence[str],
    ) -> None:
        self.alive = True
        self._clock = clock
        self._masakari = masakari
        self._journal = journal
        self._make_flow = make_flow
        self._order = order
        self._jobs: list[_Job] = []
        self._retry_at_s = clock.now_s() + RETRY_EVERY_S

    def kill(self) -> None:
        """Lose everything that is in memory."""
        self.alive = False
        self._jobs.clear()

    def start(self) -> None:
        """Begin anew, with what is in the database."""
        self.alive = True

    def advance(self) -> None:
        """Take up what waits, and go on with what is due."""
        if not self.alive or not self._journal.reachable:
            return
        self._take_up()
        for job in tuple(self._jobs):
            self._journal.beat(job.notification, at_s=self._clock.now_s())
            self._go_on(job)

    def _take_up(self) -> None:
        """Begin what is new; begin again what failed once, when the periodic task comes by."""
        now_s = self._clock.now_s()
        retries = now_s >= self._retry_at_s
        if retries:
            self._retry_at_s = now_s + RETRY_EVERY_S
        for notification in self._masakari.all_notifications():
            failed = notification.status is NotificationStatus.ERROR
            if notification.status is NotificationStatus.NEW or (failed and retries):
                self._begin(notification, last_try=failed)

    def _begin(self, notification: Notification, *, last_try: bool) -> None:
        if not self._masakari.segment_of(notification.host).enabled:
            self._masakari.set_status(notification.uuid, NotificationStatus.IGNORED)
            return
        self._masakari.set_status(notification.uuid, NotificationStatus.RUNNING)
        self._masakari.set_maintenance(notification.host, on=True)
        self._jobs.append(
            _Job(
                notification=notification.uuid,
                work=self._make_flow(notification).run(self._order),
                due_s=self._clock.now_s(),
                last_try=last_try,
            )
        )

    def _go_on(self, job: _Job) -> None:
        try:
            while self._clock.now_s() >= job.due_s:
                job.due_s += next(job.work)
        except StopIteration:
            self._end(job, NotificationStatus.FINISHED)
        except RecoveryFailedError:
            self._end(job, NotificationStatus.FAILED if job.last_try else NotificationStatus.ERROR)

    def _end(self, job: _Job, status: NotificationStatus) -> None:
        self._jobs.remove(job)
        self._masakari.set_status(job.notification, status)
