# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who changed what with the command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masakari_instance_ha.cli.output import Table, moment
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.deeds import Deed

if TYPE_CHECKING:
    from masakari_instance_ha.cli.call import Call, Commands

_COLUMNS = ("at", "author", "command", "given", "outcome")
_OURS = {"run", "changes", "author", "config_file", "format", "dry_run"}
"""What stands in every command, or beside."""


def describe_journal(journal: Commands) -> None:
    """Describe the verbs of ``journal``."""
    made = journal.verb("list", list_deeds, "list who changed what with this command")
    made.add_argument("--limit", type=int, default=50, help="default: 50")


def list_deeds(call: Call) -> Table:
    """List the newest deeds first."""
    found = call.store.deeds.newest(limit=call.arguments.limit)
    return Table(
        columns=_COLUMNS,
        rows=[
            {
                "at": moment(deed.at_s),
                "author": deed.author,
                "command": deed.command,
                "given": dict(deed.given),
                "outcome": deed.outcome,
            }
            for deed in found
        ],
        empty="nobody has changed anything with this command",
    )


def write_down(call: Call, *, outcome: str) -> None:
    """Keep who ran a command that changes something, and what came of it.

    Raises:
        StoreUnreachableError: if the database does not answer.
    """
    asked = vars(call.arguments)
    given = {
        name: value if isinstance(value, (str, int, float, bool)) else str(value)
        for name, value in asked.items()
        if name not in _OURS and value is not None and value not in ("", [])
    }
    call.store.deeds.add(
        Deed(
            at_s=SystemClock().now_s(),
            author=call.author,
            command=asked["changes"],
            given=given,
            outcome=outcome,
        )
    )
