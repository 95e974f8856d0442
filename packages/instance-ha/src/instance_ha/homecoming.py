# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""When a host that was lost may work again, and as what.

Two witnesses must agree that it is back: the observers of the networks, who must have found it
well on every declared network without a break, and Nova, which must have heard of its nova-compute
after all that the recovery did to it. What was seen before the fence never counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.model import Reach, Role

if TYPE_CHECKING:
    from instance_ha.model import ComputeService, Host, Verdict
    from instance_ha.past import Past
    from instance_ha.policy import Policy

SETTLING_S = 15.0
"""Nova's row of a host is written by the recovery itself until a moment after the fence; what is
later than that comes from nova-compute, which reports every 10 s."""

OURS = "instance-ha: "
"""Begins every reason that we give Nova for a disabled service."""

RESERVED = f"{OURS}reserved host"
"""What Nova shows as the reason, whether a person reserved the host or it came back as one."""

WITH_RESERVES = frozenset({"reserved_host", "rh_priority", "auto_priority"})
"""Masakari's recovery methods that use reserved hosts."""


@dataclass(frozen=True, kw_only=True)
class Return:
    """How a host is put back."""

    role: Role
    reason: str
    """What the timeline says of it."""
    disabled_for: str = ""
    """What Nova is to show as the reason, where it stays disabled."""


def is_operators(service: ComputeService, *, flow_reason: str) -> bool:
    """Tell whether a person disabled the service: neither Masakari's flow nor we did."""
    reason = service.disabled_reason
    ours = reason == flow_reason or reason.startswith(OURS)
    return not service.enabled and not ours


def is_back(host: Host, *, past: Past, policy: Policy) -> bool:
    """Tell whether somebody else has put the host back to work already."""
    service = host.service
    if service is None or not service.up or host.on_maintenance:
        return False
    if not service.enabled and _lost_its_reservation(host, past=past, policy=policy):
        return False
    return _heard_since(past, service) and (
        service.enabled or is_operators(service, flow_reason=policy.disable_reason)
    )


def is_missed_on(verdict: Verdict, *, policy: Policy) -> str | None:
    """Return which networks keep a host that answers from its return, or None if none does.

    One that nobody can speak of keeps all hosts: servers may not be given to a host on a guess.
    """
    if verdict.well:
        return None
    blind = Reach.UNKNOWN in verdict.reach.values()
    hint = "; of an unknown network nobody can speak: look at its consul" if blind else ""
    return (
        f"answers again, and must be up on every network for {policy.return_after_s:g} s: "
        f"{verdict.reason}{hint}"
    )


def waits_for(
    host: Host, *, past: Past, well_since_s: float, now_s: float, policy: Policy
) -> str | None:
    """Return what must happen before the host is put back, or None if it may be now."""
    service = host.service
    settled_s = well_since_s if past.settled_at_s is None else past.settled_at_s
    if settled_s > now_s + policy.return_after_s:
        settled_s = well_since_s  # by a clock far ahead of ours; Nova's word below is by its own
    if now_s - max(well_since_s, settled_s) < policy.return_after_s:
        return f"answers again; must be well for {policy.return_after_s:g} s"
    if service is None or not (service.up or service.forced_down):
        return "is well; wait for its nova-compute to come up"
    if not _heard_since(past, service):
        return (
            "is well, but nova has not heard of its nova-compute since the fence; "
            "look at nova-compute on the host"
        )
    if not policy.returns_by_itself and not past.return_asked_by:
        return f"is back and well; put it back to work: instance-ha host return {host.name}"
    return None


def choose(host: Host, *, past: Past, policy: Policy) -> Return:
    """Return what the host is to be from now on."""
    service = host.service
    refills = policy.refills_reserve and host.segment.recovery_method in WITH_RESERVES
    if host.reserved or _lost_its_reservation(host, past=past, policy=policy):
        return _reserve("back as the reserve that it was")
    if service is not None and is_operators(service, flow_reason=policy.disable_reason):
        return _disabled(service.disabled_reason)
    if past.disabled_before is not None:
        return _disabled(past.disabled_before)
    if past.spent_reserve and refills:
        return _reserve(f"back as a reserve, in the place of {past.spent_reserve}")
    return Return(
        role=Role.WORK, reason="back at work: enabled in nova, not on maintenance any more"
    )


def _lost_its_reservation(host: Host, *, past: Past, policy: Policy) -> bool:
    """Tell whether Masakari took the flag of a reserve away as it was notified.

    What a person has said of the host in Nova since then counts more.
    """
    service = host.service
    anew = (
        service is not None
        and is_operators(service, flow_reason=policy.disable_reason)
        and service.disabled_reason != past.disabled_before
    )
    return past.reserved_before and not host.reserved and not anew


def _disabled(reason: str) -> Return:
    why = f": {reason}" if reason else ""
    return Return(
        role=Role.DISABLED,
        reason=f"back, and left disabled in nova as its operator has it{why}",
        disabled_for=reason,
    )


def _reserve(reason: str) -> Return:
    return Return(role=Role.RESERVE, reason=reason, disabled_for=RESERVED)


def _heard_since(past: Past, service: ComputeService) -> bool:
    """Tell whether Nova heard of nova-compute after the engines had done with it."""
    if past.touched_at_s is None:
        return True
    heard_s = service.updated_at_s
    return heard_s is not None and heard_s > past.touched_at_s + SETTLING_S
