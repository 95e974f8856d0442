# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Reserved hosts: keep one free as a stand-in, and let it work again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from instance_ha.homecoming import RESERVED
from masakari_instance_ha.cli.call import Call, Commands
from masakari_instance_ha.cli.enrolment import find_host
from masakari_instance_ha.cli.output import Record
from masakari_instance_ha.connection import calling
from masakari_instance_ha.mover import NovaMover

if TYPE_CHECKING:
    from openstack.instance_ha.v1.host import Host
    from openstack.instance_ha.v1.segment import Segment


class ReserveError(InstanceHaError):
    """The host cannot become a reserve, or work again, now."""


def describe_reserving(host: Commands) -> None:
    """Describe ``host reserve`` and ``host restore``."""
    made = host.deed("reserve", reserve_host, "keep an empty host free as a stand-in")
    made.add_argument("host")
    made = host.deed("restore", restore_host, "let a reserved or set aside host work again")
    made.add_argument("host")


def reserve_host(call: Call) -> Record:
    """Keep new servers off a host and mark it as reserved; it must be empty.

    Raises:
        ReserveError: if it was lost, or servers are on it.
    """
    segment, host = find_host(call, call.arguments.host)
    _demand_peace(call, host.name)
    mover = NovaMover(call.cloud)
    mover.cordon(host.name, reason=RESERVED)
    if servers := mover.servers(host.name):
        mover.release(host.name)
        raise ReserveError(
            f"{host.name} is not reserved: {len(servers)} servers are on it, and a stand-in is "
            "empty. Migrate them first, for example with openstack server migrate"
        )
    _update(call, host, segment, reserved=True)
    return Record(
        fields={
            "host": host.name,
            "segment": segment.name,
            "reserved": True,
            "next": "it takes over in segments whose recovery method uses reserves: "
            f"instance-ha segment show {segment.name}",
        }
    )


def restore_host(call: Call) -> Record:
    """Give a host servers again: no reserve, not on maintenance, enabled in Nova.

    Raises:
        ReserveError: if it was lost and is not back yet.
    """
    segment, host = find_host(call, call.arguments.host)
    _demand_peace(call, host.name)
    _update(call, host, segment, reserved=False, on_maintenance=False)
    NovaMover(call.cloud).release(host.name)
    return Record(
        fields={
            "host": host.name,
            "segment": segment.name,
            "reserved": False,
            "on_maintenance": False,
            "next": "nova gives it servers again: openstack compute service list",
        }
    )


def _demand_peace(call: Call, host: str) -> None:
    if host in call.store.unclosed():
        raise ReserveError(
            f"{host} has an incident that is not closed, so it is left to that; "
            f"see instance-ha incident show --host {host}"
        )


def _update(call: Call, host: Host, segment: Segment, **changes: bool) -> None:
    with calling(f"change {host.name} in Masakari"):
        call.cloud.instance_ha.update_host(host.uuid, segment.uuid, **changes)
