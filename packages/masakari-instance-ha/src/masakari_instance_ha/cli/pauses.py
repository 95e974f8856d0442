# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pauses: a person's word that nothing irreversible is begun for a while."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from instance_ha.model import PauseScope
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.enrolment import SEGMENT_HELP, find_host, find_segment
from masakari_instance_ha.cli.output import Record, Table, moment
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from instance_ha.model import Pause
    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("id", "scope", "name", "state", "reason", "author", "since", "until")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def describe_pauses(top: Commands) -> None:
    """Describe ``pause``, ``resume`` and ``pauses``."""
    made = top.deed("pause", pause, "begin no recovery of the cloud, a segment or a host")
    _scope(made)
    made.add_argument("--reason", required=True, help="why; shown wherever the pause holds a host")
    made.add_argument(
        "--for",
        dest="lasts_s",
        type=duration,
        metavar="TIME",
        help="it ends by itself after 30s, 90m, 2h, 1d or 1h30m; default: when somebody resumes",
    )
    made = top.deed("resume", resume, "end pauses: of the cloud, a segment or a host")
    made.add_argument("id", type=int, nargs="*", help="numbers; see instance-ha pauses")
    _scope(made)
    made = top.verb("pauses", list_pauses, "list what is paused, by whom and why")
    made.add_argument("--all", action="store_true", help="those that are over, too")


def duration(text: str) -> float:
    """Return the seconds of a time such as ``2h`` or ``1h30m``; more than none."""
    parts = re.findall(r"(\d+)([smhd])", text)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; give for example 2h or 1h30m")
    return float(seconds)


def pause(call: Call) -> Record:
    """Begin a pause; a recovery that is under way stops before its fence or its evacuation."""
    now_s = SystemClock().now_s()
    lasts_s = call.arguments.lasts_s
    scope, target, name = _target(call)
    made = call.store.decisions.pause(
        scope,
        target=target,
        name=name,
        reason=call.arguments.reason,
        author=call.author,
        at_s=now_s,
        until_s=None if lasts_s is None else now_s + lasts_s,
    )
    ends = f"it ends by itself, or: instance-ha resume {made.id}"
    stays = f"nothing ends it but: instance-ha resume {made.id}"
    return Record(
        fields={**_fields(made, now_s=now_s), "next": stays if lasts_s is None else ends}
    )


def resume(call: Call) -> Table:
    """End pauses by number, or all of one scope.

    Raises:
        InputError: if none of them is in force.
    """
    now_s = SystemClock().now_s()
    scope, target, _ = _target(call)
    numbers = set(call.arguments.id)
    ended = [
        found
        for found in call.store.rulings().pauses
        if (found.id in numbers if numbers else (found.scope, found.target) == (scope, target))
    ]
    if missing := numbers - {found.id for found in ended}:
        named = ", ".join(map(str, sorted(missing)))
        raise InputError(f"there is no pause {named} to end; see instance-ha pauses")
    if not ended:
        raise InputError("nothing of that is paused; see instance-ha pauses")
    call.store.decisions.resume([found.id for found in ended], at_s=now_s, author=call.author)
    over = {found.id for found in ended}
    return _table(
        [found for found in call.store.decisions.pauses() if found.id in over], now_s=now_s
    )


def list_pauses(call: Call) -> Table:
    """List the pauses in force, the newest first, or all that there were."""
    now_s = SystemClock().now_s()
    found = call.store.decisions.pauses()
    return _table(
        [each for each in found if call.arguments.all or _state(each, now_s=now_s) == "in force"],
        now_s=now_s,
    )


def _scope(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--segment", help=f"{SEGMENT_HELP}; default: the whole cloud")
    which.add_argument("--host", help="one host")


def _target(call: Call) -> tuple[PauseScope, str, str]:
    """Return scope, target and name of what was typed; the cloud needs no API for that."""
    asked = call.arguments
    if asked.segment is not None:
        segment = find_segment(call, asked.segment)
        return PauseScope.SEGMENT, segment.uuid, segment.name
    if asked.host is not None:
        _, host = find_host(call, asked.host)
        return PauseScope.HOST, host.name, host.name
    return PauseScope.CLOUD, "", ""


def _table(pauses: list[Pause], *, now_s: float) -> Table:
    rows = [_fields(each, now_s=now_s) for each in pauses]
    return Table(columns=_COLUMNS, rows=rows, empty="nothing is paused")


def _fields(pause: Pause, *, now_s: float) -> dict[str, Value]:
    return {
        "id": pause.id,
        "scope": pause.scope.value,
        "name": pause.name,
        "state": _state(pause, now_s=now_s),
        "reason": pause.reason,
        "author": pause.author,
        "since": moment(pause.since_s),
        "until": moment(pause.until_s),
    }


def _state(pause: Pause, *, now_s: float) -> str:
    if pause.ended_at_s is not None:
        return f"ended by {pause.ended_by}"
    if pause.until_s is not None and pause.until_s <= now_s:
        return "ran out"
    return "in force"
