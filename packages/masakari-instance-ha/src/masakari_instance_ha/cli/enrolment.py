# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Segments and hosts: what Masakari watches over."""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING

from masakari_instance_ha.cli import findings
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.connection import calling, every

if TYPE_CHECKING:
    from openstack.instance_ha.v1.host import Host
    from openstack.instance_ha.v1.segment import Segment

    from masakari_instance_ha.cli.output import Value

METHODS = ("auto", "auto_priority", "reserved_host", "rh_priority")
SEGMENT_HELP = "name or UUID of a segment"
_SEGMENT = ("name", "uuid", "recovery_method", "enabled", "description")
_HOST = ("name", "segment", "uuid", "reserved", "on_maintenance")


def describe_segment(segment: Commands) -> None:
    """Describe the verbs of ``segment``."""
    segment.verb("list", list_segments, "list the segments")
    made = segment.verb("show", show_segment, "show one segment")
    made.add_argument("segment", help=SEGMENT_HELP)
    made = segment.deed("create", create_segment, "make a segment without hosts")
    made.add_argument("name")
    made.add_argument("--recovery-method", choices=METHODS, default="auto")
    made.add_argument("--description", default="")
    made = segment.deed("update", update_segment, "change a segment")
    made.add_argument("segment", help=SEGMENT_HELP)
    made.add_argument("--name")
    made.add_argument("--recovery-method", choices=METHODS)
    made.add_argument("--description")
    made.add_argument(
        "--enabled",
        action=argparse.BooleanOptionalAction,
        help="whether its hosts are recovered",
    )
    made = segment.deed("delete", delete_segment, "delete a segment with its hosts")
    made.add_argument("segment", help=SEGMENT_HELP)
    _dry_run(made)


def describe_host(host: Commands) -> None:
    """Describe the verbs of ``host``."""
    made = host.verb("list", list_hosts, "list the hosts of one segment or of all")
    made.add_argument("segment", nargs="?", help=SEGMENT_HELP)
    made = host.deed("add", add_host, "enrol a hypervisor")
    made.add_argument("segment", help=SEGMENT_HELP)
    made.add_argument("host", help="as Nova names its compute service")
    made.add_argument("--reserved", action="store_true", help="keep it as a reserve")
    made = host.deed("update", update_host, "change a host")
    made.add_argument("host")
    made.add_argument("--reserved", action=argparse.BooleanOptionalAction)
    made.add_argument(
        "--on-maintenance",
        action=argparse.BooleanOptionalAction,
        help="whether its loss is ignored",
    )
    made = host.deed("remove", remove_host, "end the watch over a host")
    made.add_argument("host")
    _dry_run(made)


def _dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="show it, and change nothing")


def list_segments(call: Call) -> Table:
    """List every segment."""
    return Table(
        columns=_SEGMENT,
        rows=[_segment_fields(segment) for segment in _segments(call)],
        empty="no segment yet; make one: instance-ha segment create NAME",
    )


def show_segment(call: Call) -> Record:
    """Show one segment."""
    segment = find_segment(call, call.arguments.segment)
    hosts = [host.name for _, host in enrolled(call, segment)]
    return Record(fields={**_segment_fields(segment), "hosts": hosts})


def create_segment(call: Call) -> Record:
    """Make a segment."""
    asked = call.arguments
    with calling(f"create segment {asked.name}"):
        made = call.cloud.instance_ha.create_segment(
            name=asked.name,
            recovery_method=asked.recovery_method,
            description=asked.description,
            service_type="COMPUTE",
        )
    return Record(fields=_segment_fields(made))


def update_segment(call: Call) -> Record:
    """Change what was named of a segment."""
    asked = call.arguments
    changes = _named(
        name=asked.name,
        recovery_method=asked.recovery_method,
        description=asked.description,
        is_enabled=asked.enabled,
    )
    segment = find_segment(call, asked.segment)
    with calling(f"update segment {segment.name}"):
        call.cloud.instance_ha.update_segment(segment.uuid, **changes)
    return Record(fields=_segment_fields(find_segment(call, segment.uuid)))


