# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The actions by which people power a hypervisor off, with proof, and on again.

A hypervisor of a ring is switched by the ring, so that Pacemaker knows of it; any other one by the
ladder, as the engine does it.
"""

from __future__ import annotations

import datetime
import logging

import ops
import pydantic

from hacluster_shim import life, power, snapshot
from hacluster_shim.ring import acts, look
from hacluster_shim.ring.daemons import RingError
from hacluster_shim.ring.world import remote_names
from instance_ha.errors import FenceError, PolicyError
from instance_ha.pacemaker import PacemakerAnswerError

logger = logging.getLogger(__name__)


class OrderError(Exception):
    """The order is not given, for the reason in its words."""


class UnfenceParams(pydantic.BaseModel):
    """Of ``unfence-host``."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    host: str = pydantic.Field(pattern=r"^[\w.-]+$")
    confirm: bool = False


class FenceParams(UnfenceParams):
    """Of ``fence-host``."""

    force: bool = False


class Orders(ops.Object):
    """Runs the actions ``fence-host`` and ``unfence-host``."""

    def __init__(self, charm: ops.CharmBase) -> None:
        super().__init__(charm, "orders")
        self._charm = charm
        self.framework.observe(charm.on["fence_host"].action, self._on_fence_host)
        self.framework.observe(charm.on["unfence_host"].action, self._on_unfence_host)

    def _on_fence_host(self, event: ops.ActionEvent) -> None:
        """Power a hypervisor off, and return the proof."""
        params = event.load_params(FenceParams, errors="fail")
        if not params.confirm:
            event.fail(f"{params.host} would be powered off hard, guests and all; confirm=true")
            return
        try:
            event.set_results(self._fence(params))
        except (OrderError, RingError, PacemakerAnswerError, FenceError, PolicyError) as error:
            event.fail(f"not proven off: {error}")

    def _on_unfence_host(self, event: ops.ActionEvent) -> None:
        """Power a hypervisor on."""
        params = event.load_params(UnfenceParams, errors="fail")
        if not params.confirm:
            event.fail(f"{params.host} would be powered on; see that its guests do not run twice")
            return
        try:
            event.set_results(self._unfence(params.host))
        except (OrderError, RingError, PacemakerAnswerError, FenceError, PolicyError) as error:
            event.fail(f"not ordered on: {error}")

    def _fence(self, params: FenceParams) -> dict[str, str]:
        host, world = params.host, snapshot.take(self._charm)
        in_ring = host in remote_names(self._charm)
        if not params.force:
            _require_lost(host, world=world, in_ring=in_ring)
        logger.warning("fence-host: %s is ordered off%s", host, " (force)" * params.force)
        if in_ring:
            acts.fence(host)
            return {"host": host, "answer": "off", "method": "pacemaker"}
        with power.switching(_maas(world, host), world.hypervisors, by=self._by) as switches:
            proof = power.fence(switches, host)
        return {
            "host": host,
            "answer": proof.answer,
            "method": proof.method,
            "target": proof.target,
            "ordered-at": _iso(proof.ordered_at_s),
            "confirmed-at": _iso(proof.confirmed_at_s),
            "by": proof.by,
        }

    def _unfence(self, host: str) -> dict[str, str]:
        logger.warning("unfence-host: %s is ordered on", host)
        if host in remote_names(self._charm):
            acts.unfence(host)
            return {"host": host, "method": "pacemaker"}
        world = snapshot.take(self._charm)
        with power.switching(_maas(world, host), world.hypervisors, by=self._by) as switches:
            rung, target = power.power_on(switches, host)
        return {"host": host, "method": rung, "target": target}

    @property
    def _by(self) -> str:
        return f"action of {self._charm.unit.name}"


def _maas(world: snapshot.World, host: str) -> snapshot.Maas:
    if host not in world.hypervisors:
        known = ", ".join(sorted(world.hypervisors)[:10]) or "none"
        raise OrderError(f"no hypervisor is named {host}; known are {known}")
    if world.maas is None:
        raise OrderError(f"not ready: {world.problems[0].message}")
    return world.maas


def _require_lost(host: str, *, world: snapshot.World, in_ring: bool) -> None:
    """Refuse to go on while anything shows that the hypervisor runs, or nothing can show it."""
    if in_ring:
        state = look.ring().remotes.get(host)
        if state is not None and state.joined:
            raise OrderError(f"{host} is connected to the ring; add force=true to fence it")
        return
    _maas(world, host)
    address = world.hypervisors[host].address
    if not address:
        raise OrderError(f"{host} has told no address to look at; add force=true if it is lost")
    if sign := life.sign(address):
        raise OrderError(f"{host} is not lost: {sign}; add force=true to fence it all the same")


def _iso(time_s: float) -> str:
    return datetime.datetime.fromtimestamp(time_s, tz=datetime.UTC).isoformat(timespec="seconds")
