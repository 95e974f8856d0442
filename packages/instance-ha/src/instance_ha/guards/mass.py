# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The guards that look at how much is lost at once, and how fast that may be recovered."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from instance_ha.guards.refusal import Hold
from instance_ha.model import Action, IncidentState, Reach
from instance_ha.shares import part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from instance_ha.model import Host, Network, Verdict
    from instance_ha.policy import Policy
    from instance_ha.survey import Survey

MINUTE_S = 60.0

_SEGMENT, _ZONE, _AGGREGATE = "segment", "zone", "aggregate"
_NOBODY: frozenset[str] = frozenset()


class Scope(NamedTuple):
    """Hosts that are counted together."""

    kind: str
    """``segment``, ``zone`` or ``aggregate``."""
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    @property
    def is_domain(self) -> bool:
        """Whether its hosts may share a power feed or a switch: a rack, a room, a cell."""
        return self.kind != _SEGMENT


@dataclass(frozen=True, kw_only=True)
class MassLoss:
    """How much is lost at once; counted once a pass, as one host's guards look at all others."""

    enrolled: Mapping[Scope, frozenset[str]]
    failing: Mapping[Scope, frozenset[str]]
    """Those of its hosts whose losses are judged together."""
    gone: frozenset[str]
    """Every host that is not there now, be it recovered already or taken out by its operator."""
    well: frozenset[str]
    """Hosts that could take servers over."""
    observed: Mapping[Network, int]
    """Network -> the hosts of which it says up or down."""
    alone: Mapping[Network, int]
    """Network -> the failing hosts that it calls lost, and no other network does."""

    def is_over(self, scope: Scope, *, policy: Policy) -> bool:
        """Tell whether too many hosts of *scope* fail at once; a single one never is."""
        return len(self.failing.get(scope, _NOBODY)) > self.allowed(scope, policy=policy)

    def allowed(self, scope: Scope, *, policy: Policy) -> int:
        """Return how many hosts of *scope* may fail at once."""
        return max(1, part(_share(scope, policy=policy), len(self.enrolled[scope])))

    def lost_as_one(self, scope: Scope, *, policy: Policy) -> Scope | None:
        """Return the one domain that is lost whole and holds all of *scope* that fails.

        The hosts that are well must be at least as many, or nothing could take over. Where no
        host may be let through a minute, there is no such rule.
        """
        if not policy.domain_hosts_per_minute:
            return None
        failing = self.failing.get(scope, _NOBODY)
        whole = [
            domain
            for domain, members in self.enrolled.items()
            if domain.is_domain
            and failing <= members <= self.gone
            and len(self.well) >= len(members)
        ]
        return min(whole, key=lambda domain: (len(self.enrolled[domain]), domain), default=None)

    def storms(self, *, policy: Policy) -> list[Scope]:
        """Return the scopes that lose too many hosts at once, and not as one domain."""
        return [
            scope
            for scope in self.failing
            if self.is_over(scope, policy=policy)
            and self.lost_as_one(scope, policy=policy) is None
        ]


def scopes_of(host: Host) -> list[Scope]:
    """Return what *host* is counted in, its segment first."""
    zone = [Scope(_ZONE, host.zone)] if host.zone else []
    aggregates = [Scope(_AGGREGATE, name) for name in host.aggregates]
    return [Scope(_SEGMENT, host.segment.name), *zone, *aggregates]


def weigh(survey: Survey, *, mass_window_s: float) -> MassLoss:
    """Count what is lost at once, before anything is filtered out.

    Hosts under recovery count, whatever is seen of them now, and so do those that are lost and not
    recovered yet, or whose loss is so young that the next one may have the same cause: a mass
    failure is seen host by host, over 20 to 50 s. A host that its operator took out does not.
    """
    failing = [
        host
        for host in survey.hosts.values()
        if _fails(survey, host=host, mass_window_s=mass_window_s)
    ]
    lost_on = [only_lost(v) for h in failing if (v := survey.verdicts.get(h.name)) is not None]
    return MassLoss(
        enrolled=_by_scope(survey.hosts.values()),
        failing=_by_scope(failing),
        gone=frozenset(host.name for host in survey.hosts.values() if _is_gone(survey, host=host)),
        well=frozenset(host.name for host in survey.hosts.values() if _is_well(survey, host=host)),
        observed=Counter(_speaking(survey.verdicts.values())),
        alone=Counter(network for network in lost_on if network is not None),
    )


def only_lost(verdict: Verdict) -> Network | None:
    """Return the one network that calls the host lost, or None if there are more, or none."""
    lost = [network for network, reach in verdict.reach.items() if reach is Reach.DOWN]
    return lost[0] if len(lost) == 1 else None


def blindness(verdict: Verdict, *, mass: MassLoss, policy: Policy) -> Hold | None:
    """Hold a host that only one network calls lost while that one loses too many."""
    network = only_lost(verdict)
    if network is None or mass.alone[network] <= part(policy.blind_share, mass.observed[network]):
        return None
    return Hold(
        guard="blindness",
        reason=f"{mass.alone[network]} of {mass.observed[network]} hosts are lost on the "
        f"{network} network and on no other: that looks like the network's own fault; "
        f"check its switches and its consul{_or_approve(verdict.host)}",
        look_again_s=policy.tick_s,
    )


