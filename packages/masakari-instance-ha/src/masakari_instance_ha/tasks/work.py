# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What all tasks share: the incident, the signs of life, and how an error leaves a task."""

from __future__ import annotations

import contextlib
import functools
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import masakari.conf
from masakari import exception
from masakari.engine.drivers.taskflow.base import MasakariTask
from masakari.objects.host import Host

from instance_ha import before, ladder
from instance_ha.errors import CloudUnreachableError, FenceError, InstanceHaError, PolicyError
from instance_ha.homecoming import RESERVED
from instance_ha.model import Event, FenceProof
from masakari_instance_ha import fencing, heartbeat, options, servers, store
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.nova import Nova, NovaRefusedError
from masakari_instance_ha.tasks.settled import demand_open_case

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from masakari.compute.nova import API
    from masakari.context import RequestContext

    from instance_ha.before import Before
    from instance_ha.model import Incident
    from instance_ha.ports import Clock, Fencer
    from instance_ha.selection import Selection
    from masakari_instance_ha.records import Server

logger = logging.getLogger(__name__)

CONF = masakari.conf.CONF
options.register(CONF)


@dataclass(frozen=True, kw_only=True)
class Work:
    """One task at work on one host."""

    host: str
    notification: str
    incident: Incident
    store: store.Store
    clock: Clock
    nova: Nova
    by: str
    """For example ``engine@masakari-0``."""
    demand_open: Callable[[], None]
    """Raises once what the notification is about is settled."""

    def say(self, kind: str, text: str, **detail: str) -> None:
        """Add a line to the incident's timeline and to the log."""
        logger.info("%s: %s: %s", self.host, kind, text)
        event = Event(at_s=self.clock.now_s(), actor=self.by, kind=kind, text=text, detail=detail)
        self.store.record(self.incident, event)

    @property
    def selection(self) -> Selection:
        """Which servers move in the host's segment."""
        return servers.rules(CONF, host_failure=CONF.host_failure).of(self.incident.segment)

    def servers(self) -> Sequence[Server]:
        """Return what Nova places on the host now, with all that decides who moves."""
        selection, found = self.selection, self.nova.servers_on(self.host).values()
        return [
            self.nova.with_image(server) if selection.needs_image(server.facts) else server
            for server in found
        ]

    def fencer(self) -> Fencer:
        """Return what the options choose to prove that the host cannot write."""
        return fencing.build(
            CONF,
            clock=self.clock,
            by=f"masakari-{self.by}",
            segment=self.incident.segment,
            before_order=self.demand_open,
            tell=lambda text: self.say("fence", text, left=text.partition(":")[0]),
        )

    def storage(self) -> Fencer | None:
        """Return what has the storage refuse the host, where there is such."""
        return fencing.storage(CONF, clock=self.clock, by=f"masakari-{self.by}")


class RecoveryTask(MasakariTask):
    """A task of a fenced recovery; making one touches nothing."""

    needs = ("host_name", "notification_uuid", "fence_proof")
    gives: str | None = None

    def __init__(self, context: RequestContext, novaclient: API, **kwargs: object) -> None:
        kwargs["requires"] = list(self.needs)
        if self.gives is not None:
            kwargs["provides"] = self.gives
        super().__init__(context, novaclient, **kwargs)

    @contextlib.contextmanager
    def working(self, host: str, *, notification: str) -> Generator[Work]:
        """Work on *host* with signs of life, in the host's incident.

        Raises:
            HostRecoveryFailureException: with the words of whatever error of ours ended the work;
                the kind that Masakari takes for a failure, and shows.
        """
        try:
            kept = open_store()
            by = f"engine@{CONF.instance_ha.unit}"
            demand_open = functools.partial(
                demand_open_case, self.context, host=host, notification=notification, store=kept
            )
            demand_open()
            with heartbeat.beating(
                kept, notification=notification, by=by, every_s=CONF.instance_ha_recovery.heartbeat
            ):
                nova = Nova(self.context)
                incident = _incident(self.context, host, kept=kept, nova=nova, by=by)
                yield Work(
                    host=host,
                    notification=notification,
                    incident=incident,
                    store=kept,
                    clock=SystemClock(),
                    nova=nova,
                    by=by,
                    demand_open=demand_open,
                )
        except InstanceHaError as error:
            self.update_details(str(error), 1.0)
            raise exception.HostRecoveryFailureException(message=str(error)) from error


def proven(fence_proof: Mapping[str, Any], *, host: str) -> FenceProof:
    """Return the proof that a flow carries, checked once more where it matters.

    Raises:
        FenceError: if it is of another host, or is no proof at all.
    """
    hint = "Look at [taskflow_driver_recovery_flows]: instance-ha check"
    try:
        proof = FenceProof(**fence_proof)
    except TypeError as error:
        raise FenceError(host, f"what the flow carries is no proof: {error}", hint=hint) from error
    if proof.host != host:
        raise FenceError(host, f"the flow carries the proof of {proof.host}", hint=hint)
    if not ladder.is_proof(proof.method, proof.answer):
        reason = f"{proof.method} answered {proof.answer!r}, which proves nothing"
        raise FenceError(host, reason, hint=hint)
    return proof


def open_store() -> store.Store:
    """Return the store of this process.

    Raises:
        PolicyError: if no option says where it is.
    """
    url = options.store_url(CONF)
    if url is None:
        raise PolicyError(
            "neither [instance_ha] nor [database] has a connection, so nothing can be recorded. "
            "Run instance-ha check --store"
        )
    return store.connect(url)


def _incident(
    context: RequestContext, host: str, *, kept: store.Store, nova: Nova, by: str
) -> Incident:
    """Return the host's incident; one that people notified by hand may have none yet."""
    if known := kept.unclosed().get(host):
        return known
    told = _before(host, nova=nova)
    segment = Host.get_by_name(context, host).failover_segment.name
    reason = "notified without the controller"
    now_s = SystemClock().now_s()
    opened = kept.open(host, segment=segment, at_s=now_s, reason=reason)
    if told and not any(event.kind == before.KIND for event in kept.events(opened)):
        kept.record(
            opened,
            Event(at_s=now_s, actor=by, kind=before.KIND, text=told.text, detail=told.detail),
        )
    return opened


def _before(host: str, *, nova: Nova) -> Before | None:
    """Return what the flow is about to overwrite.

    Masakari itself has taken the flag of a reserve away by now; Nova still shows why it is
    disabled. A Nova that is away keeps nobody from fencing the host.
    """
    try:
        service = nova.service(host)
    except (CloudUnreachableError, NovaRefusedError) as error:
        logger.warning("%s: what it was before is not known: %s", host, error)
        return None
    return before.tell(
        service,
        reserved=not service.enabled and service.disabled_reason.startswith(RESERVED),
        flow_reason=CONF.host_failure.service_disable_reason,
    )
