# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Bring the containers of one unit to what the world asks for, in an order that is safe.

What is missing stops the steps after it and nothing else: a service that already runs is left
alone, because the controller of a cloud in trouble must not go away over a late databag. The same
holds for a plugin that fails its check while an engine runs: evacuation needs the proof that only
our fencing task gives, so a broken plugin can move nothing, and the operator decides when to act.
"""

import logging
import pathlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import ops
from ops import pebble

from masakari_k8s import plugin, rendering, schema, services, workload
from masakari_k8s.services import API, ENGINE, HOSTMONITOR
from masakari_k8s.snapshot import World
from masakari_k8s.workload import Box, CommandError, File, ServiceError
from masakari_k8s.world import Core, Fencing

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One unit: its containers, what it knows, and what the application has recorded."""

    unit: str
    leader: bool
    world: World
    boxes: Mapping[str, Box]
    """Container -> what can be done in it; one whose Pebble does not answer is left out."""
    plugin_tree: pathlib.Path
    schema: str | None
    """The database schema that the leader recorded as done."""
    log_targets: Mapping[str, pebble.LogTargetDict]
    """Where Pebble forwards to what the services write."""

    def ensure(self) -> str | None:
        """Take every step that can be taken. Return the schema that is in place now."""
        engine, core = self.boxes.get(ENGINE), self.world.core
        for where in self.boxes.values():
            workload.ensure_log_targets(where, self.log_targets)
        if self.world.fencing_revoked:
            self._forget_credentials()
        if engine is None or core is None:
            return self.schema
        try:
            stamp = plugin.ensure(engine, self.plugin_tree)
            done = self._ensure_schema(engine, core, stamp)
        except (plugin.PluginMissingError, CommandError) as error:
            logger.error("%s", error)  # noqa: TRY400 - foreseen; the status tells it too
            return self.schema
        if done is not None:
            self._ensure_services(core)
        return done or self.schema

    def _ensure_schema(self, engine: Box, core: Core, stamp: str) -> str | None:
        """Return the schema if it is in place; the leader puts it there, the others wait."""
        files = (*rendering.masakari(core, unit=self.unit), rendering.store(core))
        workload.ensure_files(engine, files)
        wanted = schema.wanted(engine, core.database, plugin=stamp)
        if wanted == self.schema:
            return wanted
        if not self.leader:
            return None
        schema.migrate(engine)
        logger.info("database: schema %s is in place", wanted)
        return wanted

    def _ensure_services(self, core: Core) -> None:
        masakari = rendering.masakari(core, unit=self.unit)
        monitors = rendering.monitors(core, unit=self.unit)
        self._ensure_api(core, masakari)
        fencing, watch = self.world.fencing, self.world.watch
        if fencing is None:
            return
        ours = rendering.instance_ha(core, fencing, None, unit=self.unit)
        self._ensure_recovery(ENGINE, (*masakari, *ours), fencing)
        if watch is not None:
            ours = rendering.instance_ha(core, fencing, watch, unit=self.unit)
            machines = rendering.hypervisors(self.world.hypervisors)
            self._ensure_recovery(HOSTMONITOR, (*monitors, *ours, machines), fencing)

    def _ensure_api(self, core: Core, masakari: tuple[File, ...]) -> None:
        where = self.boxes.get(API)
        if where is not None:
            files = (*masakari, rendering.api_paste(core), rendering.policy())
            workload.ensure_files(where, files)
            _start(API, where, digest=workload.digest(files))

    def _ensure_recovery(self, name: str, files: tuple[File, ...], fencing: Fencing) -> None:
        """Start a service that loads our plugin, once the plugin has proven itself there."""
        where = self.boxes.get(name)
        if where is None:
            return
        stamp = plugin.ensure(where, self.plugin_tree)
        workload.ensure_files(where, files)
        if fencing.credentials is None:
            workload.ensure_gone(where, rendering.CREDENTIALS)
        if fencing.bmcs is None:
            workload.ensure_gone(where, rendering.BMCS)
        if fencing.ceph is None:
            workload.ensure_gone(where, rendering.CEPH_KEYRING)
        digest = workload.digest(files, stamp)
        if plugin.ensure_checked(where, options=services.options(name), subject=digest):
            _start(name, where, digest=digest)
        else:
            logger.error("%s is not started: plugin check: %s", name, plugin.verdict(where))

    def _forget_credentials(self) -> None:
        """Take the power to fence out of the containers; a recovery then fails closed."""
        for name in (ENGINE, HOSTMONITOR):
            where = self.boxes.get(name)
            if where is None:
                continue
            secrets = (rendering.CREDENTIALS, rendering.BMCS, rendering.CEPH_KEYRING)
            if any([workload.ensure_gone(where, path) for path in secrets]):  # noqa: C419 - all
                logger.warning("%s: the power to fence was removed with its relation", name)

    def in_service(self) -> bool:
        """Return whether failures that are reported now are acted upon by this unit."""
        return all(
            name in self.boxes and workload.runs(self.boxes[name], name) for name in (API, ENGINE)
        )

    def problems(self) -> Iterator[ops.StatusBase]:
        """Tell what keeps this unit's services from running, besides what the world lacks."""
        try:
            stamp = plugin.fingerprint(self.plugin_tree)
        except plugin.PluginMissingError:
            yield ops.BlockedStatus("plugin missing: build the charm with tools/stage.py")
            return
        for name in (API, ENGINE, HOSTMONITOR):
            where = self.boxes.get(name)
            if where is None:
                yield ops.WaitingStatus(f"waiting for container {name} to start")
            elif plugin.verdict(where) is not None:
                yield ops.BlockedStatus("plugin check failed: run the check action")
            elif self._ought_to_run(name) and not workload.runs(where, name):
                yield from self._why_down(name, stamp)

    def _ought_to_run(self, name: str) -> bool:
        world = self.world
        needs = {
            API: (world.core,),
            ENGINE: (world.core, world.fencing),
            HOSTMONITOR: (world.core, world.fencing, world.watch),
        }
        return None not in needs[name]

    def _why_down(self, name: str, stamp: str) -> Iterator[ops.StatusBase]:
        engine, core = self.boxes.get(ENGINE), self.world.core
        if engine is None or core is None:
            return  # both are told of by themselves
        try:
            wanted = schema.wanted(engine, core.database, plugin=stamp)
        except CommandError:
            yield ops.BlockedStatus("masakari-image: holds no Masakari; attach another")
            return
        if wanted == self.schema:
            yield ops.BlockedStatus(f"{name} is down: read its container's log")
        elif self.leader:
            yield ops.WaitingStatus("database not migrated yet: see juju debug-log")
        else:
            yield ops.WaitingStatus("waiting for the leader to migrate the database")


def _start(name: str, where: Box, *, digest: str) -> None:
    try:
        if workload.ensure_service(where, name, services.layer(name, where, digest=digest)):
            logger.info("%s: started with configuration %s", name, digest)
    except ServiceError as error:
        logger.error("%s", error)  # noqa: TRY400 - foreseen; the status tells it too
