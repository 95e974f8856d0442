# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The instance monitor: no server of this host dies unnoticed.

Libvirt's events are told by a thread of its own and only noted there; everything else happens in
the thread of :class:`InstanceMonitor`. What is noted goes to a spool on disk, from where a courier
brings it to Masakari. What happened while this process, libvirt or the machine was away is found
by comparing: what ran when we looked last, and what Nova says should run, with what runs.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from dataclasses import dataclass

from hypervisor_instance_ha.cloud import Recovery
from hypervisor_instance_ha.courier import Decision, What
from hypervisor_instance_ha.deaths import Facts, judge_death
from hypervisor_instance_ha.errors import CloudError, LibvirtError
from hypervisor_instance_ha.hypervisor import Ending, Hypervisor
from hypervisor_instance_ha.ledger import Ledger
from hypervisor_instance_ha.spool import Entry
from hypervisor_instance_ha.station import Station

logger = logging.getLogger(__name__)

DIED = "died"
FRESH_S = 10.0
"""So long a crash is reported without asking Nova: nobody can have reacted to it."""
SETTLE_S = 5.0
"""What is found missing is looked at again after this time: Nova may just have changed it."""
RECONNECT_S = 1.0
RETRY_AUDIT_S = 10.0
REPORT_AGAIN_S = 600.0
"""What is still dead so long after its report is reported again."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something that libvirt told."""

    kind: str
    """``started``, ``ended`` or ``lost``: libvirt itself went away."""
    uuid: str = ""
    ending: Ending = Ending.UNKNOWN
    at_s: float = 0.0


