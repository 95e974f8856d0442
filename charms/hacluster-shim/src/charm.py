#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Prove that every hypervisor can be fenced, and hand that power to Masakari."""

import datetime
import json
import logging

import ops

from hacluster_shim import checks, offer, power, snapshot, storage
from hacluster_shim.orders import Orders
from hacluster_shim.ring.part import Ring
from instance_ha.ladder import Rung
from instance_ha_relations import events

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Hypervisors tested by one hook; a hook that asks for longer would delay all others."""


class HaclusterShimCharm(ops.CharmBase):
    """Prove that every hypervisor can be fenced, and hand that power to Masakari."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        self.ring = Ring(self, reconcile=self._keep_ring)
        self.orders = Orders(self)
        hypervisors = self.on[snapshot.HYPERVISORS]
        fencing = self.on[snapshot.FENCING]
        ceph = self.on[snapshot.CEPH]
        for event in (
            *events.of_life(self),
            hypervisors.relation_changed,
            hypervisors.relation_departed,
            hypervisors.relation_broken,
            fencing.relation_created,
            ceph.relation_created,
            ceph.relation_changed,
            ceph.relation_broken,
            *self.ring.events,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.secret_remove, self._on_secret_remove)
        framework.observe(self.on.test_fencing_action, self._on_test_fencing)
        framework.observe(self.on.collect_unit_status, self._report_status)

    def _reconcile(self, event: ops.EventBase) -> None:
        """Test what is due, and publish it; only the leader asks MAAS."""
        world = snapshot.take(self)
        self.ring.reconcile(world)
        if self.unit.is_leader():
            snapshot.ask_for_ceph(self)
        if self.unit.is_leader() and world.config and world.maas:
            # Another key, address or machine may work where the last one did not.
            changed = isinstance(event, ops.ConfigChangedEvent | ops.SecretChangedEvent)
            minutes = 0 if changed else world.config.check_interval
            interval = datetime.timedelta(minutes=minutes)
            found = self._test(world, world.maas, interval=interval, at_most=AT_ONCE)
            self._publish(world, world.maas, found)

    def _keep_ring(self) -> None:
        """Bring the ring alone up to date, after an action changed what it shall be."""
        self.ring.reconcile(snapshot.take(self))

    def _test(
        self,
        world: snapshot.World,
        maas: snapshot.Maas,
        *,
        interval: datetime.timedelta,
        at_most: int | None = None,
    ) -> dict[str, checks.FencingTarget]:
        if maas.ceph and world.config and world.config.names(Rung.CEPH):
            storage.ensure_program()
        with power.asking(maas, world.hypervisors) as ask:
            found = checks.refresh(
                world.targets,
                world.hypervisors,
                ask=ask,
                now=datetime.datetime.now(tz=datetime.UTC),
                interval=interval,
                at_most=at_most,
            )
        for name, target in found.items():
            if target.result == "failed" and target != world.targets.get(name):
                logger.warning("%s cannot be fenced: %s", name, target.reason)
        return found

    def _publish(
        self,
        world: snapshot.World,
        maas: snapshot.Maas,
        found: dict[str, checks.FencingTarget],
    ) -> None:
        if found != world.targets:
            snapshot.write_targets(self, found)
        offer.publish(self, maas, found)

    def _on_test_fencing(self, event: ops.ActionEvent) -> None:
        """Ask for every power state now; on the leader also publish what was found."""
        world = snapshot.take(self)
        if world.maas is None:
            event.fail(f"not ready: {world.problems[0].message}")
            return
        found = self._test(world, world.maas, interval=datetime.timedelta(0))
        if self.unit.is_leader():
            self._publish(world, world.maas, found)
        results = {
            name: {"result": target.result, "rungs": target.rungs, "tested-at": target.tested_at}
            for name, target in found.items()
        }
        # As text: a key of an action's result takes fewer letters than a host's name does.
        event.set_results({"hypervisors": json.dumps(results, sort_keys=True)})
        failed = [name for name, target in found.items() if target.result == "failed"]
        if failed:
            event.fail(f"cannot be fenced: {', '.join(failed)}; see the results for each reason")

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        """Forget an old key that nobody reads any more."""
        event.remove_revision()

    def _report_status(self, event: ops.CollectStatusEvent) -> None:
        """Report every problem; ops shows the gravest one."""
        world = snapshot.take(self)
        for problem in (*world.problems, *self.ring.problems(world)):
            event.add_status(problem)
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(HaclusterShimCharm)
