# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Bring the ring to what options and relations ask for, from any state.

The leader writes down who the members are; each member renders the same text from that, and says
so; the leader then makes all of Corosync read it at once. Pacemaker's configuration is the
leader's alone to write.
"""

from __future__ import annotations

import hashlib
import logging
import socket
import time
from collections.abc import Mapping, Set

import ops

from hacluster_shim.ring import cib, daemons, fencefiles, keys, look, machine, members
from hacluster_shim.ring.cib import Wanted
from hacluster_shim.ring.keys import Keys
from hacluster_shim.ring.members import Member
from hacluster_shim.ring.options import RingOptions
from hacluster_shim.ring.world import HA, LINKS, REMOTES, RingWorld
from hacluster_shim.snapshot import Maas
from instance_ha.pacemaker import RingView
from instance_ha_relations import hacluster, hanode, pacemaker_remote
from instance_ha_relations.hanode import LayoutData
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.pacemaker_remote import RemoteData

REMOTE_PORT = 3121
_PROBE_S = 2.0
_ELECTION_S = 60.0
"""How long the leader's hook waits for a new ring; with no resources yet it takes 20 s."""
_JOIN_S = 20.0
"""How long a hook waits for a new remote to be connected before it may be fenced."""

logger = logging.getLogger(__name__)


def introduce(charm: ops.CharmBase, peers: ops.Relation) -> None:
    """Tell the peers who this unit is, and which of the ring's files it has."""
    said = hanode.read_node(peers, charm.unit)
    _say(charm, peers, files=said.files if said else "")


def ensure(
    charm: ops.CharmBase,
    world: RingWorld,
    *,
    options: RingOptions,
    maas: Maas | None,
    hypervisors: Mapping[str, HypervisorData],
) -> None:
    """Do this unit's part, and as the leader the ring's.

    Raises:
        RingError: if a daemon refuses or does not answer.
        CrmError: if the principal's request cannot be understood.
    """
    layout = world.layout
    if charm.unit.is_leader():
        layout = _write_layout(charm, world, options=options)
    held = keys.read(charm, layout.secret) if layout.secret else None
    mine = next((each for each in layout.members if each.unit == charm.unit.name), None)
    files, started = "", False
    if held and mine:
        daemons.ensure_installed()
        text = _conf(charm, layout, options=options)
        if maas:
            found = fencefiles.targets(layout.members, world.remotes, hypervisors)
            fencefiles.ensure(maas, found)
        started = daemons.ensure(text, held)
        files = _fingerprint(text, held)
    _say(charm, world.peers, files=files)
    if held and mine:
        _offer_keys(charm, held, options=options)
        if charm.unit.is_leader():
            _load(charm, world, layout, wanted=files)
            if look.settled(within_s=_ELECTION_S if started else 0):
                watched = _configure(world, layout, options=options, maas=maas)
                _tell_watched(charm, world, watched)
        _answer_principal(charm, world, mine.name)


def _say(charm: ops.CharmBase, peers: ops.Relation, *, files: str) -> None:
    here = machine.describe(machine.addresses(charm.model, LINKS), files=files)
    hanode.write_node(peers, charm.unit, here)


def _write_layout(charm: ops.CharmBase, world: RingWorld, *, options: RingOptions) -> LayoutData:
    """Write down the members: those of before, and each unit that came since."""
    layout = world.layout
    known = {member.unit: member for member in layout.members}
    if known or len(world.nodes) >= options.cluster_count:
        for unit, node in world.nodes.items():
            known[unit] = Member(
                name=node.hostname,
                unit=unit,
                node_id=int(unit.rpartition("/")[2]) + 1,
                addresses=tuple(str(address) for address in node.addresses),
                system_id=node.system_id,
                container=node.container,
            )
        secret, _ = keys.ensure(charm)
        ordered = tuple(sorted(known.values(), key=lambda member: member.node_id))
        layout = layout.model_copy(update={"members": ordered, "secret": secret})
        hanode.write_layout(world.peers, charm.app, layout)
    return layout


def _conf(charm: ops.CharmBase, layout: LayoutData, *, options: RingOptions) -> str:
    return members.corosync_conf(
        layout.members, name=charm.app.name, token_ms=options.token_timeout
    )


def _fingerprint(text: str, held: Keys) -> str:
    return hashlib.sha256(f"{held.fingerprint}{text}".encode()).hexdigest()[:16]


