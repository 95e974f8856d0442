# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The agent monitor: guests that run and answer no more. Off unless asked for."""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable

from hypervisor_instance_ha.cloud import Recovery
from hypervisor_instance_ha.courier import Decision, What
from hypervisor_instance_ha.deaths import Facts, judge_hanging
from hypervisor_instance_ha.errors import LibvirtError
from hypervisor_instance_ha.hypervisor import Ending, Hypervisor
from hypervisor_instance_ha.settings import AgentWatch
from hypervisor_instance_ha.spool import Entry
from hypervisor_instance_ha.station import Station

logger = logging.getLogger(__name__)

HANGS = "hangs"
AT_ONCE = 8
LIBVIRT_S = 6.0
"""Libvirt itself waits so long for an agent before it begins with our time-out."""

Pings = dict[str, "concurrent.futures.Future[bool]"]


class AgentMonitor:
    """Ask every guest that has answered once; several at a time, each within its time."""

    def __init__(
        self, station: Station, *, options: AgentWatch, connect: Callable[[], Hypervisor]
    ) -> None:
        self._station = station
        self._options = options
        self._connect = connect
        self._hypervisor: Hypervisor | None = None
        self._pool = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self._pending: Pings = {}
        self._silent: dict[str, int] = {}
        """Failures in a row of each guest that has answered once."""

    def step(self) -> None:
        """Ask every guest once; one that hangs keeps no other waiting."""
        try:
            hypervisor = self._hypervisor = self._hypervisor or self._connect()
            asked = [one.uuid for one in hypervisor.running().values() if one.has_agent]
        except LibvirtError as error:
            self._hypervisor = None
            if self._station.report.tell(libvirt=f"waiting: {error}"):
                logger.warning("no guest is asked: %s", error)
            return
        self._station.report.tell(libvirt="ok", asked=len(asked))
        self._silent = {uuid: count for uuid, count in self._silent.items() if uuid in asked}
        timeout_s = self._options.timeout_s
        for uuid in asked:
            if uuid not in self._pending:
                self._pending[uuid] = self._pool.submit(hypervisor.ping, uuid, timeout_s=timeout_s)
        concurrent.futures.wait(self._pending.values(), timeout=timeout_s + LIBVIRT_S)
        for uuid, ping in list(self._pending.items()):
            if ping.done():
                del self._pending[uuid]
            self._count(uuid, answered=ping.done() and ping.result())

    def _count(self, uuid: str, *, answered: bool) -> None:
        if answered:
            self._silent[uuid] = 0
        elif uuid in self._silent:
            self._silent[uuid] += 1
            if self._silent[uuid] == self._options.failures:
                logger.warning("%s: its guest has not answered %s times", uuid, self._silent[uuid])
                self._station.spool.add(
                    Entry(kind=HANGS, name=uuid, at_s=self._station.now_s(), doubtful=True)
                )

    def judge(self, entry: Entry) -> Decision:
        """Return what becomes of a report that is about to be sent."""
        if reason := self._station.quiet():
            return Decision(what=What.LATER, reason=reason)
        if self._silent.get(entry.name, 0) < self._options.failures:
            return Decision(what=What.DROP, reason="it answers again, or is gone")
        if self._station.tally.exceeded(entry.name, now_s=self._station.now_s()):
            return Decision(what=What.DROP, reason="it hangs again and again; look at the guest")
        return judge_hanging(
            Facts(
                server=self._station.cloud.server(entry.name),
                nova_host=self._station.nova_host,
                ending=Ending.UNKNOWN,
                stopped_by_nova=lambda: False,
            )
        )

    def send(self, entry: Entry) -> None:
        """Tell Masakari; the guest is asked anew once it has answered again."""
        self._station.cloud.notify_server(entry.name, recovery=Recovery.HANGS, at_s=entry.at_s)
        self._station.tally.add(entry.name, at_s=self._station.now_s())
        self._silent.pop(entry.name, None)
