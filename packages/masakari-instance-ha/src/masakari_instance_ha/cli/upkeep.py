# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Checks, the database's tables and the power controller."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from masakari_instance_ha import assembly, fencing, store
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from masakari_instance_ha.cli.call import Call, Commands
    from masakari_instance_ha.preflight import Check


class ChecksFailedError(InstanceHaError):
    """A preflight that found something; what was found is carried along for the output."""

    def __init__(self, checks: list[Check]) -> None:
        failed = [check for check in checks if check.problem]
        super().__init__(
            f"{len(failed)} of {len(checks)} checks failed: {failed[0].name}: {failed[0].problem}"
        )
        self.answer = _report(checks)


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
    fence = top.noun("fence", "the power controller")
    made = fence.verb("check", check_fence, "ask for a host's power state, without any order")
    made.add_argument("host", help="as Nova names it")


def check(call: Call) -> Table:
    """Prove that plugin and configuration work; nothing is changed.

    Raises:
        ChecksFailedError: if something does not.
    """
    from masakari_instance_ha import preflight  # noqa: PLC0415 - loads half of Masakari

    beside = call.files[0].with_name("masakari.conf")
    flows = call.arguments.masakari_config or (beside if beside.is_file() else None)
    checks = preflight.run(
        call.conf, files=call.files, masakari_config=flows, ask_store=call.arguments.store
    )
    if any(one.problem for one in checks):
        raise ChecksFailedError(checks)
    return _report(checks)


def db_sync(call: Call) -> Record:
    """Bring the store's tables to the newest version; safe to repeat."""
    store.migrate(assembly.store_url(call.conf))
    return Record(fields={"store": "is at the newest version"})


def check_fence(call: Call) -> Record:
    """Ask the power controller for a host's state."""
    host = call.arguments.host
    fencer = fencing.build(call.conf, clock=SystemClock(), by="instance-ha")
    return Record(
        fields={
            "host": host,
            "method": call.conf.instance_ha_fencing.mode,
            "power": fencer.check(host),
        }
    )


def _report(checks: list[Check]) -> Table:
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
