#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Run Masakari so that what a dead hypervisor carried lives on, and never runs twice."""

import functools
import logging
from collections.abc import Mapping

import ops

from instance_ha_relations import events
from masakari_k8s import actions, observation, publication, services, snapshot, workload
from masakari_k8s.deployment import Deployment
from masakari_k8s.snapshot import World

logger = logging.getLogger(__name__)

SILENT = {"tracing"}
"""Endpoints that change nothing here."""


class MasakariCharm(ops.CharmBase):
    """Keep Masakari's three services at what config and relations ask for."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for event in (
            *events.of_life(self),
            *(self.on[name].pebble_ready for name in services.NAMES),
        ):
            framework.observe(event, self._reconcile)
        for endpoint in set(self.meta.relations) - SILENT:
            framework.observe(self.on[endpoint].relation_created, self._reconcile)
            framework.observe(self.on[endpoint].relation_changed, self._reconcile)
            framework.observe(self.on[endpoint].relation_broken, self._reconcile)
        for name in actions.COMMANDS:
            framework.observe(self.on[name].action, self._on_action)
        framework.observe(self.on.check_action, self._on_check)
        framework.observe(self.on.collect_unit_status, self._report_status)

    def _reconcile(self, _: ops.EventBase) -> None:
        """Bring relations and containers to where they should be, from any state."""
        for story in self._world.stories:
            logger.warning("%s", story)
        deployment = self._deployment()
        schema = deployment.ensure()
        if self.unit.is_leader() and schema is not None and schema != deployment.schema:
            publication.record_schema(self, schema)
        publication.publish(self, self._world, in_service=deployment.in_service())
        observation.publish(self)
        self.unit.set_ports(publication.API_PORT)

    @functools.cached_property
    def _world(self) -> World:
        """What Juju says, which is the same for as long as one hook runs."""
        return snapshot.take(self)

    @functools.cached_property
    def _boxes(self) -> Mapping[str, workload.Box]:
        """The containers that answer."""
        boxes = {name: workload.box(self.unit.get_container(name)) for name in services.NAMES}
        return {name: where for name, where in boxes.items() if where is not None}

    def _deployment(self) -> Deployment:
        return Deployment(
            unit=self.unit.name,
            leader=self.unit.is_leader(),
            world=self._world,
            boxes=self._boxes,
            plugin_tree=self.charm_dir / "plugin",
            schema=publication.schema_in_place(self),
            log_targets=observation.log_targets(self, self._world.log_stores),
        )

    def _on_action(self, event: ops.ActionEvent) -> None:
        """Ask the command beside the controller."""
        name = event.handle.kind.removesuffix("_action").replace("_", "-")
        actions.run(event, self.unit, name=name)

    def _on_check(self, event: ops.ActionEvent) -> None:
        """Prove that what a recovery needs is there, and start what waited for that."""
        actions.check(event, self.unit)
        self._reconcile(event)

    def _report_status(self, event: ops.CollectStatusEvent) -> None:
        """Report every problem; ops shows the gravest one."""
        for problem in (*self._world.problems, *self._deployment().problems()):
            event.add_status(problem)
        core = self._world.core
        if core and core.config.tls_insecure:
            event.add_status(ops.ActiveStatus("TLS is not verified; set tls-insecure=false"))
        event.add_status(ops.ActiveStatus())


if __name__ == "__main__":
    ops.main(MasakariCharm)
