# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read what the ring is made of once, so that guard and status cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import ops

from hacluster_shim import units
from instance_ha_relations import hacluster, hanode, pacemaker_remote
from instance_ha_relations.errors import RelationDataError
from instance_ha_relations.hacluster import Request
from instance_ha_relations.hanode import LayoutData, NodeData
from instance_ha_relations.pacemaker_remote import RemoteData

HA = "ha"
HANODE = "hanode"
REMOTES = "pacemaker-remote"
LINKS = (HANODE, "ring-1", "ring-2")
"""Bindings whose networks carry Corosync's links."""


@dataclass(frozen=True, kw_only=True)
class RingWorld:
    """What the units say about the ring at this moment."""

    peers: ops.Relation
    nodes: Mapping[str, NodeData]
    """Unit -> who it is; this unit too, once it has said so."""
    layout: LayoutData
    remotes: Mapping[str, RemoteData]
    """Name in Pacemaker -> the hypervisor."""
    request: Request
    """What this unit's principal asks for; empty without one."""
    problems: tuple[ops.StatusBase, ...]


def take(charm: ops.CharmBase, *, cluster_count: int, databag_keys: bool) -> RingWorld | None:
    """Return what there is, or None where nobody asks for a ring.

    Args:
        charm: Whose relations are read.
        cluster_count: How many units it takes before the ring is formed.
        databag_keys: Whether the remotes' key may travel in a databag.
    """
    peers = charm.model.get_relation(HANODE)
    asked = charm.model.relations[HA] or charm.model.relations[REMOTES]
    if peers is None or not asked:
        return None
    problems: list[ops.StatusBase] = []
    nodes = _nodes(charm, peers, problems)
    layout = hanode.read_layout(peers)
    problems += _of_layout(layout, nodes, cluster_count=cluster_count)
    remotes, wrong = read_remotes(charm)
    problems += wrong
    if not databag_keys and not all(remote.reads_secrets for remote in remotes.values()):
        text = "a remote reads no secrets: remote-key-in-databag"
        problems.append(ops.BlockedStatus(text))
    return RingWorld(
        peers=peers,
        nodes=nodes,
        layout=layout,
        remotes=remotes,
        request=_request(charm, problems),
        problems=tuple(problems),
    )


def read_remotes(charm: ops.CharmBase) -> tuple[dict[str, RemoteData], list[ops.StatusBase]]:
    """Return name in Pacemaker -> the hypervisor that is to be watched, and what is wrong."""
    return units.by_name(
        charm.model.relations[REMOTES],
        read=pacemaker_remote.read,
        name=lambda data: data.hostname,
        kind="remotes",
    )


def remote_names(charm: ops.CharmBase) -> list[str]:
    """Return the names in Pacemaker of the hypervisors that are to be watched."""
    remotes, _ = read_remotes(charm)  # what is wrong with the others, the status names
    return list(remotes)


def _nodes(
    charm: ops.CharmBase, peers: ops.Relation, problems: list[ops.StatusBase]
) -> dict[str, NodeData]:
    found: dict[str, NodeData] = {}
    for unit in (charm.unit, *peers.units):
        try:
            data = hanode.read_node(peers, unit)
        except RelationDataError as error:
            problems.append(ops.BlockedStatus(error.summary))
            continue
        if data is None:
            continue
        if data.hostname in {other.hostname for other in found.values()}:
            problems.append(ops.BlockedStatus(f"two units on {data.hostname}: remove one"))
        found[unit.name] = data
    return found


def _of_layout(
    layout: LayoutData, nodes: Mapping[str, NodeData], *, cluster_count: int
) -> list[ops.StatusBase]:
    if not layout.members:
        missing = cluster_count - len(nodes)
        text = f"waiting for {missing} more units for the ring" if missing > 0 else ""
        return [ops.WaitingStatus(text or "waiting for the leader to form the ring")]
    return [
        ops.BlockedStatus(f"{member.name} has no unit any more: run update-ring")
        for member in layout.members
        if member.unit not in nodes
    ]


def _request(charm: ops.CharmBase, problems: list[ops.StatusBase]) -> Request:
    for relation in charm.model.relations[HA]:
        for unit in relation.units:
            try:
                if said := hacluster.read(relation, unit):
                    return said
            except RelationDataError as error:
                problems.append(ops.BlockedStatus(error.summary))
    return Request()
