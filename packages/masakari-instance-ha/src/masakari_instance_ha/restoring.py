# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A host's compute service in Nova, on its way back.

Every step needs the one before, so a part may be done when a later one has to wait:

* Nova refuses to un-force a host until its restarted nova-compute has settled the evacuations from
  it that are done. We wait for those as well that Nova never ended: a later start of nova-compute
  would settle them, and end the guest of such a server, also one that has moved back meanwhile;
* a service that is enabled while it is down keeps the trait COMPUTE_STATUS_DISABLED in Placement
  and is given no servers. So it is enabled only once it is up, and disabled first if somebody
  enabled it before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import NotYetError
from instance_ha.homecoming import OURS
from instance_ha.model import Role

if TYPE_CHECKING:
    import openstack.connection
    from openstack.compute.v2.service import Service

BINARY = "nova-compute"

_UNSETTLED = frozenset({"accepted", "pre-migrating", "done"})
"""What nova-compute settles as it starts (``_destroy_evacuated_instances``), one per server."""

_ABOUT_TO_ENABLE = f"{OURS}about to be enabled"


class Restoring:
    """Un-force compute services and make them what they are to be."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection  # its first use would call the cloud

    def unforce(self, host: str) -> Service:
        """Return the service once Nova believes its reports and sees it up.

        Raises:
            NotYetError: while Nova has no such service, or does not see it up.
        """
        found = list(self._connection.compute.services(binary=BINARY, host=host))
        if not found:
            raise NotYetError(f"nova knows no compute service of {host}")
        service = found[0]
        if service.is_forced_down:
            self._demand_settled(host)
            service = self._connection.compute.update_service(service.id, forced_down=False)
        if service.state != "up":
            raise NotYetError("nova does not see its nova-compute up yet")
        return service

    def _demand_settled(self, host: str) -> None:
        found = self._connection.compute.migrations(
            migration_type="evacuation", source_compute=host
        )
        if left := sum(one.status in _UNSETTLED for one in found):
            raise NotYetError(
                f"its nova-compute has to settle {left} evacuations from it; "
                "restart it if that does not end"
            )

    def settle(self, service: Service, *, role: Role, reason: str) -> None:
        """Enable the service, or leave it disabled for *reason*."""
        if role is Role.WORK:
            self._enable(service)
        elif service.status == "enabled" or (service.disabled_reason or "") != reason:
            self._connection.compute.disable_service(service.id, disabled_reason=reason)

    def _enable(self, service: Service) -> None:
        if service.status == "enabled":
            self._connection.compute.disable_service(service.id, disabled_reason=_ABOUT_TO_ENABLE)
        self._connection.compute.enable_service(service.id)