def not_a_storm(survey: Survey, *, host: Host, mass: MassLoss, policy: Policy) -> Hold | None:
    """Hold a host of which too many neighbours fail, or failed a moment ago.

    A domain that is lost whole is let through instead, host by host.
    """
    for scope in scopes_of(host):
        storm = _failing_share(scope, host=host.name, mass=mass, policy=policy) or _cool_down(
            scope, survey=survey, host=host.name, policy=policy
        )
        if storm is None:
            continue
        domain = mass.lost_as_one(scope, policy=policy)
        if domain is None:
            return storm
        most = policy.domain_hosts_per_minute
        free_s = _free_s(survey, among=mass.enrolled[domain], most=most)
        if free_s > survey.now_s:
            return Hold(
                guard="whole-domain",
                reason=f"{domain} is lost as one, and no more than {most} of its hosts are let "
                f"through a minute; this one has its turn after others{_or_approve(host.name)}",
                look_again_s=policy.tick_s,
                until_s=free_s,
            )
    return None


def rate(survey: Survey, *, policy: Policy) -> Hold | None:
    """Hold a host while as many were notified within a minute as may be."""
    most = policy.max_hosts_per_minute
    free_s = _free_s(survey, among=survey.hosts, most=most)
    if free_s <= survey.now_s:
        return None
    return Hold(
        guard="rate",
        reason=f"no more than {most} a minute are recovered in the whole cloud; this one has its "
        "turn after others",
        look_again_s=policy.tick_s,
        until_s=free_s,
    )


def _failing_share(scope: Scope, *, host: str, mass: MassLoss, policy: Policy) -> Hold | None:
    if not mass.is_over(scope, policy=policy):
        return None
    failing, enrolled = len(mass.failing[scope]), len(mass.enrolled[scope])
    return Hold(
        guard="failing-share",
        reason=f"{failing} of {enrolled} hosts of {scope} fail at once, more than "
        f"{_share(scope, policy=policy):.0%}: that looks like one common cause; check power and "
        f"networks. Held until no more than {mass.allowed(scope, policy=policy)} fail, and "
        f"{policy.storm_cooldown_s:g} s longer{_or_approve(host)}",
        look_again_s=policy.tick_s,
    )


def _cool_down(scope: Scope, *, survey: Survey, host: str, policy: Policy) -> Hold | None:
    last_s = survey.rulings.storms.get(str(scope), float("-inf"))
    until_s = last_s + policy.storm_cooldown_s
    if until_s <= survey.now_s:
        return None
    return Hold(
        guard="cool-down",
        reason=f"too many hosts of {scope} failed at once a moment ago; its losses are "
        f"recovered after {policy.storm_cooldown_s:g} s of calm{_or_approve(host)}",
        look_again_s=policy.tick_s,
        until_s=until_s,
    )


def _free_s(survey: Survey, *, among: Collection[str], most: int) -> float:
    """Return when fewer than *most* hosts *among* these were notified within a minute."""
    earlier = [n.generated_at_s for n in survey.notifications.values() if n.host in among]
    now = [survey.now_s for host in survey.just_notified if host in among]
    sent = sorted([*earlier, *now])
    return sent[-most] + MINUTE_S if len(sent) >= most else survey.now_s


def _or_approve(host: str) -> str:
    return f"; or recover it all the same: instance-ha incident approve --host {host}"


def _share(scope: Scope, *, policy: Policy) -> float:
    return policy.max_failing_domain_share if scope.is_domain else policy.max_failing_share


def _by_scope(hosts: Iterable[Host]) -> Mapping[Scope, frozenset[str]]:
    names: defaultdict[Scope, set[str]] = defaultdict(set)
    for host in hosts:
        for scope in scopes_of(host):
            names[scope].add(host.name)
    return {scope: frozenset(members) for scope, members in names.items()}


def _fails(survey: Survey, *, host: Host, mass_window_s: float) -> bool:
    incident = survey.incidents.get(host.name)
    state = None if incident is None else incident.state
    if state is IncidentState.RECOVERING:
        return True
    if not _is_lost(survey, host=host):
        return False
    if incident is not None and state is IncidentState.RECOVERED:
        return survey.now_s - incident.opened_at_s <= mass_window_s
    return not host.on_maintenance


def _is_lost(survey: Survey, *, host: Host) -> bool:
    verdict = survey.verdicts.get(host.name)
    return verdict is not None and verdict.action is Action.RECOVERY


def _is_gone(survey: Survey, *, host: Host) -> bool:
    recovering = (
        host.name in survey.incidents
        and survey.incidents[host.name].state is IncidentState.RECOVERING
    )
    return recovering or host.on_maintenance or _is_lost(survey, host=host)


def _is_well(survey: Survey, *, host: Host) -> bool:
    verdict = survey.verdicts.get(host.name)
    alive = verdict is not None and verdict.alive
    return alive and not host.on_maintenance and host.name not in survey.incidents


def _speaking(verdicts: Iterable[Verdict]) -> Collection[Network]:
    """Return a network once for each host of which it says up or down."""
    return [
        network
        for verdict in verdicts
        for network, reach in verdict.reach.items()
        if reach in {Reach.UP, Reach.DOWN}
    ]
