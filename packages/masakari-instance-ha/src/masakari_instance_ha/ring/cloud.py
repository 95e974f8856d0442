# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Masakari whose engine fences nothing by itself and waits for Nova to notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import NotificationRefusedError
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.connection import CloudRefusedError, calling
from masakari_instance_ha.restoring import BINARY

if TYPE_CHECKING:
    import openstack.connection

    from instance_ha.model import Notification
    from instance_ha.ports import Clock
    from masakari_instance_ha.servers import Rules


class NoOrphans:
    """There is no way into Masakari's database from here, so its engines are left to it."""

    def release(self, notification: str) -> bool:  # noqa: ARG002 - as the real one's
        """Change nothing."""
        return False


class RingCloud(OpenStackCloud):
    """Masakari and Nova, where the ring has powered the host off before anything is told."""

    def __init__(
        self, connection: openstack.connection.Connection, *, clock: Clock, rules: Rules
    ) -> None:
        super().__init__(connection, clock=clock, orphans=NoOrphans(), rules=rules)
        self._nova = connection

    def notify(self, host: str, *, at_s: float) -> Notification:
        """Tell Nova that the host is down, which else takes a minute, and then Masakari."""
        try:
            with calling(f"force {host} down in Nova"):
                for service in self._nova.compute.services(binary=BINARY, host=host):
                    if not service.is_forced_down:
                        self._nova.compute.update_service(service.id, forced_down=True)
        except CloudRefusedError as error:
            raise NotificationRefusedError(host, error.reason) from error
        return super().notify(host, at_s=at_s)
