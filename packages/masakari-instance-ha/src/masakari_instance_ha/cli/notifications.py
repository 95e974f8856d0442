# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Notifications: what Masakari was told, and what it made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.model import NotificationStatus
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.enrolment import enrolled, find_host
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.cli.vmoves import fields, moves
from masakari_instance_ha.connection import CloudRefusedError, calling

if TYPE_CHECKING:
    from openstack.instance_ha.v1.notification import Notification

    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("uuid", "type", "host", "status", "generated", "updated")
_NOT_FOUND = 404
_OF_HOST = "COMPUTE_HOST"


def describe_notification(notification: Commands) -> None:
    """Describe the verbs of ``notification``."""
    made = notification.verb("list", list_notifications, "list the newest notifications")
    made.add_argument("--host", help="of this host only")
    made.add_argument("--status", choices=[str(status) for status in NotificationStatus])
    made.add_argument("--limit", type=int, default=50, help="default: 50")
    made = notification.verb("show", show_notification, "show one and the moves of its servers")
    made.add_argument("notification", help="its UUID")


def list_notifications(call: Call) -> Table:
    """List the newest notifications first."""
    asked = call.arguments
    query = {} if asked.status is None else {"status": asked.status}
    if asked.host is not None:
        query["source_host_uuid"] = find_host(call, asked.host)[1].uuid
    names = _names(call)
    with calling("list the notifications"):
        found = list(call.cloud.instance_ha.notifications(max_items=asked.limit, **query))
    return Table(
        columns=_COLUMNS,
        rows=[_fields(notification, names) for notification in found],
        empty="no notification",
    )


def show_notification(call: Call) -> Record:
    """Show one notification, its payload and its moves."""
    wanted = call.arguments.notification
    try:
        with calling(f"show notification {wanted}"):
            found = call.cloud.instance_ha.get_notification(wanted)
    except CloudRefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        raise InputError(
            f"there is no notification {wanted}; see instance-ha notification list"
        ) from error
    # Asked for the moves of another kind, Masakari answers that the request is wrong.
    moved = moves(call, wanted) if found.type == _OF_HOST else []
    return Record(
        fields={
            **_fields(found, _names(call)),
            "payload": found.payload,
            "moves": [fields(move) for move in moved],
        }
    )


def _names(call: Call) -> dict[str, str]:
    return {host.uuid: host.name for _, host in enrolled(call)}


def _fields(notification: Notification, names: dict[str, str]) -> dict[str, Value]:
    return {
        "uuid": notification.notification_uuid,
        "type": notification.type,
        "host": names.get(notification.source_host_uuid, notification.source_host_uuid),
        "status": notification.status,
        "generated": notification.generated_time,
        "updated": notification.updated_at,
    }
