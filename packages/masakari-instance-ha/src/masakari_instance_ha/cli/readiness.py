# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether each host would be recovered, were it lost now, and what to do where not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha import guards
from instance_ha.names import HARMLESS, MISNAMED, UNOBSERVED
from instance_ha.selection import Disks
from masakari_instance_ha import assembly
from masakari_instance_ha.cli import guarding, power
from masakari_instance_ha.cli.output import Story, moment
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.rehearsal import MOST_LOST, Rehearsal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.model import Host
    from instance_ha.names import Finding
    from instance_ha.policy import Policy
    from instance_ha.survey import Survey
    from masakari_instance_ha.cli.call import Call, Commands
    from masakari_instance_ha.cli.output import Value
    from masakari_instance_ha.cli.power import PowerAnswer
    from masakari_instance_ha.servers import Rules

_MANY = 9


def describe_readiness(top: Commands) -> None:
    """Describe ``readiness``."""
    top.verb("readiness", show_readiness, "tell for each host whether it would be recovered now")


@dataclass(frozen=True, kw_only=True)
class _Known:
    """What is asked once for all hosts."""

    survey: Survey
    policy: Policy
    findings: Sequence[Finding]
    answers: Mapping[str, PowerAnswer]
    rehearsal: Rehearsal
    rules: Rules


def show_readiness(call: Call) -> Story:
    """Ask everybody whom a recovery would need; nothing is changed."""
    survey = guarding.survey(call)
    rules = assembly.rules(call.conf)
    asked_s = SystemClock().now_s()
    segments = {host.name: host.segment.name for host in survey.hosts.values()}
    known = _Known(
        survey=survey,
        policy=assembly.policy(call.conf),
        findings=[finding for finding, _ in call.store.board().found()],
        answers=power.query(call, segments),
        rehearsal=Rehearsal(call.cloud, rules=rules, hosts=survey.hosts),
        rules=rules,
    )
    hosts = [_row(host, known=known) for _, host in sorted(survey.hosts.items())]
    spare = known.rehearsal.spares()
    ready = sum(bool(host["ready"]) for host in hosts)
    facts: Mapping[str, Value] = {
        "asked": moment(asked_s),
        "ready": ready,
        "not_ready": len(hosts) - ready,
        "spare": spare,
        "hosts": hosts,
    }
    return Story(told=_told(hosts, spare), facts=facts)


def _row(host: Host, *, known: _Known) -> Mapping[str, Value]:
    answer = known.answers[host.name]
    mine = [f for f in known.findings if f.about == host.name and f.kind not in HARMLESS]
    hold = guards.preview(known.survey, host=host, policy=known.policy)
    (loss,) = known.rehearsal.lose([host.name]).values()
    problems = [
        *([f"fence: {answer.problem}"] if answer.problem else []),
        *(f"{finding.kind}: {finding.fact}; {finding.advice}" for finding in mine),
        *([f"guard {hold.guard}: {hold.reason}"] if hold is not None else []),
        *(f"room: {seat.guest.name}: {seat.why}" for seat in loss.without_room[:_MANY]),
    ]
    kinds = {finding.kind for finding in mine}
    return {
        "host": host.name,
        "segment": host.segment.name,
        "ready": not problems,
        "fence": "failed" if answer.problem else "works",
        "power": answer.power,
        "fence_took_s": round(answer.took_s, 2),
        "names": "disagree" if MISNAMED in kinds else "agree",
        "networks": "not all seen" if kinds & {UNOBSERVED, MISNAMED} else "all seen",
        "storage": _storage(host, known=known),
        "guard": "none" if hold is None else hold.guard,
        "servers": len(loss.seats),
        "without_room": len(loss.without_room),
        "problems": problems,
    }


def _storage(host: Host, *, known: _Known) -> str:
    """Return where the disks are of the servers that a recovery moves."""
    selection = known.rules.of(host.segment.name)
    moved = [each.facts for each in known.rehearsal.residents(host.name) if each.why is None]
    elsewhere = sum(1 for facts in moved if not facts.on_volume)
    if not elsewhere:
        return "volumes"
    if selection.disks is Disks.SHARED:
        return "shared by the operator's word"
    return f"{elsewhere} disks are looked for when it is lost"


def _told(hosts: Sequence[Mapping[str, Value]], spare: Mapping[str, int]) -> str:
    lines: list[str] = []
    for host in hosts:
        verdict = "ready" if host["ready"] else "NOT READY"
        lines.append(
            f"{host['host']} of {host['segment']}: {verdict}; power {host['power']}, names "
            f"{host['names']}, networks {host['networks']}, storage: {host['storage']}"
        )
        problems = host["problems"]
        lines += [f"  {problem}" for problem in problems] if isinstance(problems, list) else []
    for segment, count in spare.items():
        most = " or more" if count == MOST_LOST else ""
        lines.append(f"segment {segment}: room for the loss of {count}{most} hosts")
    return "\n".join(lines) or "no host is enrolled; instance-ha host add SEGMENT HOST"
