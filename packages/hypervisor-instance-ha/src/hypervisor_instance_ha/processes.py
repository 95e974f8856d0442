# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The process monitor: the services of this hypervisor run, or Masakari knows that they do not.

A service is known by its systemd unit, so neither a process of a like name nor what a command says
on stderr can deceive it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.courier import Decision, What
from hypervisor_instance_ha.errors import UnitError
from hypervisor_instance_ha.spool import Entry
from hypervisor_instance_ha.station import Station

logger = logging.getLogger(__name__)

PROCESS = "process"
SLOW = 12
"""After Masakari was told, every so many rounds another start is tried."""
_DOWN = ("failed", "inactive")
_NOT_WANTED = ("disabled", "masked", "masked-runtime")
_PROPERTIES = ("Id", "LoadState", "ActiveState", "UnitFileState")


@dataclass(frozen=True, kw_only=True)
class Service:
    """A unit as systemd sees it."""

    unit: str
    down: bool


def services(units: Sequence[str]) -> Sequence[Service]:
    """Return those of *units* that exist and are meant to run."""
    if not units:
        return ()
    return [
        Service(unit=one["Id"], down=one["ActiveState"] in _DOWN)
        for one in machine.show(units, properties=_PROPERTIES)
        if one.get("LoadState") == "loaded" and one.get("UnitFileState") not in _NOT_WANTED
    ]


class ProcessMonitor:
    """Start what has ended, and report what cannot be started."""

    def __init__(self, station: Station, *, units: Sequence[str], retries: int) -> None:
        self._station = station
        self._units = tuple(units)
        self._retries = retries
        self._failures: dict[str, int] = {}

    def step(self) -> None:
        """Look at every service once, and start those that are down."""
        if reason := self._station.quiet():
            self._station.report.tell(processes=f"waiting: {reason}")
            return
        try:
            found = services(self._units)
        except UnitError as error:
            if self._station.report.tell(processes=f"waiting: {error}"):
                logger.warning("no process is watched: %s", error)
            return
        for service in found:
            if service.down:
                self._restart(service.unit)
            elif self._failures.pop(service.unit, 0):
                logger.info("%s runs again", service.unit)
        down = sorted(self._failures)
        self._station.report.tell(
            processes="ok" if not down else "down", down=down, watched=len(found)
        )

    def _restart(self, unit: str) -> None:
        tried = self._failures.get(unit, 0)
        self._failures[unit] = tried + 1
        if tried < self._retries or (tried - self._retries) % SLOW == SLOW - 1:
            logger.warning("%s is down and is started", unit)
            try:
                machine.systemctl("restart", unit)
            except UnitError as error:
                logger.warning("%s does not start: %s", unit, error)
        if tried == self._retries:
            logger.error("%s does not start; masakari is told", unit)
            self._station.spool.add(Entry(kind=PROCESS, name=unit, at_s=self._station.now_s()))

    def judge(self, entry: Entry) -> Decision:
        """Return what becomes of a report that is about to be sent."""
        if reason := self._station.quiet():
            return Decision(what=What.LATER, reason=reason)
        if any(one.unit == entry.name and one.down for one in services(self._units)):
            return Decision(what=What.SEND, reason="it does not start")
        return Decision(what=What.DROP, reason="it runs again")

    def send(self, entry: Entry) -> None:
        """Tell Masakari, which takes the host out of Nova's scheduling."""
        self._station.cloud.notify_process(entry.name.removesuffix(".service"), at_s=entry.at_s)
