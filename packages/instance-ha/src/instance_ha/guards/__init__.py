# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What may hold a notification back, and for how long; each guard answers a hold or None.

A guard that holds forgets nothing: the host is looked at again every tick.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from instance_ha.guards.mass import MassLoss, Scope, blindness, not_a_storm, rate, weigh
from instance_ha.guards.refusal import Hold, duration, guard_of, moment
from instance_ha.guards.single import (
    approved,
    not_a_duplicate,
    not_dumping,
    not_on_maintenance,
    not_paused,
    nova_well,
    proven,
    segment_enabled,
    was_waited_for,
)
from instance_ha.judge import describe
from instance_ha.model import Action, Reach, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from instance_ha.model import Host, Pause, Segment
    from instance_ha.policy import Policy
    from instance_ha.survey import Survey

__all__ = [
    "Hold",
    "MassLoss",
    "Scope",
    "duration",
    "guard_of",
    "hold",
    "moment",
    "preview",
    "stop",
    "was_waited_for",
    "weigh",
]


def hold(survey: Survey, *, host: Host, mass: MassLoss, policy: Policy) -> Hold | None:
    """Return the first guard that holds *host*, or None if it may be notified.

    What a person approved is not held for how much else is lost, nor for a kernel dump; it still
    waits for its turn, for a Nova that can move servers, and for whatever another person stopped
    by name.
    """
    look_again_s = policy.tick_s
    incident = survey.incidents.get(host.name)
    goes_on = incident is not None and incident.id in survey.rulings.approved
    return (
        stop(
            host.name,
            segment=host.segment,
            pauses=survey.rulings.pauses,
            now_s=survey.now_s,
            look_again_s=look_again_s,
        )
        or not_on_maintenance(host, look_again_s=look_again_s)
        or approved(
            incident,
            needed=policy.needs_approval(host.segment.name),
            approved_ones=survey.rulings.approved,
            look_again_s=look_again_s,
        )
        or not_a_duplicate(
            survey.notifications.get(host.name),
            now_s=survey.now_s,
            renotify_after_s=policy.renotify_after_s,
        )
        or nova_well(survey.health, look_again_s=look_again_s)
        or proven(host, proofs=survey.proofs, look_again_s=look_again_s)
        or (None if goes_on else _mass(survey, host=host, mass=mass, policy=policy))
        or rate(survey, policy=policy)
        or (None if goes_on else _dump(survey, host=host, policy=policy))
    )


def stop(
    host: str,
    *,
    segment: Segment,
    pauses: Iterable[Pause],
    now_s: float,
    look_again_s: float = 1.0,
) -> Hold | None:
    """Return what people stopped the host of this name by, be its recovery under way or not.

    An engine asks this too, right before it fences and right before it evacuates: Masakari itself
    tries a failed notification once more without a look at the segment.
    """
    return segment_enabled(segment, look_again_s=look_again_s) or not_paused(
        pauses, host=host, segment=segment, now_s=now_s, look_again_s=look_again_s
    )


def preview(survey: Survey, *, host: Host, policy: Policy) -> Hold | None:
    """Return which guard would hold *host*, were it lost on every network now."""
    reach = dict.fromkeys(policy.networks, Reach.DOWN)
    lost = Verdict(host=host.name, action=Action.RECOVERY, reach=reach, reason=describe(reach))
    supposed = dataclasses.replace(survey, verdicts={**survey.verdicts, host.name: lost})
    mass = weigh(supposed, mass_window_s=policy.mass_window_s)
    return hold(supposed, host=host, mass=mass, policy=policy)


def _mass(survey: Survey, *, host: Host, mass: MassLoss, policy: Policy) -> Hold | None:
    return blindness(survey.verdicts[host.name], mass=mass, policy=policy) or not_a_storm(
        survey, host=host, mass=mass, policy=policy
    )


def _dump(survey: Survey, *, host: Host, policy: Policy) -> Hold | None:
    incident = survey.incidents.get(host.name)
    return not_dumping(
        survey.verdicts[host.name],
        lost_since_s=survey.now_s if incident is None else incident.opened_at_s,
        heard_s=survey.dumps.get(host.name),
        now_s=survey.now_s,
        policy=policy,
    )
