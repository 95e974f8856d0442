# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Nova's hypervisors as enrolment sees them; implements ``ports.Fleet``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.enrolment import OPT_OUT, Hypervisor
from instance_ha.errors import NotYetError
from masakari_instance_ha.connection import CloudRefusedError, calling, every
from masakari_instance_ha.domains import aggregates_of_hosts
from masakari_instance_ha.latest import Latest
from masakari_instance_ha.restoring import BINARY

if TYPE_CHECKING:
    from collections.abc import Sequence

    import openstack.connection
    from openstack.compute.v2.aggregate import Aggregate
    from openstack.instance_ha.v1.segment import Segment

    from instance_ha.model import Host

MARK = "enrolled by instance-ha"
"""What a host that was enrolled by rule has as its control attributes, which Masakari demands and
nothing reads. A person who wants to keep such a host writes anything else there."""

FRESH_S = 8.0
"""Age from which the hypervisors are read anew; they are asked for every 10 s."""

BARE_METAL = "ironic"


class OpenStackFleet:
    """Read Nova's hypervisors aside, so that a slow Nova delays no pass; enrol them at once."""

    def __init__(
        self, connection: openstack.connection.Connection, *, recovery_method: str = "auto"
    ) -> None:
        self._connection = connection
        self._recovery_method = recovery_method
        self._hypervisors = Latest(self._read, fresh_s=lambda _: FRESH_S)

    def hypervisors(self) -> Sequence[Hypervisor]:
        """Return every hypervisor that Nova has, whatever its state."""
        return self._hypervisors.get()

    def enrol(self, host: str, *, segment: str) -> None:
        """Make *host* one of the segment's, marked as enrolled by rule; make the segment first.

        Raises:
            NotYetError: if Masakari declines, for example as somebody was faster.
        """
        masakari = self._connection.instance_ha
        try:
            with calling(f"enrol {host} into segment {segment}"):
                found = [known for known in every(masakari.segments) if known.name == segment]
                into = found[0] if found else self._make(segment)
                masakari.create_host(
                    into.uuid, name=host, type="COMPUTE", control_attributes=MARK, reserved=False
                )
        except CloudRefusedError as error:
            raise NotYetError(str(error)) from error

    def dismiss(self, host: Host) -> None:
        """Take a host out of its segment; nothing happens if it is out already.

        Raises:
            NotYetError: while Masakari declines, for example as a recovery runs in the segment.
        """
        try:
            with calling(f"take {host.name} out of segment {host.segment.name}"):
                self._connection.instance_ha.delete_host(host.uuid, host.segment.uuid)
        except CloudRefusedError as error:
            raise NotYetError(str(error)) from error

    def _make(self, segment: str) -> Segment:
        return self._connection.instance_ha.create_segment(
            name=segment,
            recovery_method=self._recovery_method,
            description="made by the rule of enrolment",
            service_type="COMPUTE",
        )

    def _read(self) -> Sequence[Hypervisor]:
        nova = self._connection.compute
        with calling("list Nova's hypervisors"):
            services = list(nova.services(binary=BINARY))
            bare = {
                known.service_details["host"]
                for known in nova.hypervisors(details=True)
                if known.hypervisor_type == BARE_METAL
            }
        aggregates = aggregates_of_hosts(self._connection, wanted=_is_segment)
        return [
            Hypervisor(
                name=service.host,
                up=service.state == "up",
                zone=service.availability_zone or "",
                aggregates=tuple(aggregates.get(service.host, ())),
                moves_servers=service.host not in bare,
            )
            for service in services
        ]


def _is_segment(aggregate: Aggregate) -> bool:
    return str((aggregate.metadata or {}).get(OPT_OUT, "")).lower() != "false"
