# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari and Nova as the controller sees them; implements ``ports.Cloud``."""

from __future__ import annotations

import datetime
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

from oslo_utils import timeutils

from instance_ha.errors import NotificationRefusedError, NotYetError
from instance_ha.model import (
    ComputeService,
    Host,
    Notification,
    NotificationStatus,
    NovaHealth,
    Role,
    Segment,
)
from masakari_instance_ha.connection import CloudRefusedError, calling, every
from masakari_instance_ha.domains import Aggregates, health
from masakari_instance_ha.fleet import MARK
from masakari_instance_ha.latest import Latest
from masakari_instance_ha.remaining import Remaining
from masakari_instance_ha.restoring import BINARY, Restoring

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import openstack.connection
    from openstack.compute.v2.service import Service as NovaService
    from openstack.instance_ha.v1.host import Host as MasakariHost
    from openstack.instance_ha.v1.notification import Notification as MasakariNotification
    from openstack.instance_ha.v1.segment import Segment as MasakariSegment

    from instance_ha.ports import Clock
    from masakari_instance_ha.servers import Rules

logger = logging.getLogger(__name__)

CALM_S = 15.0
"""Age from which Masakari and Nova are read anew while nothing is going on."""

BUSY_S = 2.0
"""The same while a recovery runs, or within a minute after the controller did something."""

HISTORY_S = 86_400.0
"""How far notifications are looked back at: Masakari itself fails what is older and unfinished
(``notifications_expired_interval``)."""

