# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated Masakari API, and the cloud port over it and Nova."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError, NotificationRefusedError
from instance_ha.model import (
    Host,
    Notification,
    NotificationStatus,
    NovaHealth,
    Role,
    Segment,
)
from instance_ha.simulation.messages import SimBroker
from instance_ha.steps import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.ports import Clock
    from instance_ha.simulation.nova import SimNova
    from instance_ha.simulation.storage import SimStorage
    from instance_ha.simulation.witness import Witness

DUPLICATE_WINDOW_S = 45.0


class SimMasakari:
    """Implements ``ports.Cloud``; refuses what the real one refuses."""

    def __init__(
        self, *, nova: SimNova, storage: SimStorage, clock: Clock, witness: Witness
    ) -> None:
        self.reachable = True
        """Whether its API answers."""
        self.methods: dict[str, str] = {}
        """Segment -> recovery method; what is not named here is ``auto``."""
        self.broker = SimBroker()
        self._nova = nova
        self._storage = storage
        self._clock = clock
        self._witness = witness
        self._segments: dict[str, Segment] = {}
        self._hosts: dict[str, Host] = {}
        self._notifications: dict[str, Notification] = {}

    # What an operator does

    def set_segment(self, name: str, *, enabled: bool) -> None:
        """Make a segment, or enable or disable it."""
        self._segments[name] = Segment(
            uuid=f"segment-{name}",
            name=name,
            recovery_method=self.methods.get(name, "auto"),
            enabled=enabled,
        )

    def ensure_segment(self, name: str) -> None:
        """Make a segment if there is none of that name."""
        if name not in self._segments:
            self.set_segment(name, enabled=True)

    def enrol(
        self,
        host: str,
        *,
        segment: str,
        zone: str = "",
        aggregates: Sequence[str] = (),
        automatic: bool = False,
    ) -> None:
        """Put a host under protection."""
        self._hosts[host] = Host(
            name=host,
            uuid=f"host-{host}",
            segment=self._segments[segment],
            zone=zone,
            aggregates=tuple(aggregates),
            automatic=automatic,
        )

    def segment_uuid(self, name: str) -> str:
        """Return the UUID of the segment of this name."""
        return self._segments[name].uuid

    def remove(self, host: str) -> None:
        """Take a host out of its segment."""
        del self._hosts[host]

    def set_maintenance(self, host: str, *, on: bool) -> None:
        """Set the flag of one host, as operators and engines do."""
        self._hosts[host] = dataclasses.replace(self._hosts[host], on_maintenance=on)

    def set_reserved(self, host: str, *, reserved: bool) -> None:
        """Make a host a reserve, or a host like any other."""
        self._hosts[host] = dataclasses.replace(self._hosts[host], reserved=reserved)

    # What the controller asks for

    def hosts(self) -> Sequence[Host]:
        """Return every enrolled host, with its segment and its compute service."""
        self._ask()
        return [
            dataclasses.replace(
                host,
                segment=self._segments[host.segment.name],
                service=self._nova.service(host.name) if self._nova.knows(host.name) else None,
            )
            for host in self._hosts.values()
        ]

    def notifications(self) -> Mapping[str, Notification]:
        """Return the newest notification of each host that has one."""
        self._ask()
        return {notification.host: notification for notification in self._notifications.values()}

    def health(self) -> NovaHealth:
        """Return whether Nova could move servers now."""
        self._ask()
        return NovaHealth(down=() if self._nova.schedules else ("nova-scheduler",))

    def servers_on(self, host: str) -> int:
        """Return how many servers Nova still places on *host*."""
        self._ask()
        return len(self._nova.servers_on(host))

    def notify(self, host: str, *, at_s: float) -> Notification:
        """Take a notification, unless the host is on maintenance or it looks like the last."""
        self._ask()
        if self._hosts[host].on_maintenance:
            raise NotificationRefusedError(host, "the host is already under maintenance")
        newest = self.notifications().get(host)
        if newest is not None and at_s - newest.generated_at_s <= DUPLICATE_WINDOW_S:
            raise NotificationRefusedError(host, "the notification is a duplicate")
        made = Notification(
            uuid=f"notification-{len(self._notifications) + 1}",
            host=host,
            status=NotificationStatus.NEW,
            generated_at_s=at_s,
            updated_at_s=at_s,
        )
        self._notifications[made.uuid] = made
        self._witness.see_notification(
            host, before=newest, servers_left=len(self._nova.servers_on(host))
        )
        self.broker.publish(made)
        return made

    def release_orphan(self, notification: str) -> None:
        """Give a notification back to the engines, unless it is not running any more."""
        self._ask()
        if self.notification(notification).status is NotificationStatus.RUNNING:
            self.set_status(notification, NotificationStatus.ERROR)

    def end_maintenance(self, host: Host) -> None:
        """Clear the flag; refused while the segment has an unfinished notification."""
        self._ask()
        for notification in self._notifications.values():
            mate = self._hosts.get(notification.host)
            if mate is None or mate.segment.uuid != host.segment.uuid:
                continue
            if notification.status in UNFINISHED:
                raise CloudUnreachableError(f"masakari refuses: {mate.name} is being recovered")
        self.set_maintenance(host.name, on=False)

    def return_to_service(self, host: Host, *, role: Role = Role.WORK, reason: str = "") -> None:
        """Un-force the host's compute service, end its maintenance, make it what *role* says."""
        self._ask()
        self._nova.unforce(host.name)
        self.open_storage(host.name)
        self.end_maintenance(host)
        if role is Role.RESERVE:
            self.set_reserved(host.name, reserved=True)
        if role is Role.WORK:
            self._nova.enable(host.name)
        else:
            self._nova.disable(host.name, reason=reason)

    def open_storage(self, host: str) -> None:
        """Have the storage listen to *host* again."""
        self._storage.lift(host)

    def segments(self) -> Sequence[str]:
        """Return the segments' names."""
        return tuple(self._segments)

    # What an engine does

    def all_notifications(self) -> Sequence[Notification]:
        """Return every notification, the oldest first."""
        return tuple(self._notifications.values())

    def notification(self, uuid: str) -> Notification:
        """Return one notification as it is now."""
        return self._notifications[uuid]

    def set_status(self, notification: str, status: NotificationStatus) -> None:
        """Write how far a notification got."""
        self._notifications[notification] = dataclasses.replace(
            self._notifications[notification], status=status, updated_at_s=self._clock.now_s()
        )

    def segment_of(self, host: str) -> Segment:
        """Return the host's segment."""
        return self._segments[self._hosts[host].segment.name]

    def _ask(self) -> None:
        if not self.reachable:
            raise CloudUnreachableError("masakari's API does not answer; check masakari-api")
