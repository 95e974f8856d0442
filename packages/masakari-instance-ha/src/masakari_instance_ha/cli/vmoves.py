# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Moves: where each server of a notification went, and how long that took."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import openstack.exceptions

from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.enrolment import find_host
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.connection import CloudRefusedError, calling

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("move", "server", "name", "from", "to", "status", "took_s", "message")
_NOT_FOUND = 404


def describe_moves(move: Commands) -> None:
    """Describe the verbs of ``move``."""
    made = move.verb("list", list_moves, "list where the servers of a notification went")
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("notification", nargs="?", help="its UUID")
    which.add_argument("--host", help="the newest notification of this host")
    made = move.verb("show", show_move, "show where one server of a notification went")
    made.add_argument("notification", help="its UUID")
    made.add_argument("move", help="UUID of the move, or of the server")


def list_moves(call: Call) -> Table:
    """List the moves of one notification."""
    asked = call.arguments
    notification = asked.notification or _newest(call, asked.host)
    return Table(
        columns=_COLUMNS,
        rows=[fields(said) for said in moves(call, notification)],
        empty=f"no server of notification {notification} is on its way",
    )


def show_move(call: Call) -> Record:
    """Show one move.

    Raises:
        InputError: if the notification has none of that name.
    """
    asked = call.arguments
    for said in moves(call, asked.notification):
        if asked.move in (said["uuid"], said["instance_uuid"]):
            return Record(fields=fields(said))
    raise InputError(
        f"notification {asked.notification} has no move {asked.move}; see instance-ha move list "
        f"{asked.notification}"
    )


def moves(call: Call, notification: str) -> Sequence[Mapping[str, Any]]:
    """Return Masakari's own words on the moves of a notification.

    Raises:
        InputError: if there is no such notification.
    """
    try:
        with calling(f"list the moves of notification {notification}"):
            # The SDK's own list asks without a version, for which Masakari knows no vmoves.
            said = call.cloud.instance_ha.get(
                f"/notifications/{notification}/vmoves", microversion="1.3"
            )
            openstack.exceptions.raise_from_response(said)
    except CloudRefusedError as error:
        if error.status != _NOT_FOUND:
            raise
        raise InputError(
            f"there is no notification {notification}; see instance-ha notification list"
        ) from error
    return said.json()["vmoves"]


def fields(said: Mapping[str, Any]) -> Mapping[str, Value]:
    """Return one move in our words."""
    return {
        "move": said.get("uuid"),
        "server": said.get("instance_uuid"),
        "name": said.get("instance_name"),
        "from": said.get("source_host"),
        "to": said.get("dest_host"),
        "status": said.get("status"),
        "took_s": _took_s(said.get("start_time"), said.get("end_time")),
        "message": said.get("message"),
    }


def _newest(call: Call, host: str) -> str:
    query = {"source_host_uuid": find_host(call, host)[1].uuid}
    with calling(f"list the notifications of {host}"):
        found = list(call.cloud.instance_ha.notifications(max_items=1, **query))
    if not found:
        raise InputError(f"masakari was never told of {host}; see instance-ha notification list")
    return found[0].notification_uuid


def _took_s(start: str | None, end: str | None) -> float | None:
    if not start or not end:
        return None
    took = datetime.datetime.fromisoformat(end) - datetime.datetime.fromisoformat(start)
    return took.total_seconds()
