# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How the servers of one network's Consul agree on who can be reached.

A server is read for what *it* sees, never through a load balancer, and is believed only while it
shows that it sees at all. The figures were measured with Consul 1.22.7, three servers and five
agents a network, default gossip.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.model import Network, Reach

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

BLIND_SCORE = 4
"""Memberlist's own health score from which a server is not believed.

A server cut off from its network shows 3 after 2 s, 6 after 6 s and 7 from 13 s, that is 20 s
before its first false claim; while 3 of 5 or 4 of 5 agents really died, it was never above 3. It
is the only sign that unmasks a lone server, which stays its own leader for ever.
"""

MAX_CONTACT_MS = 4000
"""Silence of the leader from which a follower is not believed.

A cut follower loses its leader within 7.3 s, and goes on calling everybody alive until 26 s.
"""


class MemberState(enum.StrEnum):
    """Serf's word for a member."""

    ALIVE = "alive"
    LEAVING = "leaving"
    LEFT = "left"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class ServerView:
    """What one Consul server says of its network."""

    server: str
    network: Network
    members: Mapping[str, MemberState]
    """The agents on hosts, without the servers; empty where the server did not answer, or where
    its token may not read nodes (Consul answers 200 and an empty list then)."""
    health_score: int | None
    """``Stats.serf_lan.health_score`` of /v1/agent/self, 0 (well) to 7; None if not said."""
    known_leader: bool
    """The header X-Consul-KnownLeader."""
    last_contact_ms: int
    """The header X-Consul-LastContact."""
    servers_alive: int
    """Servers that are alive in its view, itself included."""
    servers_total: int
    """Servers in its view that have not left."""
    agents_alive: int


def disbelief(view: ServerView) -> str | None:
    """Return why *view* must not be believed, or None if it may be."""
    score, contact_ms = view.health_score, view.last_contact_ms
    faults = {
        "it names no member: no answer, or its token may not read nodes": not view.members,
        "it does not say how well its gossip is": score is None,
        f"its gossip is ill: health score {score}": score is not None and score >= BLIND_SCORE,
        "it knows no leader": not view.known_leader,
        f"its leader has been silent for {contact_ms} ms": contact_ms > MAX_CONTACT_MS,
        f"it sees {view.servers_alive} of {view.servers_total} servers": (
            2 * view.servers_alive <= view.servers_total
        ),
        "it sees no agent alive": not view.agents_alive,
    }
    return next((words for words, present in faults.items() if present), None)


def believed(view: ServerView) -> bool:
    """Return whether what this server says counts."""
    return disbelief(view) is None


def agree(views: Collection[ServerView], configured_servers: int) -> Mapping[str, Reach]:
    """Return what the servers of one network say together of each host.

    Args:
        views: What the servers said; those that did not answer may be missing.
        configured_servers: How many servers the network has, reachable or not.

    Returns:
        ``DOWN`` and ``LEFT`` need a majority of *all* configured servers and nobody who says
        alive, ``UP`` a majority; everything else, absence included, is ``UNKNOWN``.
    """
    heard = [view for view in views if believed(view)]
    majority = configured_servers // 2 + 1
    hosts = {host for view in views for host in view.members}
    return {
        host: _reach([v.members[host] for v in heard if host in v.members], majority=majority)
        for host in sorted(hosts)
    }


def _reach(said: list[MemberState], *, majority: int) -> Reach:
    if said.count(MemberState.ALIVE) >= majority:
        return Reach.UP
    if MemberState.ALIVE in said:
        return Reach.UNKNOWN
    if said.count(MemberState.FAILED) >= majority:
        return Reach.DOWN
    if said.count(MemberState.LEFT) >= majority:
        return Reach.LEFT
    return Reach.UNKNOWN
