# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari and Nova as the controller sees them; implements ``ports.Cloud``."""

from __future__ import annotations

import datetime
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oslo_utils import timeutils

from instance_ha.errors import NotificationRefusedError
from instance_ha.model import ComputeService, Host, Notification, NotificationStatus, Segment
from masakari_instance_ha.connection import CloudRefusedError, calling, every
from masakari_instance_ha.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import openstack.connection

    from instance_ha.ports import Clock
    from masakari_instance_ha.orphans import Orphans

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
_BINARY = "nova-compute"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What Masakari and Nova said at one moment."""

    hosts: Sequence[Host]
    notifications: Mapping[str, Notification]

    @property
    def busy(self) -> bool:
        """Whether a recovery is under way."""
        return any(n.status in _UNFINISHED for n in self.notifications.values())


class OpenStackCloud:
    """Read Masakari and Nova aside, write to them at once.

    The controller asks for :meth:`hosts` every second. It is answered from a snapshot that a
    thread renews, so a slow API delays no pass; what the controller changed itself is always
    read anew before it is answered.
    """

    def __init__(
        self, connection: openstack.connection.Connection, *, clock: Clock, orphans: Orphans
    ) -> None:
        self._masakari = connection.instance_ha
        self._nova = connection.compute
        self._clock = clock
        self._orphans = orphans
        self._snapshot = Latest(self._read, fresh_s=self._fresh_s)
        self._acted_s = float("-inf")
        self._enabled: set[str] = set()

    def hosts(self) -> Sequence[Host]:
        """Return every enrolled host, with its segment and its compute service."""
        return self._snapshot.get().hosts

    def notifications(self) -> Mapping[str, Notification]:
        """Return the newest COMPUTE_HOST notification of each host that has one."""
        return self._snapshot.get().notifications

    def servers_on(self, host: str) -> int:
        """Return how many servers Nova still places on *host*."""
        with calling(f"count the servers on {host}"):
            return sum(1 for _ in self._nova.servers(details=False, all_projects=True, host=host))

    def notify(self, host: str, *, at_s: float) -> Notification:
        """Tell Masakari that *host* is lost; raise ``NotificationRefusedError`` if it declines."""
        generated = datetime.datetime.fromtimestamp(at_s, tz=datetime.UTC)
        try:
            with calling(f"notify Masakari of {host}"):
                made = self._masakari.create_notification(
                    type="COMPUTE_HOST",
                    hostname=host,
                    generated_time=generated.replace(tzinfo=None).isoformat(timespec="seconds"),
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
        """Clear Masakari's on_maintenance flag of *host*."""
        with calling(f"end the maintenance of {host.name}"):
            self._masakari.update_host(host.uuid, host.segment.uuid, on_maintenance=False)
        self._acted()

    def return_to_service(self, host: Host) -> None:
        """Un-force and enable the host's compute service, then clear its maintenance flag.

        Each step waits for the one before, so this is called again until it returns:

        * Nova refuses to un-force a host until its restarted nova-compute has cleaned up what
          was evacuated from it;
        * a service that is enabled while it is down keeps the trait COMPUTE_STATUS_DISABLED in
          Placement and gets no servers. So it is enabled only once it is up, and disabled
          first if somebody enabled it before;
        * Masakari keeps its flag until no notification of the whole segment is unfinished.
        """
        with calling(f"read the compute service of {host.name}"):
            found = list(self._nova.services(binary=_BINARY, host=host.name))
        if not found:
            raise CloudRefusedError(
                f"return {host.name} to service", status=404, reason="Nova knows no such host"
            )
        self._unforce_and_enable(host, found[0])
        self.end_maintenance(host)
        self._enabled.discard(host.name)

    def _unforce_and_enable(self, host: Host, service: Any) -> None:
        doing = f"return {host.name} to service"
        with calling(doing):
            if service.is_forced_down:
                service = self._nova.update_service(service.id, forced_down=False)
            if service.state != "up":
                raise CloudRefusedError(doing, status=409, reason="its nova-compute is not up")
            if host.name not in self._enabled:
                if service.status == "enabled":
                    self._nova.disable_service(service.id)
                self._nova.enable_service(service.id)
                self._enabled.add(host.name)

    def stop(self) -> None:
        """Read no more."""
        self._snapshot.stop()

    # Within

    def _acted(self) -> None:
        self._acted_s = time.monotonic()
        self._snapshot.outdate()

    def _fresh_s(self, snapshot: Snapshot) -> float:
        acted_lately = time.monotonic() - self._acted_s < 60.0
        return BUSY_S if snapshot.busy or acted_lately else CALM_S

    def _read(self) -> Snapshot:
        with calling("list Nova's compute services"):
            services = {s.host: _service(s) for s in self._nova.services(binary=_BINARY)}
        hosts: dict[str, Host] = {}
        with calling("list Masakari's segments and hosts"):
            for raw in every(self._masakari.segments):
                segment = _segment(raw)
                for host in every(self._masakari.hosts, raw.uuid):
                    hosts[host.uuid] = _host(host, segment, services.get(host.name))
        return Snapshot(hosts=tuple(hosts.values()), notifications=self._newest(hosts))

    def _newest(self, hosts: Mapping[str, Host]) -> Mapping[str, Notification]:
        since = datetime.datetime.fromtimestamp(self._clock.now_s() - HISTORY_S, tz=datetime.UTC)
        with calling("list Masakari's notifications"):
            found = every(
                self._masakari.notifications,
                type="COMPUTE_HOST",
                generated_since=since.replace(tzinfo=None).isoformat(timespec="seconds"),
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


def _segment(raw: Any) -> Segment:
    return Segment(
        uuid=raw.uuid,
        name=raw.name,
        recovery_method=raw.recovery_method,
        enabled=raw.is_enabled is not False,  # releases before 1.2 do not say
    )


def _host(raw: Any, segment: Segment, service: ComputeService | None) -> Host:
    return Host(
        name=raw.name,
        uuid=raw.uuid,
        segment=segment,
        reserved=bool(raw.reserved),
        on_maintenance=bool(raw.on_maintenance),
        service=service,
    )


def _service(raw: Any) -> ComputeService:
    return ComputeService(
        up=raw.state == "up",
        enabled=raw.status == "enabled",
        forced_down=bool(raw.is_forced_down),
    )


def _notification(raw: Any, *, host: str) -> Notification:
    return Notification(
        uuid=raw.notification_uuid,
        host=host,
        status=NotificationStatus(raw.status),
        generated_at_s=_seconds(raw.generated_time),
        updated_at_s=_seconds(raw.updated_at or raw.created_at or raw.generated_time),
    )


def _seconds(iso: str) -> float:
    return timeutils.parse_isotime(iso).timestamp()