_PAYLOAD = {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"}
"""Normal means that the host's state is certain; Masakari ignores any other word."""

_UNFINISHED = {NotificationStatus.NEW, NotificationStatus.RUNNING, NotificationStatus.ERROR}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What Masakari and Nova said at one moment."""

    hosts: Sequence[Host]
    notifications: Mapping[str, Notification]
    health: NovaHealth

    @property
    def busy(self) -> bool:
        """Whether a recovery is under way."""
        return any(n.status in _UNFINISHED for n in self.notifications.values())


class StorageFence(Protocol):
    """What may have been told to refuse a host."""

    def lift(self, host: str) -> None:
        """Have the storage listen to *host*; raise ``CloudUnreachableError`` if it cannot."""
        ...


class Releaser(Protocol):
    """What can give a notification back to Masakari's engines."""

    def release(self, notification: str) -> bool:
        """Have another engine take *notification* up; return whether that was needed."""
        ...


class OpenStackCloud:
    """Read Masakari and Nova aside, write to them at once.

    The controller asks for :meth:`hosts` every second. It is answered from a snapshot that a
    thread renews, so a slow API delays no pass; what the controller changed itself is always
    read anew before it is answered.
    """

    def __init__(
        self,
        connection: openstack.connection.Connection,
        *,
        clock: Clock,
        orphans: Releaser,
        rules: Rules,
        storage: StorageFence | None = None,
    ) -> None:
        self._connection = connection
        self._clock = clock
        self._orphans = orphans
        self._rules = rules
        self._remaining = Remaining(connection)
        self._storage = storage
        self._aggregates = Aggregates(connection)
        self._snapshot = Latest(self._read, fresh_s=self._fresh_s)
        self._acted_s = float("-inf")
        self._restoring = Restoring(connection)

    def hosts(self) -> Sequence[Host]:
        """Return every enrolled host, with its segment and its compute service."""
        return self._snapshot.get().hosts

    def notifications(self) -> Mapping[str, Notification]:
        """Return the newest COMPUTE_HOST notification of each host that has one."""
        return self._snapshot.get().notifications

    def health(self) -> NovaHealth:
        """Return whether Nova could move servers now."""
        return self._snapshot.get().health

    def servers_on(self, host: str) -> int:
        """Return how many servers Nova still places on *host* that a recovery would move."""
        known = self._snapshot.get()
        segments = [each.segment.name for each in known.hosts if each.name == host]
        notification = known.notifications.get(host)
        return self._remaining.count(
            host,
            selection=self._rules.of(segments[0]) if segments else self._rules.default,
            notification=notification.uuid if notification else None,
        )

    def notify(self, host: str, *, at_s: float) -> Notification:
        """Tell Masakari that *host* is lost; raise ``NotificationRefusedError`` if it declines."""
        try:
            with calling(f"notify Masakari of {host}"):
                made = self._connection.instance_ha.create_notification(
                    type="COMPUTE_HOST",
                    hostname=host,
                    generated_time=_iso(at_s),
                    payload=_PAYLOAD,
                )
        except CloudRefusedError as error:
            raise NotificationRefusedError(host, error.reason) from error
        finally:
            self._acted()
        return _notification(made, host=host)

    def release_orphan(self, notification: str) -> None:
        """Give a notification that no engine works on any more back to the engines."""
        self._orphans.release(notification)
        self._acted()

    def end_maintenance(self, host: Host) -> None:
        """Clear Masakari's on_maintenance flag of *host*.

        Raises:
            NotYetError: while a notification of the whole segment is unfinished: Masakari
                changes none of its hosts then.
        """
        self._update(host, on_maintenance=False)

    def return_to_service(self, host: Host, *, role: Role = Role.WORK, reason: str = "") -> None:
        """Un-force the host's compute service, end its maintenance, make it what *role* says.

        A part may be done when this raises; see :mod:`masakari_instance_ha.restoring`. Servers
        come last: a host that gets them while Masakari has it on maintenance is not recovered
        when it is lost again.

        Raises:
            NotYetError: while a step has to wait.
        """
        becomes = {"reserved": True} if role is Role.RESERVE else {}
        try:
            with calling(f"return {host.name} to service"):
                service = self._restoring.unforce(host.name)
                self.open_storage(host.name)
                self._update(host, on_maintenance=False, **becomes)
                self._restoring.settle(service, role=role, reason=reason)
        except CloudRefusedError as error:
            raise NotYetError(str(error)) from error
        finally:
            self._acted()

    def open_storage(self, host: str) -> None:
        """Have the storage listen to *host* again; nothing happens where it does.

        Called once Nova lets the host be un-forced: then nothing runs there any more that was
        evacuated from it.
        """
        if self._storage is not None:
            self._storage.lift(host)

    # Within

    def _update(self, host: Host, **changes: bool) -> None:
        """Change what Masakari keeps of *host*; raise ``NotYetError`` while it declines."""
        try:
            with calling(f"change {host.name} in Masakari"):
                self._connection.instance_ha.update_host(host.uuid, host.segment.uuid, **changes)
        except CloudRefusedError as error:
            raise NotYetError(str(error)) from error
        finally:
            self._acted()

    def _acted(self) -> None:
        self._acted_s = time.monotonic()
        self._snapshot.outdate()

    def _fresh_s(self, snapshot: Snapshot) -> float:
        acted_lately = time.monotonic() - self._acted_s < 60.0
        return BUSY_S if snapshot.busy or acted_lately else CALM_S

    def _read(self) -> Snapshot:
        with calling("list Nova's services"):
            services = list(self._connection.compute.services())
        computes = {service.host: service for service in services if service.binary == BINARY}
        aggregates = self._aggregates.of()
        hosts: dict[str, Host] = {}
        with calling("list Masakari's segments and hosts"):
            masakari = self._connection.instance_ha
            for raw in every(masakari.segments):
                segment = _segment(raw)
                for host in every(partial(masakari.hosts, raw.uuid)):
                    hosts[host.uuid] = _host(
                        host,
                        segment,
                        compute=computes.get(host.name),
                        aggregates=aggregates.get(host.name, ()),
                    )
        return Snapshot(
            hosts=tuple(hosts.values()),
            notifications=self._newest(hosts),
            health=health(services),
        )

    def _newest(self, hosts: Mapping[str, Host]) -> Mapping[str, Notification]:
        with calling("list Masakari's notifications"):
            found = every(
                self._connection.instance_ha.notifications,
                type="COMPUTE_HOST",
                generated_since=_iso(self._clock.now_s() - HISTORY_S),
            )
        newest: dict[str, Notification] = {}
        for raw in found:
            host = hosts.get(raw.source_host_uuid)
            if host is None:  # it was removed from its segment meanwhile
                continue
            made = _notification(raw, host=host.name)
            known = newest.get(host.name)
            if known is None or made.generated_at_s >= known.generated_at_s:
                newest[host.name] = made
        return newest


def _segment(raw: MasakariSegment) -> Segment:
    return Segment(
        uuid=raw.uuid,
        name=raw.name,
        recovery_method=raw.recovery_method,
        enabled=raw.is_enabled is not False,  # releases before 1.2 do not say
    )


def _host(
    raw: MasakariHost,
    segment: Segment,
    *,
    compute: NovaService | None,
    aggregates: Sequence[str],
) -> Host:
    return Host(
        name=raw.name,
        uuid=raw.uuid,
        segment=segment,
        reserved=bool(raw.reserved),
        on_maintenance=bool(raw.on_maintenance),
        service=None if compute is None else _service(compute),
        zone="" if compute is None else compute.availability_zone or "",
        aggregates=tuple(aggregates),
        automatic=raw.control_attributes == MARK,
    )


def _service(raw: NovaService) -> ComputeService:
    return ComputeService(
        up=raw.state == "up",
        enabled=raw.status == "enabled",
        forced_down=bool(raw.is_forced_down),
        disabled_reason=raw.disabled_reason or "",
        updated_at_s=_seconds(raw.updated_at) if raw.updated_at else None,
    )


def _notification(raw: MasakariNotification, *, host: str) -> Notification:
    return Notification(
        uuid=raw.notification_uuid,
        host=host,
        status=NotificationStatus(raw.status),
        generated_at_s=_seconds(raw.generated_time),
        updated_at_s=_seconds(raw.updated_at or raw.created_at or raw.generated_time),
    )


def _seconds(iso: str) -> float:
    return timeutils.parse_isotime(iso).timestamp()


def _iso(seconds: float) -> str:
    """Return the time as Masakari writes it: UTC without saying so, in whole seconds."""
    moment = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return moment.replace(tzinfo=None).isoformat(timespec="seconds")
