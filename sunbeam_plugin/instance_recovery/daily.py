# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``sunbeam instance-recovery status | pause | resume | drill``, as lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import asking, verdict
from .errors import SettingsError

if TYPE_CHECKING:
    from .ports import Cloud
    from .verdict import Row, Verdict

MAINTENANCE = "sunbeam cluster maintenance"


def status(cloud: Cloud, nodes: Sequence[str]) -> tuple[list[str], bool]:
    """Return what there is to say of every hypervisor, and whether all is ready."""
    found = asking.readiness(cloud, nodes)
    pauses = verdict.rows(asking.ask(cloud, "show-pauses"), "pauses")
    incidents = verdict.rows(asking.ask(cloud, "list-incidents"), "incidents")
    under_way = [row for row in incidents if str(row.get("state")) not in verdict.OVER]
    lines = [
        *_hosts(found),
        *(f"paused: {_scope(row)}: {row.get('reason')}" for row in pauses),
        *(f"{row['host']}: {row['state']}: {row.get('reason')}" for row in under_way),
        *(f"note: {note}" for note in found.notes),
    ]
    return [*lines, *_verdict(found)], found.ready


def pause(cloud: Cloud, *, reason: str, node: str | None, duration: str | None) -> list[str]:
    """Begin no recovery of a node or of the cloud; return what to say."""
    scope = {} if node is None else {"host": _host(cloud, node)}
    limit = {} if duration is None else {"duration": duration}
    asking.ask(cloud, "pause-recovery", reason=reason, **scope, **limit)
    resume_it = "sunbeam instance-recovery resume" + (f" --node {node}" if node else "")
    ends = f"for {duration}" if duration else f"until {resume_it}"
    return [f"{node or 'the cloud'} is not recovered {ends}"]


def resume(cloud: Cloud, *, node: str | None) -> list[str]:
    """End the pauses of a node or of the cloud; return what to say."""
    scope = {} if node is None else {"host": _host(cloud, node)}
    asking.ask(cloud, "resume-recovery", **scope)
    return [f"{node or 'the cloud'} is recovered again when it is lost"]


def drill(cloud: Cloud, nodes: Sequence[str]) -> tuple[list[str], bool]:
    """Return what would be done with each hypervisor, were it lost now; nothing is switched."""
    found = asking.readiness(cloud, nodes)
    guards = {
        str(row["host"]): row for row in verdict.rows(asking.ask(cloud, "show-guards"), "guards")
    }
    lines = [f"{host.name}: {_would(host, guards.get(host.name, {}))}" for host in found.hosts]
    return [*lines, *_verdict(found)], found.ready


def rest_node(cloud: Cloud, node: str) -> None:
    """Pause a node that goes into maintenance; one that is not enrolled has nothing to pause."""
    host = asking.host_of(cloud, node)
    if host is not None:
        asking.ask(cloud, "pause-recovery", host=host, reason=f"{MAINTENANCE} enable {node}")


def wake_node(cloud: Cloud, node: str) -> None:
    """End the pause of a node that leaves maintenance; a person's other pauses stay."""
    host = asking.host_of(cloud, node)
    for row in verdict.rows(asking.ask(cloud, "show-pauses"), "pauses"):
        if row.get("name") == host and str(row.get("reason", "")).startswith(MAINTENANCE):
            asking.ask(cloud, "resume-recovery", id=row["id"])


def _host(cloud: Cloud, node: str) -> str:
    host = asking.host_of(cloud, node)
    if host is None:
        raise SettingsError(
            f"{node} is in no segment, so it is not recovered anyway. "
            "Names are listed by: sunbeam instance-recovery status"
        )
    return host


def _hosts(found: Verdict) -> list[str]:
    width = max((len(host.name) for host in found.hosts), default=0)
    return [
        f"{host.name:<{width}}  segment {host.segment}  "
        f"{'protected' if host.protected else 'NOT protected'}"
        f"  {f'fence {host.power}' if host.power else 'unfenced by choice'}"
        for host in found.hosts
    ]


def _scope(row: Row) -> str:
    return str(row.get("name") or row.get("scope"))


def _would(host: verdict.Host, guard: Row) -> str:
    if not host.protected:
        return f"not recovered: {host.why}"
    held = str(guard.get("guard") or "")
    if held not in ("", "none"):
        return f"held by {held}: {guard.get('reason')}"
    if host.power:
        return "fenced, then its machines start elsewhere"
    return "its machines start elsewhere WITHOUT a fence"


def _verdict(found: Verdict) -> list[str]:
    if found.ready:
        return ["ready: every hypervisor is protected"]
    return ["not ready:", *(f"  * {reason}" for reason in found.reasons)]
