# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Guards: what would hold each host, were it lost now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha import guards
from instance_ha.model import Action, Network, Reach, Verdict
from instance_ha.survey import Survey
from masakari_instance_ha import assembly
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Table, moment
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from instance_ha.guards import Hold
    from instance_ha.model import Host
    from instance_ha.policy import Policy
    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("host", "segment", "lost", "guard", "until", "in", "reason")


def describe_guard(guard: Commands) -> None:
    """Describe the verbs of ``guard``."""
    made = guard.verb("show", show_guards, "show which guard holds each host, were it lost now")
    made.add_argument("host", nargs="?", help="default: every host")


def show_guards(call: Call) -> Table:
    """Show what would hold each host; what is lost now is what has an incident.

    Raises:
        InputError: if the host that was named is not enrolled.
    """
    found = survey(call)
    policy = assembly.policy(call.conf)
    wanted = call.arguments.host
    hosts = [host for host in found.hosts.values() if wanted in {None, host.name}]
    if wanted is not None and not hosts:
        raise InputError(f"{wanted} is not enrolled; see instance-ha host list")
    return Table(
        columns=_COLUMNS,
        rows=[_row(host, survey=found, policy=policy) for host in hosts],
        empty="no host is enrolled; instance-ha host add SEGMENT HOST",
    )


def survey(call: Call, *, lost: Collection[str] = ()) -> Survey:
    """Return what a pass of the controller would go by, were these hosts lost too."""
    clock = SystemClock()
    cloud = assembly.cloud(call.conf, clock=clock)
    hosts = {host.name: host for host in cloud.hosts()}
    incidents = call.store.unclosed()
    return Survey(
        now_s=clock.now_s(),
        verdicts=_supposed(hosts, lost={*incidents, *lost}),
        hosts=hosts,
        notifications=cloud.notifications(),
        incidents=incidents,
        rulings=call.store.rulings(),
        health=cloud.health(),
    )


def _supposed(hosts: Iterable[str], *, lost: Collection[str]) -> Mapping[str, Verdict]:
    """Return verdicts without any evidence: what is not supposed to be lost is well."""
    return {
        host: Verdict(
            host=host,
            action=Action.RECOVERY if host in lost else Action.NONE,
            reach=dict.fromkeys(Network, Reach.DOWN if host in lost else Reach.UP),
            reason="is lost, or supposed to be" if host in lost else "it has no incident",
            alive=host not in lost,
        )
        for host in hosts
    }


def _row(host: Host, *, survey: Survey, policy: Policy) -> dict[str, Value]:
    hold = guards.preview(survey, host=host, policy=policy)
    incident = survey.incidents.get(host.name)
    return {
        "host": host.name,
        "segment": host.segment.name,
        "lost": None if incident is None else f"incident {incident.id}, {incident.state}",
        **_told(hold, now_s=survey.now_s),
    }


def _told(hold: Hold | None, *, now_s: float) -> dict[str, Value]:
    if hold is None:
        return {"guard": "none", "until": None, "in": None, "reason": "it would be recovered"}
    left = None if hold.until_s is None else guards.duration(hold.until_s - now_s)
    return {
        "guard": hold.guard,
        "until": moment(hold.until_s),
        "in": left,
        "reason": hold.reason,
    }
