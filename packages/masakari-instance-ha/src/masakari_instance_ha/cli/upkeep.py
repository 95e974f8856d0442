# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Checks, and the database's tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masakari_instance_ha import assembly, store, upgrading
from masakari_instance_ha.cli.call import FoundWantingError, InputError
from masakari_instance_ha.cli.output import Record, Table, moment
from masakari_instance_ha.cli.pauses import duration
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masakari_instance_ha.checks import Check
    from masakari_instance_ha.cli.call import Call, Commands

_DAY_S = 86_400.0


def describe_upkeep(top: Commands) -> None:
    """Describe the commands that stand for themselves."""
    made = top.verb("check", check, "prove that plugin and configuration work")
    made.add_argument(
        "--masakari-config",
        type=Path,
        metavar="FILE",
        help="masakari.conf with the task flows; default: beside the configuration file, if any",
    )
    made.add_argument("--store", action="store_true", help="ask the database too")
    top.verb("db-sync", db_sync, "bring the store's tables to the newest version")
    made = top.deed("purge", purge, "remove old rows: of masakari, of its task flows and of ours")
    made.add_argument(
        "--older-than",
        type=duration,
        default=duration("90d"),
        metavar="TIME",
        help="as pause --for takes it; at least 1d; default: 90d",
    )
    made.add_argument("--dry-run", action="store_true", help="count, and remove nothing")
    top.verb("check-upgrade", check_upgrade, "tell what speaks against an upgrade now")


def check(call: Call) -> Table:
    """Prove that plugin and configuration work; nothing is changed.

    Raises:
        FoundWantingError: if something does not.
    """
    from masakari_instance_ha import preflight  # noqa: PLC0415 - loads half of Masakari

    beside = call.files[0].with_name("masakari.conf")
    flows = call.arguments.masakari_config or (beside if beside.is_file() else None)
    checks = preflight.run(
        call.conf, files=call.files, masakari_config=flows, ask_store=call.arguments.store
    )
    return _judge(checks)


def db_sync(call: Call) -> Record:
    """Bring the store's tables to the newest version; safe to repeat."""
    store.migrate(assembly.store_url(call.conf))
    return Record(fields={"store": "is at the newest version"})


def purge(call: Call) -> Table:
    """Remove what is old and over; what is unfinished stays, however old.

    Raises:
        InputError: if that would be the history of today.
    """
    age_s = call.arguments.older_than
    if age_s < _DAY_S:
        raise InputError("what is younger than a day may still be needed; give at least 1d")
    before_s = SystemClock().now_s() - age_s
    heap = call.store.purge
    if call.arguments.dry_run:
        found, word = heap.count(before_s=before_s), "would go"
    else:
        found, word = heap.remove(before_s=before_s), "went"
    return Table(
        columns=("table", "rows", "result", "before"),
        rows=[
            {"table": table, "rows": rows, "result": word, "before": moment(before_s)}
            for table, rows in found.items()
        ],
        empty="the database has none of the tables; run instance-ha db-sync",
    )


def check_upgrade(call: Call) -> Table:
    """Tell what speaks against an upgrade now: a recovery under way, or tables of another age.

    Raises:
        FoundWantingError: if something does.
    """
    checks = upgrading.checks(call.store, url=assembly.store_url(call.conf))
    return _judge(checks)


def _judge(checks: Sequence[Check]) -> Table:
    report = _report(checks)
    failed = [check for check in checks if check.problem]
    if failed:
        first = f"{failed[0].name}: {failed[0].problem}"
        raise FoundWantingError(
            f"{len(failed)} of {len(checks)} checks failed: {first}", answer=report
        )
    return report


def _report(checks: Sequence[Check]) -> Table:
    return Table(
        columns=("check", "result", "problem"),
        rows=[
            {
                "check": one.name,
                "result": "failed" if one.problem else "ok",
                "problem": one.problem,
            }
            for one in checks
        ],
        empty="nothing to check",
    )
