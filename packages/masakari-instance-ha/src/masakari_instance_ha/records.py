# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Nova says of a server and of its evacuations, and what follows from it."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.selection import ServerFacts

if TYPE_CHECKING:
    from novaclient.base import Resource

_LET_READ = (
    "Its volume is encrypted: let Masakari's service user read the key, with enable-secret-access "
    "or the role secret-decrypter"
)

_FAILED = frozenset({"failed", "error", "cancelled"})
_OVER = _FAILED | {"completed"}
_EXISTS = re.compile(r"Instance \S+ already exists")
_SKEW_S = 10.0
"""So far apart the clocks of Nova's services may be; Nova itself calls a host dead at 60 s."""
_UNTOUCHED = frozenset({"accepted", "done"})
_ARRIVED = frozenset({"done", "completed"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """What Nova says of one server now."""

    uuid: str
    name: str
    host: str | None
    vm_state: str
    task_state: str | None = None
    power_state: int = 1
    facts: ServerFacts = field(default_factory=lambda: ServerFacts(name="", vm_state=""))
    fault: str = ""
    """What Nova says of the newest failure; empty unless the server is in error."""
    launched_at_s: float | None = None
    """When a hypervisor had started its guest anew, by that host's clock."""


@dataclass(frozen=True, kw_only=True)
class Evacuation:
    """Nova's record of one evacuation of one server."""

    id: int
    server: str
    status: str
    destination: str | None
    node: str | None = None
    """The destination by the name that Nova has for its hypervisor."""
    ordered_at_s: float = 0.0
    changed_at_s: float = 0.0
    """When its status changed last."""
    older: tuple[Evacuation, ...] = ()
    """Older ones of the same server that reached a host and did not arrive."""

    @property
    def is_under_way(self) -> bool:
        """Whether Nova may still move the server by this record."""
        return self.status not in _OVER

    @property
    def is_busy(self) -> bool:
        """Whether Nova still works by this record; it says so until all is done."""
        return self.is_under_way and self.status not in _ARRIVED

    @property
    def is_untouched(self) -> bool:
        """Whether no compute works on it: not claimed yet, or done."""
        return self.status in _UNTOUCHED

    @property
    def has_failed(self) -> bool:
        """Whether Nova gave it up."""
        return self.status in _FAILED

    @property
    def traces(self) -> tuple[Evacuation, ...]:
        """This one and older ones that reached a host, if nobody knows how far they came."""
        if self.status in _ARRIVED:  # Nova has known since where it is
            return ()
        reached = self.destination is not None and (self.has_failed or not self.is_untouched)
        return (*self.older, self) if reached else self.older

    def begun(self, server: Server) -> tuple[Evacuation, ...]:
        """Return those of the traces that may have left a guest where they went.

        Only there may the server be ordered to be rebuilt, until that host is fenced. Its
        nova-compute refuses a server that it finds in its hypervisor, and a hypervisor runs one of
        each UUID. An older one may go on after a newer order: Nova works by the oldest that is
        accepted.

        One that failed may have left a guest as well: Nova gives it up, and ends nothing, when it
        cannot write down what it has just started. That is told by ``launched_at``, which is
        written with the failure; or by the task state, where that was not written either; or by a
        hypervisor that has the server already.
        """
        return tuple(one for one in self.traces if one.is_under_way or self._started(one, server))

    def _started(self, one: Evacuation, server: Server) -> bool:
        if one is self and (
            server.task_state == "rebuild_spawning" or _EXISTS.match(server.fault) is not None
        ):
            return True
        launched_at_s = server.launched_at_s
        if launched_at_s is None:
            return False
        return one.ordered_at_s - _SKEW_S <= launched_at_s <= one.changed_at_s + _SKEW_S


def evacuation(found: Resource) -> Evacuation:
    """Read a record of Nova's client."""
    return Evacuation(
        id=found.id,
        server=found.instance_uuid,
        status=found.status,
        destination=found.dest_compute,
        node=found.dest_node,
        ordered_at_s=time_s(found.created_at) or 0.0,
        changed_at_s=time_s(found.updated_at or found.created_at) or 0.0,
    )


def time_s(said: str | None) -> float | None:
    """Return a time of Nova's, which is UTC without saying so."""
    if said is None:
        return None
    return datetime.datetime.fromisoformat(said).replace(tzinfo=datetime.UTC).timestamp()


def fault(*, message: str = "", details: str = "", **_: object) -> str:
    """Return what Nova tells an administrator of a failure, and what to do where we know it.

    Of an exception that is none of Nova's own the message is the bare name, as everybody may read
    it; what it said is in the traceback.
    """
    said = re.findall(rf"^(?:[\w.]+\.)?{re.escape(message)}: (.+)$", details, re.MULTILINE)
    told = f"{message}: {said[-1]}" if message and said else message
    refused = message == "KeyManagerError" and "Forbidden" in told
    return f"{told}. {_LET_READ}" if refused else told