def _load(charm: ops.CharmBase, world: RingWorld, layout: LayoutData, *, wanted: str) -> None:
    """Once every member has the same files, make Corosync read them.

    Earlier would part the ring: a reload reaches all members, and one with the old key or an old
    list of members would be left alone with it.
    """
    others = {member.unit for member in layout.members} - {charm.unit.name}
    has = {unit: node.files for unit, node in world.nodes.items()}
    if layout.loaded == wanted or any(has.get(unit) != wanted for unit in others):
        return
    if layout.loaded:
        daemons.tool("corosync-cfgtool", "-R")
        logger.info("the ring took new members, times or keys")
    fresh = layout.model_copy(update={"loaded": wanted})
    hanode.write_layout(world.peers, charm.app, fresh)


def _offer_keys(charm: ops.CharmBase, held: Keys, *, options: RingOptions) -> None:
    plain = held.pacemaker if options.remote_key_in_databag else None
    for relation in charm.model.relations[REMOTES]:
        if charm.unit.is_leader():
            secret = keys.remote_secret(charm)
            secret.grant(relation)
            identity = str(secret.get_info().id)
            pacemaker_remote.offer_key(relation, charm.unit, secret=identity, plain=plain)


def _configure(
    world: RingWorld, layout: LayoutData, *, options: RingOptions, maas: Maas | None
) -> Set[str]:
    """Write Pacemaker's configuration; a new remote is fenced only once it was connected.

    Pacemaker fences what it cannot reach, also a host that has never been part of the ring.
    Returned are the remotes that have been connected.
    """
    now = cib.present()
    remotes = {
        name: remote
        for name, remote in world.remotes.items()
        if name in now.remotes or _answers(remote.address)
    }
    wanted = _wanted(world, layout, remotes, options=options, maas=maas, fenced=now.fenced)
    changed = cib.ensure(wanted)
    new = remotes.keys() - now.fenced
    if new:
        _wait_joined(new, within_s=_JOIN_S if changed else 0)
    joined = {name for name, state in look.ring().remotes.items() if state.joined}
    fenced = now.fenced | joined
    wanted = _wanted(world, layout, remotes, options=options, maas=maas, fenced=fenced)
    if cib.ensure(wanted) or changed:
        logger.info("pacemaker's configuration was brought up to date")
    return remotes.keys() & fenced


def _tell_watched(charm: ops.CharmBase, world: RingWorld, watched: Set[str]) -> None:
    """Let the other members look again: until now they had to call these remotes awaited."""
    layout = hanode.read_layout(world.peers)
    fresh = layout.model_copy(update={"watched": tuple(sorted(watched))})
    if fresh != layout:
        hanode.write_layout(world.peers, charm.app, fresh)


def _wanted(
    world: RingWorld,
    layout: LayoutData,
    remotes: Mapping[str, RemoteData],
    *,
    options: RingOptions,
    maas: Maas | None,
    fenced: frozenset[str] | set[str],
) -> Wanted:
    names = [member.name for member in layout.members]
    ways = {
        member.name: fencefiles.rungs(maas, member.name, container=member.container)
        for member in layout.members
        if maas
    }
    for name, each in remotes.items():
        if maas and each.stonith_hostname and name in fenced:
            ways[name] = fencefiles.rungs(maas, name)
    return Wanted(
        properties=options.properties(),
        failure_timeout_s=options.failure_timeout,
        remotes=list(remotes.values()),
        remote_monitor=(options.remote_monitor_interval, options.remote_monitor_timeout),
        levels={name: rungs for name, rungs in ways.items() if rungs},
        first=names[0] if len(names) == 2 else "",
        request=world.request,
    )


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, REMOTE_PORT), timeout=_PROBE_S):
            return True
    except OSError:
        return False


def _wait_joined(names: set[str], *, within_s: float) -> RingView:
    """Return the ring once all of *names* are connected, or the time is over."""
    end = time.monotonic() + within_s
    while True:
        view = look.ring()
        joined = {name for name, state in view.remotes.items() if state.joined}
        if names <= joined or time.monotonic() >= end:
            return view
        time.sleep(0.5)


def _answer_principal(charm: ops.CharmBase, world: RingWorld, hostname: str) -> None:
    """Say ``clustered`` once this node is a member and all that was asked for is configured."""
    relations = charm.model.relations[HA]
    if not relations:
        return
    daemons.hand_over(world.request.services)
    view = look.settled(within_s=0)
    if view is None:
        return
    node = view.nodes.get(hostname)
    known = {resource.name for resource in view.resources}
    if node and node.online and world.request.resources.keys() <= known:
        for relation in relations:
            hacluster.say_clustered(relation, charm.unit)
