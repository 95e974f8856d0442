# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How long a recovery takes, by facts that are not the product's: Nova's log, Ceph's log."""

import dataclasses
import pathlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import host, network, oracle, servers
from .errors import LabError
from .host import Host
from .openstack import novalog, services
from .process import wait_until
from .servers import Server
from .stories.scene import Scene

PATIENCE_S = 600.0
"""For a first evacuate call; the rival takes minutes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recovery:
    """Seconds from the moment when the host lost its power."""

    first_call_s: float
    """Nova was asked for the first evacuation."""
    all_active_s: float
    """Every server is ACTIVE on another host; looked at twice a second."""
    first_write_s: float | None
    """The storage took the first write of a moved server; None without guests."""
    all_write_s: float | None
    """The storage has taken a write of every one of them."""


def power_loss(scene: Scene, lost: Host, guests: Sequence[Server]) -> Recovery:
    """Cut a host's power and measure until all of its guests are elsewhere.

    Raises:
        LabError: if they do not come back, or the logs do not tell.
    """
    ids = {guest.id for guest in guests}
    log = services.NOVA.daemon.log
    read = log.stat().st_size
    began_s = time.time()
    scene.fault(f"{lost.name} loses power")
    host.kill(lost)
    # Until there is a call, Nova's API is not asked anything: that would slow it down.
    called_s = wait_until(
        lambda: calls_s(ids, log=log, read=read),
        within_s=PATIENCE_S,
        what=f"Nova to be asked to evacuate {lost.name}",
        every_s=1.0,
    )
    moved = wait_until(
        lambda: _moved(ids, lost=lost),
        within_s=PATIENCE_S,
        what=f"every server of {lost.name} to be ACTIVE elsewhere",
        every_s=0.5,
    )
    active_s = time.time()
    scene.note("active", f"{len(moved)} servers are ACTIVE elsewhere")
    written_s = [_first_write_s(each, lost=lost) for each in moved] if scene.has_guests else []
    return Recovery(
        first_call_s=min(called_s) - began_s,
        all_active_s=active_s - began_s,
        first_write_s=min(written_s) - began_s if written_s else None,
        all_write_s=max(written_s) - began_s if written_s else None,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Throughput:
    """How fast servers leave a dead host."""

    servers: int
    took_s: float
    """From the first evacuate call that Nova logged to the last evacuation that it calls done."""

    @property
    def per_minute(self) -> float:
        """Evacuations a minute."""
        return 60 * self.servers / self.took_s


def throughput(ids: Sequence[str], *, move: Callable[[], object]) -> Throughput:
    """Measure how long Nova works while *move* has it evacuate these servers.

    Raises:
        LabError: if Nova does not tell of one evacuation of each.
    """
    log = services.NOVA.daemon.log
    read = log.stat().st_size
    move()
    began_s = min(calls_s(set(ids), log=log, read=read))
    return Throughput(servers=len(ids), took_s=max(servers.evacuated_s(ids)) - began_s)


def notification_to_active_s(events: Sequence[Mapping[str, Any]]) -> float:
    """Return the time from the first notification to the last server that became ACTIVE.

    Args:
        events: Of one incident, as ``instance-ha incident show`` tells them.

    Raises:
        LabError: if one of the two is not among them.
    """
    told = {
        kind: [float(event["at_s"]) for event in events if event["kind"] == kind]
        for kind in ("notification", "active")
    }
    for kind, times_s in told.items():
        if not times_s:
            raise LabError(f"the incident tells of no {kind}; read it: instance-ha incident show")
    return max(told["active"]) - min(told["notification"])


def calls_s(ids: set[str], *, log: pathlib.Path, read: int) -> list[float]:
    """Return when Nova was asked to evacuate these servers; the log's first part is known."""
    with log.open(errors="replace") as lines:
        lines.seek(read)
        return [call.at.timestamp() for call in novalog.parse(lines) if call.server in ids]


def _moved(ids: set[str], *, lost: Host) -> list[Server]:
    """Return the servers once all of them are ACTIVE on another host, until then nothing."""
    found = [each for each in servers.listing() if each.id in ids]
    there = [
        each
        for each in found
        if each.status == "ACTIVE" and each.task is None and each.host != lost.name
    ]
    return there if len(there) == len(ids) else []


def _first_write_s(moved: Server, *, lost: Host) -> float:
    """Return when the storage accepted the first write of a moved server."""
    now = host.host(moved.host)
    servers.wait_first_write(moved.id, on=now)
    finding = oracle.examine(moved.id, ran_on=[lost, now], moves=1)
    address = now.address(network.STORAGE)
    found_s = [run.first.timestamp() for run in finding.runs if run.address == address]
    if not found_s:
        raise LabError(f"Ceph's log has no write of {moved.name} from {now.name}")
    return min(found_s)
