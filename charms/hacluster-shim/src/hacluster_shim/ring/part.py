# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ring's part of the charm: its events, its step of the reconcile, its problems."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import ops

from hacluster_shim.ring import daemons, fencefiles, forming, look
from hacluster_shim.ring.actions import RingActions
from hacluster_shim.ring.crm import CrmError
from hacluster_shim.ring.daemons import RingError
from hacluster_shim.ring.world import HA, HANODE, REMOTES, RingWorld, take
from hacluster_shim.snapshot import World
from instance_ha.pacemaker import PacemakerAnswerError, RingView

logger = logging.getLogger(__name__)


class Ring(ops.Object):
    """Keeps the ring, where one is asked for."""

    def __init__(self, charm: ops.CharmBase, *, reconcile: Callable[[], None]) -> None:
        super().__init__(charm, "ring")
        self._charm = charm
        self._refusal = ""
        self.actions = RingActions(charm, reconcile=reconcile)
        self.framework.observe(charm.on.remove, self._on_remove)

    @property
    def events(self) -> Iterator[ops.BoundEvent]:
        """What the charm's reconcile must also follow."""
        for endpoint in (HA, HANODE, REMOTES):
            relation = self._charm.on[endpoint]
            yield relation.relation_created
            yield relation.relation_changed
            yield relation.relation_departed
            yield relation.relation_broken

    def reconcile(self, world: World) -> None:
        """Do this unit's part of the ring; a refusal is logged and becomes the status."""
        if world.config is None:
            return
        if ring := self._world(world):
            forming.introduce(self._charm, ring.peers)
        ring = self._world(world)
        if ring is None:
            return
        try:
            forming.ensure(
                self._charm,
                ring,
                options=world.config,
                maas=world.maas,
                hypervisors=world.hypervisors,
            )
        except (RingError, PacemakerAnswerError) as error:
            self._refusal = "the ring refuses: see juju debug-log"
            logger.error("ring: %s", error)  # noqa: TRY400 - expected
        except CrmError as error:
            self._refusal = f"ha: {error.name} is not understood: see juju debug-log"
            logger.error("ring: %s", error)  # noqa: TRY400 - expected

    def problems(self, world: World) -> Iterator[ops.StatusBase]:
        """Return what is wrong or awaited; nothing where no ring is asked for."""
        if world.config is None:
            return
        ring = self._world(world)
        if ring is None:
            return
        yield from ring.problems
        if self._refusal:
            yield ops.BlockedStatus(self._refusal)
        if self._charm.unit.name not in {member.unit for member in ring.layout.members}:
            return
        if not daemons.is_running():
            yield ops.WaitingStatus("waiting for pacemaker to start")
            return
        try:
            view = look.ring()
        except (RingError, PacemakerAnswerError):
            yield ops.WaitingStatus("waiting for pacemaker to answer")
            return
        yield from _of_view(view, ring)
        yield from _of_remotes(view, ring)

    def _world(self, world: World) -> RingWorld | None:
        if world.config is None:
            return None
        return take(
            self._charm,
            cluster_count=world.config.cluster_count,
            databag_keys=world.config.remote_key_in_databag,
        )

    def _on_remove(self, _: ops.RemoveEvent) -> None:
        """Leave the ring, and nothing of ours on the machine."""
        daemons.remove()
        fencefiles.remove()


def _of_view(view: RingView, ring: RingWorld) -> Iterator[ops.StatusBase]:
    if not view.dc:
        yield ops.WaitingStatus("waiting for the ring to agree on who decides")
    elif not view.quorate:
        yield ops.BlockedStatus("the ring has no quorum: run the status action")
    never_seen = ring.remotes.keys() - set(ring.layout.watched)
    for name, node in view.nodes.items():
        if node.unclean and name not in never_seen:
            yield ops.BlockedStatus(f"{name} is lost and not fenced: run status")


def _of_remotes(view: RingView, ring: RingWorld) -> Iterator[ops.StatusBase]:
    for name in ring.remotes:
        state = view.remotes.get(name)
        if state is None:
            yield ops.WaitingStatus(f"waiting for {name} to answer on port 3121")
        elif not state.joined:
            yield ops.WaitingStatus(f"waiting for {name} to be connected")
    unfenced = sum(not each.stonith_hostname for each in ring.remotes.values())
    if unfenced:
        count = f"{unfenced} of {len(ring.remotes)} remotes"
        yield ops.ActiveStatus(f"danger: {count} not fenced: set enable-stonith")