class Inbox:
    """Where libvirt's thread leaves what it tells; it never waits for anything."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[Change] = queue.SimpleQueue()

    def started(self, uuid: str) -> None:
        """Note a start."""
        self._changes.put(Change(kind="started", uuid=uuid))

    def ended(self, uuid: str, ending: Ending, at_s: float) -> None:
        """Note an end."""
        self._changes.put(Change(kind="ended", uuid=uuid, ending=ending, at_s=at_s))

    def lost(self) -> None:
        """Note that nothing more will be told."""
        self._changes.put(Change(kind="lost"))

    def next(self, timeout_s: float) -> Change | None:
        """Return the next change, or None after *timeout_s* seconds without one."""
        try:
            return self._changes.get(timeout=max(0.0, timeout_s))
        except queue.Empty:
            return None


class InstanceMonitor:
    """Note every end of a server in the spool, also those that nobody told."""

    def __init__(
        self,
        station: Station,
        *,
        connect: Callable[[Inbox], Hypervisor],
        boot: str,
        ledger: Ledger,
        audit_interval_s: float = 300.0,
    ) -> None:
        """Put the monitor together.

        Args:
            connect: Connects to libvirt and has its events told to the inbox.
            boot: The kernel's id of this boot.
        """
        self._connect = connect
        self._station = station
        self._boot = boot
        self._ledger = ledger
        self._audit_interval_s = audit_interval_s
        self._hypervisor: Hypervisor | None = None
        self._audit_due_s = 0.0

    # The watching thread

    def run(self, should_stop: Callable[[], bool], *, pause: Callable[[float], None]) -> None:
        """Watch until *should_stop*; libvirt may come and go as it likes."""
        while not should_stop():
            inbox = Inbox()
            try:
                self.attach(self._connect(inbox))
                self.look()
                self._watch(inbox, should_stop)
            except LibvirtError as error:
                if self._station.report.tell(libvirt=f"waiting: {error}"):
                    logger.warning("no virtual machine is watched: %s", error)
            finally:
                connected, self._hypervisor = self._hypervisor, None
                if connected is not None:
                    connected.close()
            pause(RECONNECT_S)

    def attach(self, hypervisor: Hypervisor) -> None:
        """Take *hypervisor* as the one that is watched."""
        self._hypervisor = hypervisor

    def look(self) -> None:
        """Find what ended unseen, and note what runs. Needs no Nova."""
        running = self._required().running()
        if self._ledger.boot not in ("", self._boot):
            ran = len(self._ledger.running())
            logger.info("the machine was started anew; %s servers ran", ran)
        for uuid in sorted(self._ledger.running() - running.keys()):
            self._suspect(uuid)
        self._ledger.see(running.keys(), boot=self._boot)
        self._station.report.tell(libvirt="ok", running=len(running))
        self._audit_due_s = self._station.now_s()

    def audit(self) -> None:
        """Compare what Nova says should run here with what runs."""
        self._audit_due_s = self._station.now_s() + self._audit_interval_s
        try:
            placed = self._station.cloud.servers()
        except CloudError as error:
            self._audit_due_s = self._station.now_s() + RETRY_AUDIT_S
            if self._station.report.tell(nova=f"waiting: {error}"):
                logger.warning("nova's servers are not compared: %s", error)
            return
        self._station.report.tell(nova="ok")
        running = self._required().running()
        expected = {one.uuid for one in placed if one.vm_state == "active" and one.task is None}
        for uuid in sorted(expected - running.keys()):
            if self._station.tally.since_s(uuid, now_s=self._station.now_s()) > REPORT_AGAIN_S:
                self._suspect(uuid)

    def note(self, change: Change) -> None:
        """Do what a change of libvirt's asks for."""
        if change.kind == "started":
            if change.uuid in self._required().running():
                self._ledger.add(change.uuid)
        elif change.ending in (Ending.BY_ITSELF, Ending.WANTED):
            self._ledger.forget(change.uuid)
        else:
            known = change.uuid in self._ledger.running()
            certain = change.ending is Ending.CRASHED and known
            entry = Entry(kind=DIED, name=change.uuid, at_s=change.at_s, doubtful=not certain)
            if self._station.spool.add(entry):
                logger.warning("%s died: %s", change.uuid, change.ending.value)
            self._ledger.forget(change.uuid)
        self._station.report.tell(running=len(self._ledger.running()))

    def _watch(self, inbox: Inbox, should_stop: Callable[[], bool]) -> None:
        while not should_stop():
            change = inbox.next(min(1.0, self._audit_due_s - self._station.now_s()))
            if change is None:
                if self._station.now_s() >= self._audit_due_s and not self._station.quiet():
                    self.audit()
            elif change.kind == "lost":
                raise LibvirtError("libvirt went away; look at the unit of libvirtd")
            else:
                self.note(change)

    def _suspect(self, uuid: str) -> None:
        now_s = self._station.now_s()
        entry = Entry(
            kind=DIED, name=uuid, at_s=now_s, doubtful=True, not_before_s=now_s + SETTLE_S
        )
        if self._station.spool.add(entry):
            logger.warning("%s does not run any more, and nobody saw it end", uuid)

    def _required(self) -> Hypervisor:
        if self._hypervisor is None:
            raise LibvirtError("libvirt is not connected; look at the unit of libvirtd")
        return self._hypervisor

    # The courier's thread

    def judge(self, entry: Entry) -> Decision:
        """Return what becomes of a report of ours that is about to be sent."""
        now_s = self._station.now_s()
        if reason := self._station.quiet():
            return Decision(what=What.LATER, reason=reason)
        hypervisor = self._required()
        if entry.name in hypervisor.running():
            return Decision(what=What.DROP, reason="it runs again")
        if self._station.tally.exceeded(entry.name, now_s=now_s):
            self._station.report.tell(given_up=entry.name)
            return Decision(what=What.DROP, reason="it dies again and again; start it by hand")
        if not entry.doubtful and now_s - entry.at_s < FRESH_S:
            return Decision(what=What.SEND, reason="its process died")
        return judge_death(
            Facts(
                server=self._station.cloud.server(entry.name),
                nova_host=self._station.nova_host,
                ending=hypervisor.ending(entry.name),
                stopped_by_nova=lambda: self._station.cloud.stopped_by_nova(entry.name),
            )
        )

    def send(self, entry: Entry) -> None:
        """Tell Masakari."""
        self._station.cloud.notify_server(entry.name, recovery=Recovery.DIED, at_s=entry.at_s)
        self._station.tally.add(entry.name, at_s=self._station.now_s())
