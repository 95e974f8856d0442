# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What may hold a notification back, and for how long; each guard answers a hold or None.

A guard that holds forgets nothing: the host is looked at again every tick.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.model import Action, IncidentState, Reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from instance_ha.model import Host, Network, Notification, Segment, Verdict
    from instance_ha.policy import Policy
    from instance_ha.survey import Survey


@dataclass(frozen=True, kw_only=True)
class Hold:
    """A refusal to act now."""

    guard: str
    reason: str
    """The fact, what it means, and the next command where there is one."""
    look_again_s: float

    def __str__(self) -> str:
        return f"held by {self.guard}: {self.reason}"


def segment_enabled(segment: Segment, *, look_again_s: float) -> Hold | None:
    """Hold every host of a segment that is disabled."""
    if segment.enabled:
        return None
    return Hold(
        guard="segment",
        reason=f"segment {segment.name} is disabled, so nothing of it is recovered; "
        f"enable it: instance-ha segment update {segment.name} --enabled",
        look_again_s=look_again_s,
    )


def not_on_maintenance(host: Host, *, look_again_s: float) -> Hold | None:
    """Hold a host that its operator has on maintenance; Masakari would decline it."""
    if not host.on_maintenance:
        return None
    return Hold(
        guard="maintenance",
        reason="masakari has the host on maintenance, so it is not recovered; "
        f"end that: instance-ha host update {host.name} --no-on-maintenance",
        look_again_s=look_again_s,
    )


def pause(newest: Notification | None, *, now_s: float, renotify_after_s: float) -> Hold | None:
    """Hold a host whose last notification Masakari would take this one for."""
    due_s = now_s if newest is None else newest.generated_at_s + renotify_after_s
    if due_s <= now_s:
        return None
    return Hold(
        guard="pause",
        reason="masakari takes two notifications of a host within "
        f"{renotify_after_s:g} s for one; notified again after that",
        look_again_s=due_s - now_s,
    )


def failing_share(
    segment: Segment, *, failing: int, enrolled: int, max_share: float, look_again_s: float
) -> Hold | None:
    """Hold a segment of which too large a share fails at once."""
    if failing <= max_share * enrolled:
        return None
    return Hold(
        guard="failing-share",
        reason=f"{failing} of {enrolled} hosts of segment {segment.name} fail at once, more than "
        f"{max_share:.0%}: that looks like one common cause; check power and networks",
        look_again_s=look_again_s,
    )


def blindness(
    network: Network | None, *, alone: int, observed: int, max_share: float, look_again_s: float
) -> Hold | None:
    """Hold hosts that only *network* calls lost (None: none alone does) as it loses too many."""
    if network is None or alone <= max_share * observed:
        return None
    return Hold(
        guard="blindness",
        reason=f"{alone} of {observed} hosts are lost on the {network} network and on no other: "
        "that looks like the network's own fault; check its switches and its consul",
        look_again_s=look_again_s,
    )


@dataclass(frozen=True, kw_only=True)
class MassLoss:
    """How much is lost at once; counted once a pass, as one host's guards look at all others."""

    enrolled: Mapping[str, int]
    """Segment UUID -> its hosts."""
    failing: Mapping[str, int]
    """Segment UUID -> its hosts whose losses are judged together."""
    observed: Mapping[Network, int]
    """Network -> the hosts of which it says up or down."""
    alone: Mapping[Network, int]
    """Network -> the failing hosts that it calls lost, and no other network does."""


def weigh(survey: Survey, *, mass_window_s: float) -> MassLoss:
    """Count what is lost at once.

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
        enrolled=Counter(host.segment.uuid for host in survey.hosts.values()),
        failing=Counter(host.segment.uuid for host in failing),
        observed=Counter(_speaking(survey.verdicts.values())),
        alone=Counter(network for network in lost_on if network is not None),
    )


def hold(survey: Survey, *, host: Host, mass: MassLoss, policy: Policy) -> Hold | None:
    """Return the first guard that holds *host*, or None if it may be notified."""
    look_again_s = policy.tick_s
    uuid = host.segment.uuid
    network = only_lost(survey.verdicts[host.name])
    return (
        segment_enabled(host.segment, look_again_s=look_again_s)
        or not_on_maintenance(host, look_again_s=look_again_s)
        or pause(
            survey.notifications.get(host.name),
            now_s=survey.now_s,
            renotify_after_s=policy.renotify_after_s,
        )
        or blindness(
            network,
            alone=0 if network is None else mass.alone[network],
            observed=0 if network is None else mass.observed[network],
            max_share=policy.blind_share,
            look_again_s=look_again_s,
        )
        or failing_share(
            host.segment,
            failing=mass.failing[uuid],
            enrolled=mass.enrolled[uuid],
            max_share=policy.max_failing_share,
            look_again_s=look_again_s,
        )
    )


def only_lost(verdict: Verdict) -> Network | None:
    """Return the one network that calls the host lost, or None if there are more, or none."""
    lost = [network for network, reach in verdict.reach.items() if reach is Reach.DOWN]
    return lost[0] if len(lost) == 1 else None


def _fails(survey: Survey, *, host: Host, mass_window_s: float) -> bool:
    incident = survey.incidents.get(host.name)
    state = None if incident is None else incident.state
    if state is IncidentState.RECOVERING:
        return True
    verdict = survey.verdicts.get(host.name)
    if verdict is None or verdict.action is not Action.RECOVERY:
        return False
    if incident is not None and state is IncidentState.RECOVERED:
        return survey.now_s - incident.opened_at_s <= mass_window_s
    return not host.on_maintenance


def _speaking(verdicts: Iterable[Verdict]) -> Iterable[Network]:
    """Return a network once for each host of which it says up or down."""
    return (
        network
        for verdict in verdicts
        for network, reach in verdict.reach.items()
        if reach in {Reach.UP, Reach.DOWN}
    )
