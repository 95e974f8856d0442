# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which hypervisors become hosts of a segment by themselves, and which hosts leave: pure.

What a person placed by hand is never moved nor removed, and what a person took out is not put in
again. A hypervisor that nobody enrolled is not recovered when it is lost, so each one that is left
out is named, with the reason.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.errors import PolicyError
from instance_ha.model import Reach
from instance_ha.shares import part

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from instance_ha.model import Host
    from instance_ha.survey import Survey

OPT_OUT = "instance-ha:segment"
"""Metadata of a host aggregate; with the value ``false`` it is no segment."""


class Rule(enum.StrEnum):
    """What decides the segment of a new hypervisor."""

    OFF = "off"
    """Nothing is enrolled, nothing leaves."""
    SEGMENT = "segment"
    """One segment for all."""
    ZONE = "zone"
    """The segment named like its availability zone."""
    AGGREGATE = "aggregate"
    """The segment named like its host aggregate."""


@dataclass(frozen=True, kw_only=True)
class EnrolPolicy:
    """How hypervisors are enrolled; times are seconds."""

    rule: Rule | None = None
    """None: one segment for all, where no person has enrolled a host by hand."""
    segment: str = "instance-ha"
    """The one segment's name."""
    wait_s: float = 300.0
    """How long a new hypervisor is left for its operator to place."""
    gone_after_s: float = 600.0
    """How long a hypervisor must be gone from Nova before its host leaves."""
    max_gone_share: float = 0.5
    """Share of the hosts which, gone at once, is taken for Nova's fault."""

    def __post_init__(self) -> None:
        if self.rule is not None and self.rule not in set(Rule):
            known = ", ".join(Rule)
            raise PolicyError(f"enrol: {self.rule} is no rule; known are {known}")
        if not self.segment:
            raise PolicyError("enrol_segment: is empty; give the segment's name")


@dataclass(frozen=True, kw_only=True)
class Hypervisor:
    """A compute service, under the name that the machine itself gave to Nova."""

    name: str
    up: bool
    zone: str = ""
    aggregates: tuple[str, ...] = ()
    """Those that count, see :data:`OPT_OUT`; sorted."""
    moves_servers: bool = True
    """Whether its servers could run elsewhere; those of bare metal could not."""


