# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Start one server again whose process died."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from masakari import exception
from masakari.engine.drivers.taskflow.base import MasakariTask
from masakari.objects.notification import Notification

from instance_ha import restarts
from instance_ha.errors import InstanceHaError
from instance_ha.restarts import Patience, Remedy, Restart
from instance_ha.selection import is_true
from masakari_instance_ha import heartbeat
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.nova import Nova
from masakari_instance_ha.restarting import Restarter
from masakari_instance_ha.tasks.work import CONF, open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from masakari.compute.nova import API
    from masakari.context import RequestContext

    from masakari_instance_ha.records import Server
    from masakari_instance_ha.store import Store, StoredLease

logger = logging.getLogger(__name__)

_LEFT_ALONE = frozenset({"paused", "rescued"})
_ENOUGH = 100
"""Restarts of one server that are looked back at."""


class RestartError(InstanceHaError):
    """A server could not be started again."""


class RestartInstanceTask(MasakariTask):
    """Stop and start a server, or move it when it has died too often where it is."""

    def __init__(self, context: RequestContext, novaclient: API, **kwargs: object) -> None:
        kwargs["requires"] = ["instance_uuid", "notification_uuid"]
        super().__init__(context, novaclient, **kwargs)

    def execute(self, instance_uuid: str, notification_uuid: str) -> None:
        """Return once the server is what the rule asks for.

        Raises:
            SkipInstanceRecoveryException: if its owner did not ask for it.
            IgnoreInstanceRecoveryException: if it is gone, paused or rescued.
            InstanceRecoveryFailureException: with the words of whatever error of ours it is.
        """
        try:
            kept, nova = open_store(), Nova(self.context)
            by = f"engine@{CONF.instance_ha.unit}"
            with heartbeat.beating(
                kept,
                notification=notification_uuid,
                by=by,
                every_s=CONF.instance_ha_recovery.heartbeat,
            ):
                server = self._wanted(nova.server(instance_uuid), uuid=instance_uuid)
                self._recover(server, nova=nova, kept=kept, notification=notification_uuid)
        except InstanceHaError as error:
            self.update_details(str(error), 1.0)
            raise exception.InstanceRecoveryFailureException(message=str(error)) from error

    def _wanted(self, server: Server | None, *, uuid: str) -> Server:
        if server is None:
            raise exception.IgnoreInstanceRecoveryException(f"server {uuid} is deleted")
        theirs = CONF.instance_failure
        marked = is_true(server.facts.metadata.get(theirs.ha_enabled_instance_metadata_key))
        if not (theirs.process_all_instances or marked):
            self.update_details(f"{server.name} does not ask for recovery", 1.0)
            raise exception.SkipInstanceRecoveryException
        if server.vm_state in _LEFT_ALONE:
            raise exception.IgnoreInstanceRecoveryException(
                f"server {uuid} is {server.vm_state}, which a restart would end"
            )
        return server

    def _told_at_s(self, notification: str) -> float:
        """Return when the server died, as the monitor has it."""
        told: Any = Notification.get_by_uuid(self.context, notification)
        return told.generated_time.timestamp()

    def _recover(self, server: Server, *, nova: Nova, kept: Store, notification: str) -> None:
        clock, options = SystemClock(), CONF.instance_ha_restarts
        died_s = self._told_at_s(notification)
        lease = kept.lease(f"restart:{server.uuid}", holder=notification)
        with _alone(lease, clock=clock, deadline_s=options.deadline) as renew:
            past = kept.restarts.newest(server=server.uuid, limit=_ENOUGH)
            if any(one.at_s > died_s and not one.in_vain for one in past):
                self.update_details(f"{server.name} was recovered meanwhile", 1.0)
                return
            patience = Patience(
                most=options.most, window_s=options.window, then=Remedy(options.then)
            )
            earlier = [one for one in past if one.notification != notification]
            chosen = restarts.remedy(earlier, now_s=clock.now_s(), patience=patience)
            restarter = Restarter(
                nova,
                clock=clock,
                poll_s=CONF.instance_ha_recovery.poll_interval,
                deadline_s=options.deadline,
                going_on=renew,
            )
            outcome = ""
            try:
                if outcome := restarter.runs_again(server.uuid, died_s=died_s):
                    chosen = Remedy.RESTART
                else:
                    outcome = restarter.apply(chosen, server=server.uuid)
            except InstanceHaError as error:
                outcome = f"{restarts.FAILED}: {error}"
                raise RestartError(f"{server.name} is not recovered: {error}") from error
            finally:
                kept.restarts.add(
                    Restart(
                        server=server.uuid,
                        name=server.name,
                        host=server.host or "",
                        notification=notification,
                        at_s=clock.now_s(),
                        remedy=chosen,
                        outcome=outcome or restarts.INTERRUPTED,
                    )
                )
        if chosen is Remedy.STOP:
            logger.error("%s (%s): %s", server.name, server.uuid, outcome)
        self.update_details(f"{server.name}: {outcome}", 1.0)


@contextlib.contextmanager
def _alone(
    lease: StoredLease, *, clock: SystemClock, deadline_s: float
) -> Generator[Callable[[], None]]:
    """Be the only engine that works on the server; a second crash waits for the first."""
    ttl_s = CONF.instance_ha.lease_ttl
    until_s = clock.now_s() + deadline_s

    def renew() -> None:
        if not lease.take(ttl_s=ttl_s):
            raise RestartError("another engine has taken over")

    while not lease.take(ttl_s=ttl_s):
        if clock.now_s() >= until_s:
            raise RestartError("another engine does not come to an end with it")
        clock.sleep(CONF.instance_ha_recovery.poll_interval)
    try:
        yield renew
    finally:
        lease.give_up()
