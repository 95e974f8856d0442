# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What people order of a ring that runs; knows nothing of Juju."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Sequence

from hacluster_shim.ring import look
from hacluster_shim.ring.daemons import RingError, tool
from instance_ha.pacemaker import RingView

_FENCE_S = 180
"""How long Pacemaker may take to fence a host by hand."""


def describe(view: RingView, *, links: dict[str, dict[str, str]]) -> dict[str, object]:
    """Return the ring in words, for the status action."""
    return {
        "dc": view.dc or "none",
        "quorum": "yes" if view.quorate else "no",
        "nodes": {name: _state(view, name) for name in view.nodes},
        "links": links,
        "resources": _resources(view),
    }


def history(view: RingView) -> list[dict[str, str]]:
    """Return the fencing history, the newest first."""
    return [
        {
            "target": each.target,
            "action": each.action,
            "status": each.status,
            "by": each.delegate,
            "completed": ""
            if each.completed_s is None
            else datetime.datetime.fromtimestamp(each.completed_s, tz=datetime.UTC).isoformat(),
            "reason": each.reason,
        }
        for each in view.fencings
    ]


def cleanup(resource: str) -> None:
    """Forget failures, of all resources if *resource* is empty, so that they are tried anew."""
    tool("crm_resource", "--cleanup", *(["--resource", resource] if resource else []))


def pause(node: str) -> None:
    """Move everything off a node, and let nothing onto it."""
    tool("crm_standby", "--node", node, "--update", "on")


def resume(node: str) -> None:
    """Take a node back to work."""
    tool("crm_standby", "--node", node, "--delete")
    cleanup("")


def fence(host: str) -> None:
    """Make the ring power a host off, and return once Pacemaker has it confirmed."""
    tool("stonith_admin", "--fence", host, "--timeout", f"{_FENCE_S}s", within_s=_FENCE_S + 10)


def unfence(host: str) -> None:
    """Make the ring power a host on; the host joins by itself once it runs."""
    tool("stonith_admin", "--unfence", host, "--timeout", f"{_FENCE_S}s", within_s=_FENCE_S + 10)
    cleanup(host)


def forget(node: str) -> None:
    """Make Pacemaker forget a node or remote that is gone for good."""
    tool("crm_node", "--force", "--remove", node)


def require_calm(*, members: Collection[str], remotes: Collection[str]) -> None:
    """Refuse to go on unless all of the ring is there.

    Raises:
        RingError: if a member is offline, a remote is not connected, or there is no quorum.
    """
    view = look.ring()
    away: Sequence[str] = [
        *(name for name in members if name not in view.nodes or not view.nodes[name].online),
        *(name for name in remotes if name not in view.remotes or not view.remotes[name].joined),
    ]
    if not view.quorate:
        raise RingError("the ring has no quorum: bring its members back first")
    if away:
        raise RingError(f"not connected: {', '.join(away)}: bring them back or remove them first")


def _resources(view: RingView) -> dict[str, str]:
    """Return resource -> where it runs; the instances of a clone have one name."""
    nodes: dict[str, list[str]] = {}
    failed = {each.name for each in view.resources if each.failed}
    for each in view.resources:
        nodes.setdefault(each.name, []).extend(each.nodes)
    return {
        name: " ".join(sorted(on) or ["stopped"]) + (" (failed)" if name in failed else "")
        for name, on in nodes.items()
    }


def _state(view: RingView, name: str) -> str:
    node = view.nodes[name]
    state = view.remotes.get(name)
    online = node.online if state is None else bool(state.joined)
    words = ["remote" if node.remote else "member", "online" if online else "offline"]
    if node.unclean:
        words.append("unclean")
    if node.standby:
        words.append("paused")
    if state is not None and state.fenced_at_s:
        words.append("fenced")
    return " ".join(words)
