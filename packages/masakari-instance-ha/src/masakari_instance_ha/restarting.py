# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Stop, move and start one server whose process died: each step looked at until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from instance_ha.restarts import Remedy
from masakari_instance_ha.nova import NovaRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.ports import Clock
    from masakari_instance_ha.nova import Nova
    from masakari_instance_ha.records import Server


class NotInTimeError(InstanceHaError):
    """A server did not come to the state that it was ordered to."""


class ServerGoneError(InstanceHaError):
    """The server was deleted meanwhile."""


class Restarter:
    """Brings one server to what a remedy asks for."""

    def __init__(
        self,
        nova: Nova,
        *,
        clock: Clock,
        poll_s: float,
        deadline_s: float,
        going_on: Callable[[], None],
    ) -> None:
        """Make ready; *going_on* is called before each look, and may raise to end the work."""
        self._nova = nova
        self._clock = clock
        self._poll_s = poll_s
        self._deadline_s = deadline_s
        self._going_on = going_on

    def runs_again(self, server: str, *, died_s: float) -> str:
        """Return, as one sentence, that it was started after it had died; else nothing.

        An earlier try may have ordered that and met its deadline, or ended with its engine.

        Args:
            server: Its uuid.
            died_s: When it died. Nova keeps whole seconds: a start in that second is one before.
        """
        now = self._look(server)
        if now.vm_state != "active" or now.task_state:
            return ""
        started_s = self._nova.started_s(server)
        if started_s is None or started_s <= died_s:
            return ""
        return f"runs again on {now.host}, started {started_s - died_s:.0f} s after its death"

    def apply(self, remedy: Remedy, *, server: str) -> str:
        """Apply the remedy and return how it ended, as one sentence for people."""
        self._stop(server)
        if remedy is Remedy.STOP:
            return "died too often, so it stays stopped; start it when its fault is found"
        problem = self._move(server) if remedy is Remedy.MOVE else ""
        host = self._start(server)
        if problem:
            return f"runs again on {host}; it could not be moved: {problem}"
        return f"runs again on {host}"

    def _stop(self, uuid: str) -> None:
        """Have Nova call it stopped; its process may be gone while Nova calls it active."""
        server = self._look(uuid)
        if server.vm_state == "resized":
            self._nova.reset_to_active(uuid)
        if server.vm_state != "stopped":
            try:
                self._nova.stop(uuid)
            except NovaRefusedError:  # Nova found it out by itself and is faster
                if self._look(uuid).vm_state not in {"stopped", "active"}:
                    raise
        self._until(uuid, "stopped")

    def _move(self, uuid: str) -> str:
        """Migrate it, and return why that was not possible; empty if it was."""
        try:
            self._nova.migrate(uuid)
            server = self._until(uuid, "resized", "error")
            if server.vm_state == "error":
                self._nova.reset_to_active(uuid)
                self._stop(uuid)
                return server.fault
            self._nova.confirm_migration(uuid)
            self._until(uuid, "stopped")
        except NovaRefusedError as error:
            return str(error)
        return ""

    def _start(self, uuid: str) -> str:
        self._nova.start(uuid)
        return self._until(uuid, "active").host or "no host"

    def _until(self, uuid: str, *states: str) -> Server:
        until_s = self._clock.now_s() + self._deadline_s
        while True:
            self._going_on()
            server = self._look(uuid)
            if server.vm_state in states and server.task_state is None:
                return server
            if self._clock.now_s() >= until_s:
                raise NotInTimeError(
                    f"it is {server.vm_state}, doing {server.task_state}, after "
                    f"{self._deadline_s:g} s; see openstack server event list {uuid}"
                )
            self._clock.sleep(self._poll_s)

    def _look(self, uuid: str) -> Server:
        server = self._nova.server(uuid)
        if server is None:
            raise ServerGoneError(f"server {uuid} was deleted while it was recovered")
        return server
