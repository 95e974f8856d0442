# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The power controller: whether it answers for each host now; nothing is ordered."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from masakari_instance_ha import fencing
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.enrolment import enrolled
from masakari_instance_ha.cli.output import Record, Table
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_AT_ONCE = 8
_COLUMNS = ("host", "segment", "result", "power", "took_s", "problem")


@dataclass(frozen=True, kw_only=True)
class PowerAnswer:
    """What the power controller said of one host."""

    power: str
    took_s: float
    problem: str = ""
    """Fact, reason and next step; empty where it answered."""


def describe_fence(fence: Commands) -> None:
    """Describe the verbs of ``fence``."""
    made = fence.verb("check", check_fence, "ask for a host's power state, without any order")
    made.add_argument("host", help="as Nova names it")
    made = fence.verb("test", test_fencing, "ask for the power state of every enrolled host")
    made.add_argument("host", nargs="?", help="default: every host")


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


def test_fencing(call: Call) -> Table:
    """Ask for every host; one that does not answer keeps the others from nothing.

    Raises:
        InputError: if the host that was named is not enrolled.
    """
    wanted = call.arguments.host
    hosts = {
        host.name: segment.name
        for segment, host in enrolled(call)
        if wanted in {None, "", host.name}
    }
    if wanted and not hosts:
        raise InputError(f"there is no host {wanted} in any segment; see instance-ha host list")
    answers = query(call, hosts)
    return Table(
        columns=_COLUMNS,
        rows=[
            {
                "host": host,
                "segment": segment,
                "result": "failed" if answers[host].problem else "ok",
                "power": answers[host].power,
                "took_s": round(answers[host].took_s, 2),
                "problem": answers[host].problem,
            }
            for host, segment in sorted(hosts.items())
        ],
        empty="no host is enrolled; instance-ha host add SEGMENT HOST",
    )


def query(call: Call, hosts: Mapping[str, str]) -> Mapping[str, PowerAnswer]:
    """Return what the power controller says of each host (name -> segment), a few at a time."""
    names: Sequence[str] = sorted(hosts)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        answers = pool.map(partial(_ask, call), names, [hosts[name] for name in names])
        return dict(zip(names, answers, strict=True))


def _ask(call: Call, host: str, segment: str) -> PowerAnswer:
    began_s = time.monotonic()
    try:
        fencer = fencing.build(call.conf, clock=SystemClock(), by="instance-ha", segment=segment)
        power = fencer.check(host)
        problem = _doubt(call, power)
    except InstanceHaError as error:
        power, problem = "unknown", str(error)
    return PowerAnswer(power=power, took_s=time.monotonic() - began_s, problem=problem)


def _doubt(call: Call, power: str) -> str:
    """Return what is wrong with an answer that proves nothing."""
    if call.conf.instance_ha_fencing.mode == "none":
        return "fencing is none by choice, so nothing can prove it off"
    if power == "unknown":
        return "the power controller knows no state of it; look at its machine in MAAS"
    return ""
