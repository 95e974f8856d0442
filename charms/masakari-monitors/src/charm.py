#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Keep the failure monitors of one hypervisor reporting to one Masakari."""

from __future__ import annotations

import logging

import ops
from charmlibs.systemd import SystemdError

from instance_ha_relations import events, hypervisor, identity_credentials
from masakari_monitors import (
    actions,
    host_monitor,
    identity,
    monitor,
    observation,
    remote,
    snapshot,
    workload,
)

logger = logging.getLogger(__name__)


class MasakariMonitorsCharm(ops.CharmBase):
    """Keep the failure monitors of one hypervisor reporting to one Masakari."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        credentials = self.on[snapshot.CREDENTIALS]
        names = self.on[snapshot.HYPERVISOR]
        authorities = self.on[snapshot.RECEIVE_CA]
        ring = self.on[remote.ENDPOINT]
        agent = self.on[snapshot.COS_AGENT]
        for event in (
            *events.of_life(self),
            credentials.relation_created,
            credentials.relation_changed,
            credentials.relation_broken,
            names.relation_created,
            names.relation_changed,
            ring.relation_joined,
            ring.relation_changed,
            agent.relation_created,
            agent.relation_broken,
            authorities.relation_changed,
            authorities.relation_broken,
        ):
            framework.observe(event, self._reconcile)
        for name in actions.ACTIONS:
            framework.observe(self.on[name].action, self._on_action)
        framework.observe(self.on.remove, self._on_remove)
        framework.observe(self.on.collect_unit_status, self._report_status)

    def _reconcile(self, _: ops.EventBase) -> None:
        """Bring the monitor to what config and relations ask for, from any state."""
        world = snapshot.take(self)
        if world.config is None:
            return  # _report_status tells the operator why
        nova_host = world.config.nova_host or identity.nova_host()
        for relation in self.model.relations[snapshot.HYPERVISOR]:
            data = snapshot.hypervisor(self, nova_host=nova_host)
            hypervisor.write(relation, self.unit, data)
        observation.publish(self)
        self._ask_for_account()
        try:
            if world.ring_key:
                remote.ensure(world.ring_key)
            monitor.ensure(world, nova_host=nova_host, unit=self.unit.name)
        except (workload.InstallError, SystemdError) as error:
            logger.error("the monitors do not run: %s", error)  # noqa: TRY400 - expected
        remote.publish(self, world.config, nova_host=nova_host)

    def _ask_for_account(self) -> None:
        relation = self.model.get_relation(snapshot.CREDENTIALS)
        if relation is not None:
            name = self.app.name
            identity_credentials.request_as_unit(relation, self.unit, username=name)
            if self.unit.is_leader():
                identity_credentials.request(relation, self.app, username=name)

    def _on_action(self, event: ops.ActionEvent) -> None:
        """Do what an operator asks for."""
        actions.answer(event)

    def _on_remove(self, _: ops.RemoveEvent) -> None:
        """Leave nothing of ours on the hypervisor."""
        host_monitor.remove()
        workload.remove()

    def _report_status(self, event: ops.CollectStatusEvent) -> None:
        """Report every problem; ops shows the gravest one."""
        world = snapshot.take(self)
        problems = [*world.problems]
        if world.config is not None and world.account is not None:
            problems += monitor.problems(world.config, observed=world.observed)
        for problem in problems:
            event.add_status(problem)
        event.add_status(monitor.active())


if __name__ == "__main__":
    ops.main(MasakariMonitorsCharm)
