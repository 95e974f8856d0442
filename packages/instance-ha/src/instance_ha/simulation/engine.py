# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated masakari-engine, with the habits of the real one.

It takes a notification up when the message queue brings it, each in a thread of its own. Besides,
it has a periodic task: that lists what failed, and what is new and was not taken up, and works
that list off one after the other, by what the list said when it was made. Two engines do so
independently. What an engine holds in memory dies with it, its messages included.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError, StoreUnreachableError
from instance_ha.model import Notification, NotificationStatus
from instance_ha.simulation.process import Process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from instance_ha.ports import Clock
    from instance_ha.simulation.flow import Flow, Work
    from instance_ha.simulation.masakari import SimMasakari
    from instance_ha.simulation.memory import MemoryJournal

RETRY_EVERY_S = 10.0
"""Masakari's process_unfinished_notifications_interval."""
NEW_FOR_S = 20.0
"""Its retry_notification_new_status_interval: what is new for so long, no message brings."""


@dataclass
class _Job:
    """One thread of the engine, at work on one notification."""

    known: Notification
    """As it was when the engine heard of it."""
    retried: bool
    work: Work | None = None
    """None while another thread works on the same host."""
    due_s: float = 0.0


class SimEngine:
    """One engine; several share Masakari's database and the message queue."""

    def __init__(
        self,
        name: str = "engine",
        *,
        clock: Clock,
        masakari: SimMasakari,
        journal: MemoryJournal,
        make_flow: Callable[[Notification, Process], Flow],
        order: Sequence[str],
    ) -> None:
        self.process = Process(name, clock=clock, let_pass=_at_once)
        self._clock = clock
        self._masakari = masakari
        self._journal = journal
        self._make_flow = make_flow
        self._order = order
        self._jobs: list[_Job] = []
        self._backlog: list[Notification] = []
        self._look_at_s = clock.now_s() + RETRY_EVERY_S

    def kill(self) -> None:
        """Lose everything that is in memory."""
        self.process.alive = False
        self._jobs.clear()
        self._backlog.clear()

    def start(self) -> None:
        """Begin anew, with what is in the database."""
        self.process = Process(self.process.name, clock=self._clock, let_pass=_at_once)

    @property
    def _runs(self) -> bool:
        return self.process.alive and not self.process.stopped

    def advance(self) -> None:
        """Take up what waits, and go on with what is due."""
        if not self._runs:
            return
        for message in self._masakari.broker.take():
            self._jobs.append(_Job(known=message, retried=False))
        with contextlib.suppress(StoreUnreachableError):  # the periodic task is run again
            self._look_for_unfinished()
        for job in tuple(self._jobs):
            if job in self._jobs:  # its step may have killed this engine
                self._step(job)

    def _look_for_unfinished(self) -> None:
        """Do what is due of the periodic task; its next turn waits for the end of this one."""
        if any(job.retried for job in self._jobs):
            return
        now_s = self._clock.now_s()
        if not self._backlog and now_s >= self._look_at_s:
            self._look_at_s = now_s + RETRY_EVERY_S
            self._journal.unclosed()  # it is the same database: this raises if that is away
            self._backlog = [
                notification
                for notification in self._masakari.all_notifications()
                if notification.status is NotificationStatus.ERROR
                or (
                    notification.status is NotificationStatus.NEW
                    and now_s - notification.generated_at_s > NEW_FOR_S
                )
            ]
        if self._backlog:
            self._jobs.append(_Job(known=self._backlog.pop(0), retried=True))

    def _step(self, job: _Job) -> None:
        """Go on with one thread; a database that is away ends it, and leaves all as it is."""
        try:
            if job.work is None:
                self._begin(job)
            self._go_on(job)
        except StoreUnreachableError:
            self._drop(job)

    def _begin(self, job: _Job) -> None:
        """Begin, unless another thread of this engine works on the same host."""
        host = job.known.host
        if any(other.work is not None and other.known.host == host for other in self._jobs):
            return
        self._journal.unclosed()
        stored = self._masakari.notification(job.known.uuid)
        new = NotificationStatus.NEW
        if job.known.status is new and stored.status is not new:
            self._drop(job)
            return
        if not job.retried and not self._masakari.segment_of(host).enabled:
            self._masakari.set_status(job.known.uuid, NotificationStatus.IGNORED)
            self._drop(job)
            return
        self._masakari.set_status(job.known.uuid, NotificationStatus.RUNNING)
        self._masakari.set_maintenance(host, on=True)
        self._masakari.set_reserved(host, reserved=False)
        job.work = self._make_flow(job.known, self.process).run(self._order)
        job.due_s = self._clock.now_s()

    def _go_on(self, job: _Job) -> None:
        if job.work is None:
            return
        with contextlib.suppress(StoreUnreachableError):  # a thread of its own beats
            self._journal.beat(job.known.uuid, at_s=self._clock.now_s())
        try:
            while self._runs and self._clock.now_s() >= job.due_s:
                job.due_s += next(job.work)
        except StopIteration:
            self._end(job, NotificationStatus.FINISHED)
        except InstanceHaError:
            self._masakari.set_maintenance(job.known.host, on=False)
            failed = NotificationStatus.FAILED if job.retried else NotificationStatus.ERROR
            self._end(job, failed)

    def _end(self, job: _Job, status: NotificationStatus) -> None:
        """Write how it ended."""
        self._journal.unclosed()
        self._drop(job)
        self._masakari.set_status(job.known.uuid, status)

    def _drop(self, job: _Job) -> None:
        with contextlib.suppress(ValueError):  # it died with its engine
            self._jobs.remove(job)


def _at_once(_: float) -> None:
    """Let no time pass: a thread of the engine that waits does so between two steps."""
