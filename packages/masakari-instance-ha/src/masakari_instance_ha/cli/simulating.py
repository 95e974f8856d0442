# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What would happen, were hosts lost now: read, and nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha import experience, guards
from instance_ha.model import IncidentState
from masakari_instance_ha import assembly
from masakari_instance_ha.cli import guarding
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.output import Story
from masakari_instance_ha.rehearsal import Loss, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.experience import Expected, Times
    from instance_ha.guards import Hold
    from instance_ha.survey import Survey
    from masakari_instance_ha.cli.output import Value

UNSEEN = (
    "server groups, and zones that a server was asked into, are the scheduler's own filters: "
    "they may refuse what placement offers"
)
_PAST = 20
"""Newest incidents by which the time is expected."""


def describe_simulating(top: Commands) -> None:
    """Describe ``simulate``."""
    made = top.verb("simulate", simulate, "tell what would happen, were hosts lost now")
    which = made.add_mutually_exclusive_group(required=True)
    which.add_argument("hosts", nargs="?", help="one, or several with commas between")
    which.add_argument("--zone", help="all enrolled hosts of this availability zone")


def simulate(call: Call) -> Story:
    """Tell who goes where, who finds no room, what guard holds it and how long it takes.

    Raises:
        InputError: if a host is not enrolled, or the zone has none.
    """
    lost = _lost(call)
    survey = guarding.survey(call, lost=lost)
    policy = assembly.policy(call.conf)
    rehearsal = Rehearsal(call.cloud, rules=assembly.rules(call.conf), hosts=survey.hosts)
    losses = rehearsal.lose(lost)
    past = past_times(call)
    at_once = assembly.moves_at_once(call.conf)
    hosts = [
        _host(
            name,
            loss=loss,
            hold=guards.preview(survey, host=survey.hosts[name], policy=policy),
            expected=experience.expect(past, servers=len(loss.seats), at_once=at_once),
            survey=survey,
        )
        for name, loss in losses.items()
    ]
    servers = [row for loss in losses.values() for row in _servers(loss)]
    facts: Mapping[str, Value] = {
        "hosts": hosts,
        "servers": servers,
        "without_room": sum(len(loss.without_room) for loss in losses.values()),
        "unseen": UNSEEN,
    }
    return Story(told=_told(hosts, servers), facts=facts)


def past_times(call: Call) -> Sequence[Times]:
    """Return how long the newest recoveries took that came to their end."""
    over = {IncidentState.RECOVERED, IncidentState.CLOSED}
    return [
        experience.times(incident, call.store.events(incident))
        for incident in call.store.incidents(limit=_PAST)
        if incident.state in over
    ]


def _lost(call: Call) -> Sequence[str]:
    known = {host.name: host for host in guarding.survey(call).hosts.values()}
    zone = call.arguments.zone
    if zone is not None:
        found = sorted(name for name, host in known.items() if host.zone == zone)
        if not found:
            zones = ", ".join(sorted({host.zone for host in known.values() if host.zone}))
            raise InputError(f"no enrolled host is in zone {zone}; there are: {zones or 'none'}")
        return found
    named = [name.strip() for name in call.arguments.hosts.split(",") if name.strip()]
    strange = [name for name in named if name not in known]
    if strange or not named:
        raise InputError(
            f"{', '.join(strange) or 'nobody'} is not enrolled; see instance-ha host list"
        )
    return list(dict.fromkeys(named))


def _host(
    name: str, *, loss: Loss, hold: Hold | None, expected: Expected, survey: Survey
) -> Mapping[str, Value]:
    return {
        "host": name,
        "segment": survey.hosts[name].segment.name,
        "guard": "none" if hold is None else hold.guard,
        "reason": "it would be recovered" if hold is None else hold.reason,
        "moved": len(loss.seats) - len(loss.without_room),
        "without_room": len(loss.without_room),
        "left_by_rule": len(loss.left),
        "expected_proof_s": expected.proof_s,
        "expected_recovered_s": expected.recovered_s,
        "expected_from": expected.recoveries,
    }


def _servers(loss: Loss) -> list[Mapping[str, Value]]:
    rows: list[Mapping[str, Value]] = [
        {
            "server": seat.guest.server,
            "name": seat.guest.name,
            "from": seat.guest.source,
            "to": seat.host or None,
            "why": seat.why,
        }
        for seat in loss.seats
    ]
    rows += [
        {"server": each.uuid, "name": each.name, "from": None, "to": None, "why": each.why}
        for each in loss.left
    ]
    return rows


def _told(hosts: Sequence[Mapping[str, Value]], servers: Sequence[Mapping[str, Value]]) -> str:
    lines: list[str] = []
    for host in hosts:
        lines.append(
            f"{host['host']} of {host['segment']}: {host['moved']} servers go elsewhere, "
            f"{host['without_room']} find no room, {host['left_by_rule']} are left by rule"
        )
        lines.append(f"  guard {host['guard']}: {host['reason']}")
        if host["expected_recovered_s"] is None:
            lines.append("  no recovery yet to expect a time by; a drill gives one")
        else:
            lines.append(
                f"  expected: over after {host['expected_recovered_s']} s, as the median of "
                f"{host['expected_from']} recoveries"
            )
    lines += [f"{each['name']}: {each['to'] or each['why']}" for each in servers]
    return "\n".join([*lines, UNSEEN])
