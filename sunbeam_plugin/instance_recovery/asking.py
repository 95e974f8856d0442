# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is asked of the charms, by their actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import verdict
from .errors import ActionFailedError
from .plan import MASAKARI, MONITORS, SHIM
from .ports import Cloud, Model
from .verdict import Row, Verdict

SEGMENTS = "list-segments"
LEAST_PAUSE = "1h"
"""For which recovery rests while everything is taken away; it ends by itself."""


def ask(cloud: Cloud, action: str, **params: object) -> Mapping[str, str]:
    """Run an action of masakari; names of parameters are spelt with dashes there."""
    spelt = {name.replace("_", "-"): value for name, value in params.items()}
    return cloud.run(MASAKARI, Model.CONTROL, action, spelt)


def segments(cloud: Cloud) -> list[str]:
    """Return the names of the failover segments."""
    return [str(row["name"]) for row in verdict.rows(ask(cloud, SEGMENTS), "segments")]


def enrolled(cloud: Cloud) -> list[Row]:
    """Return the hosts of all segments."""
    return [
        row
        for segment in segments(cloud)
        for row in verdict.rows(ask(cloud, "list-hosts", segment=segment), "hosts")
    ]


def host_of(cloud: Cloud, node: str) -> str | None:
    """Return Nova's name of Sunbeam's *node*; None if it is not enrolled."""
    names = [str(row["name"]) for row in enrolled(cloud)]
    return next((name for name in names if verdict.same(name, node)), None)


def recovering(cloud: Cloud) -> list[str]:
    """Return the hypervisors whose recovery is under way."""
    return verdict.open_incidents(verdict.rows(ask(cloud, "list-incidents"), "incidents"))


def power(cloud: Cloud) -> dict[str, Row] | None:
    """Ask for every power state now; None where nobody fences."""
    if SHIM not in cloud.present(Model.MACHINES):
        return None
    try:
        answer = cloud.run(SHIM, Model.MACHINES, "test-fencing", {})
    except ActionFailedError as error:
        if "hypervisors" not in error.results:
            raise
        answer = error.results
    return {
        name: row
        for name, row in verdict.fields(answer, "hypervisors").items()
        if isinstance(row, dict)
    }


def readiness(cloud: Cloud, nodes: Sequence[str]) -> Verdict:
    """Ask everything that tells whether *nodes* are protected."""
    ask(cloud, "check")
    return verdict.judge(
        nodes,
        enrolled=enrolled(cloud),
        power=power(cloud),
        findings=verdict.rows(ask(cloud, "list-findings"), "findings"),
    )


def kill_server(cloud: Cloud, server: str, *, machine: str) -> Mapping[str, str]:
    """Kill the process of a test server on the hypervisor that is *machine*."""
    params = {"server": server, "confirm": True}
    return cloud.run_at(MONITORS, machine, "run-instance-drill", params)