def delete_segment(call: Call) -> Record:
    """Delete a segment, and with it the watch over its hosts."""
    segment = find_segment(call, call.arguments.segment)
    if call.arguments.dry_run:
        hosts = [host.name for _, host in enrolled(call, segment)]
        return Record(fields={"would_delete": segment.name, "unwatched_then": hosts})
    with calling(f"delete segment {segment.name}"):
        call.cloud.instance_ha.delete_segment(segment.uuid, ignore_missing=False)
    return Record(fields={"deleted": segment.name})


def list_hosts(call: Call) -> Table:
    """List the hosts of one segment, or of all."""
    wanted = call.arguments.segment
    segment = None if wanted is None else find_segment(call, wanted)
    protection = findings.protection(call)
    return Table(
        columns=(*_HOST, "protected", "why"),
        rows=[
            {**_host_fields(host, of), **protection(host.name)}
            for of, host in enrolled(call, segment)
        ],
        empty="no host yet; enrol one: instance-ha host add SEGMENT HOST",
    )


def add_host(call: Call) -> Record:
    """Enrol a hypervisor."""
    asked = call.arguments
    segment = find_segment(call, asked.segment)
    with calling(f"add host {asked.host} to segment {segment.name}"):
        call.cloud.instance_ha.create_host(
            segment.uuid,
            name=asked.host,
            type="COMPUTE",
            control_attributes="SSH",  # Masakari demands it, and nothing reads it
            reserved=asked.reserved,
        )
    return Record(fields=_host_fields(find_host(call, asked.host)[1], segment))


def update_host(call: Call) -> Record:
    """Change what was named of a host."""
    asked = call.arguments
    changes = _named(reserved=asked.reserved, on_maintenance=asked.on_maintenance)
    segment, host = find_host(call, asked.host)
    with calling(f"update host {host.name}"):
        call.cloud.instance_ha.update_host(host.uuid, segment.uuid, **changes)
    return Record(fields=_host_fields(find_host(call, asked.host)[1], segment))


def remove_host(call: Call) -> Record:
    """End the watch over a host."""
    segment, host = find_host(call, call.arguments.host)
    if call.arguments.dry_run:
        return Record(fields={"would_remove": host.name, "segment": segment.name})
    with calling(f"remove host {host.name}"):
        call.cloud.instance_ha.delete_host(host.uuid, segment.uuid, ignore_missing=False)
    return Record(fields={"removed": host.name})


def find_segment(call: Call, wanted: str) -> Segment:
    """Return the segment of that name or UUID.

    Raises:
        InputError: if there is none.
    """
    for segment in _segments(call):
        if wanted in (segment.name, segment.uuid):
            return segment
    raise InputError(f"there is no segment {wanted}; see instance-ha segment list")


def find_host(call: Call, wanted: str) -> tuple[Segment, Host]:
    """Return the enrolled host of that name, with its segment.

    Raises:
        InputError: if there is none.
    """
    for segment, host in enrolled(call):
        if wanted == host.name:
            return segment, host
    raise InputError(f"there is no host {wanted} in any segment; see instance-ha host list")


def enrolled(call: Call, segment: Segment | None = None) -> list[tuple[Segment, Host]]:
    """Return the hosts of *segment*, or of all, each with its segment."""
    found: list[tuple[Segment, Host]] = []
    for one in _segments(call) if segment is None else [segment]:
        with calling(f"list the hosts of segment {one.name}"):
            hosts = every(partial(call.cloud.instance_ha.hosts, one.uuid))
        found += [(one, host) for host in hosts]
    return found


def _segments(call: Call) -> list[Segment]:
    with calling("list the segments"):
        return every(call.cloud.instance_ha.segments)


def _named(**changes: str | bool | None) -> dict[str, str | bool]:
    named = {name: value for name, value in changes.items() if value is not None}
    if not named:
        raise InputError("nothing to change was named; see --help for what can be")
    return named


def _segment_fields(segment: Segment) -> dict[str, Value]:
    return {
        "name": segment.name,
        "uuid": segment.uuid,
        "recovery_method": segment.recovery_method,
        "enabled": segment.is_enabled is not False,
        "description": segment.description,
    }


def _host_fields(host: Host, segment: Segment) -> dict[str, Value]:
    return {
        "name": host.name,
        "segment": segment.name,
        "uuid": host.uuid,
        "reserved": bool(host.reserved),
        "on_maintenance": bool(host.on_maintenance),
    }
