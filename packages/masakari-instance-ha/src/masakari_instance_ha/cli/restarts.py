# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Single servers whose process died, and what was done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masakari_instance_ha.cli.output import Table, moment

if TYPE_CHECKING:
    from masakari_instance_ha.cli.call import Call, Commands

_COLUMNS = ("at", "server", "name", "host", "remedy", "outcome")


def describe_restart(restart: Commands) -> None:
    """Describe the verbs of ``restart``."""
    made = restart.verb("list", list_restarts, "list the newest restarts of single servers")
    made.add_argument("--server", help="of the server of this UUID only")
    made.add_argument("--limit", type=int, default=50, help="default: 50")


def list_restarts(call: Call) -> Table:
    """List the newest restarts first."""
    found = call.store.restarts.newest(server=call.arguments.server, limit=call.arguments.limit)
    rows = [
        {
            "at": moment(one.at_s),
            "server": one.server,
            "name": one.name,
            "host": one.host,
            "remedy": one.remedy.value,
            "outcome": one.outcome,
        }
        for one in found
    ]
    return Table(columns=_COLUMNS, rows=rows, empty="no server was restarted")