@dataclass(frozen=True, kw_only=True)
class Watch:
    """What enrolment keeps between two looks; a restart begins the times anew."""

    new_since_s: Mapping[str, float] = field(default_factory=dict)
    """Since when a hypervisor has been there that no segment has."""
    gone_since_s: Mapping[str, float] = field(default_factory=dict)
    """Since when Nova has not known a host any more."""

    def look(
        self, hypervisors: Sequence[Hypervisor], hosts: Collection[str], *, now_s: float
    ) -> Watch:
        """Return what is to be kept after this look."""
        there = {hypervisor.name for hypervisor in hypervisors}
        return Watch(
            new_since_s={h: self.new_since_s.get(h, now_s) for h in there.difference(hosts)},
            gone_since_s={h: self.gone_since_s.get(h, now_s) for h in set(hosts) - there},
        )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be done now, and why not more."""

    add: Mapping[str, str]
    """Hypervisor -> segment."""
    drop: tuple[str, ...]
    """Hosts that leave their segment."""
    left: Mapping[str, str]
    """Hypervisor or host -> why nothing is done about it, and the next command."""


def plan(
    hypervisors: Sequence[Hypervisor],
    *,
    survey: Survey,
    roll: Collection[str],
    watch: Watch,
    policy: EnrolPolicy,
) -> Plan:
    """Return who is to be enrolled and who leaves.

    Args:
        hypervisors: All that Nova has.
        survey: The hosts that Masakari has, and what is seen of them.
        roll: The names that were enrolled by rule and have not left by rule.
        watch: Of this look.
        policy: The operator's choice.
    """
    add: dict[str, str] = {}
    left: dict[str, str] = {}
    for hypervisor in sorted(hypervisors, key=lambda one: one.name):
        if hypervisor.name in survey.hosts:
            continue
        reason = _why_not(hypervisor, survey=survey, roll=roll, watch=watch, policy=policy)
        if reason is None:
            add[hypervisor.name] = _segments(hypervisor, policy)[0]
        else:
            left[hypervisor.name] = reason
    drop: list[str] = []
    too_many = _too_many(survey, watch=watch, policy=policy)
    for name in sorted(watch.gone_since_s):
        reason = too_many or _why_stays(
            survey.hosts[name], survey=survey, watch=watch, policy=policy
        )
        if reason is None:
            drop.append(name)
        else:
            left[name] = reason
    return Plan(add=add, drop=tuple(drop), left=left)


def _why_not(
    hypervisor: Hypervisor,
    *,
    survey: Survey,
    roll: Collection[str],
    watch: Watch,
    policy: EnrolPolicy,
) -> str | None:
    """Return why a hypervisor that no segment has is not enrolled now."""
    return (
        _why_nobody_may(hypervisor, survey=survey, roll=roll, policy=policy)
        or _why_nowhere(hypervisor, policy)
        or _why_not_yet(hypervisor, survey=survey, watch=watch, policy=policy)
    )


def _why_nobody_may(
    hypervisor: Hypervisor, *, survey: Survey, roll: Collection[str], policy: EnrolPolicy
) -> str | None:
    """Return why the rule leaves it to people, or to nobody."""
    by_hand = _by_hand(hypervisor)
    if not hypervisor.moves_servers:
        return "its servers are bare metal, which cannot run elsewhere"
    if policy.rule is Rule.OFF:
        return f"the rule of enrolment is off, so its loss would not be recovered; {by_hand}"
    if hypervisor.name in roll:
        return f"a person took it out of its segment; {by_hand}"
    if policy.rule is None and any(not host.automatic for host in survey.hosts.values()):
        return (
            "hosts are enrolled by hand here, so its loss would not be recovered; "
            f"{by_hand}, or set [instance_ha_enrolment] rule"
        )
    return None


def _why_nowhere(hypervisor: Hypervisor, policy: EnrolPolicy) -> str | None:
    """Return why the rule has no segment for it, or more than one."""
    segments = _segments(hypervisor, policy)
    if len(segments) == 1:
        return None
    if segments:
        return (
            f"it is in several host aggregates, {', '.join(segments)}; let one count: "
            f"openstack aggregate set --property {OPT_OUT}=false NAME"
        )
    of = "availability zone" if policy.rule is Rule.ZONE else "host aggregate"
    return f"it is in no {of}; put it into one, or {_by_hand(hypervisor)}"


def _why_not_yet(
    hypervisor: Hypervisor, *, survey: Survey, watch: Watch, policy: EnrolPolicy
) -> str | None:
    """Return what it waits for."""
    if not hypervisor.up:
        return "its nova-compute is down; it is enrolled once that is up"
    left_s = watch.new_since_s[hypervisor.name] + policy.wait_s - survey.now_s
    if left_s <= 0:
        return None
    segment = _segments(hypervisor, policy)[0]
    return f"it is new; enrolled into {segment} in {left_s:.0f} s unless a person does it"


def _by_hand(hypervisor: Hypervisor) -> str:
    return f"enrol it by hand: instance-ha host add SEGMENT {hypervisor.name}"


def _segments(hypervisor: Hypervisor, policy: EnrolPolicy) -> Sequence[str]:
    """Return the segments that the rule has for it: one, if the rule is clear."""
    match policy.rule:
        case Rule.ZONE:
            return [hypervisor.zone] if hypervisor.zone else []
        case Rule.AGGREGATE:
            return hypervisor.aggregates
        case _:
            return [policy.segment]


def _why_stays(host: Host, *, survey: Survey, watch: Watch, policy: EnrolPolicy) -> str | None:
    """Return why a host that Nova does not know any more does not leave now."""
    verdict = survey.verdicts.get(host.name)
    gone = "nova has no compute service of that name any more"
    if not host.automatic:
        return f"{gone}; it was enrolled by hand: instance-ha host remove {host.name}"
    if policy.rule is Rule.OFF:
        return f"{gone}, and the rule of enrolment is off: instance-ha host remove {host.name}"
    if host.name in survey.incidents:
        return f"{gone}, and it has an incident: instance-ha incident show --host {host.name}"
    if verdict is not None and Reach.UP in verdict.reach.values():
        return f"{gone}, but the machine is there; look at nova-compute on it"
    left_s = watch.gone_since_s[host.name] + policy.gone_after_s - survey.now_s
    if left_s > 0:
        return f"{gone}; it leaves its segment in {left_s:.0f} s"
    return None


def _too_many(survey: Survey, *, watch: Watch, policy: EnrolPolicy) -> str | None:
    gone, enrolled = len(watch.gone_since_s), len(survey.hosts)
    if gone <= max(1, part(policy.max_gone_share, enrolled)):
        return None
    return (
        f"nova has lost {gone} of {enrolled} hosts at once, which looks like its own fault; "
        "compare: openstack compute service list"
    )
