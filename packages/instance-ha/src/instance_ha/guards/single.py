# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The guards that look at one host, or at the cloud as a whole, and at no other host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.guards.refusal import Hold, moment
from instance_ha.homecoming import SETTLING_S
from instance_ha.model import Reach

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from instance_ha.model import (
        ComputeService,
        Event,
        FenceProof,
        Host,
        Incident,
        Notification,
        NovaHealth,
        Pause,
        Segment,
        Verdict,
    )
    from instance_ha.policy import Policy

DUMP_SILENCE_S = 30.0
"""After which a kernel dump is taken to be over: fence_kdump speaks every 10 s by default."""


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


def not_paused(
    pauses: Iterable[Pause], *, host: str, segment: Segment, now_s: float, look_again_s: float
) -> Hold | None:
    """Hold a host that a person paused, by itself, with its segment or with the whole cloud."""
    covering = [p for p in pauses if p.covers(host, segment=segment.uuid, at_s=now_s)]
    if not covering:
        return None
    longest = max(covering, key=lambda p: float("inf") if p.until_s is None else p.until_s)
    ends = "somebody resumes" if longest.until_s is None else moment(longest.until_s)
    return Hold(
        guard="pause",
        reason=f"{longest}; until {ends}, or: instance-ha resume {longest.id}",
        look_again_s=look_again_s,
        until_s=longest.until_s,
    )


def approved(
    incident: Incident | None,
    *,
    needed: bool,
    approved_ones: Collection[int],
    look_again_s: float,
) -> Hold | None:
    """Hold a host that was fenced, and whose evacuation nobody approved in time."""
    if not needed or incident is None or incident.notification is None:
        return None
    if incident.id in approved_ones:
        return None
    return Hold(
        guard="approval",
        reason="its evacuation waits for a person; "
        f"let it go on: instance-ha incident approve {incident.id}",
        look_again_s=look_again_s,
    )


def proven(
    host: Host, *, proofs: Mapping[str, FenceProof] | None, look_again_s: float
) -> Hold | None:
    """Hold a host that is not proven off, where the recovery does not demand the proof itself.

    A proof is worth nothing any more once Nova has heard of the host's nova-compute: it runs.
    """
    if proofs is None:
        return None
    proof, service = proofs.get(host.name), host.service
    if proof is None:
        reason = (
            "nobody has confirmed that it is off, so its servers may still run; look at the "
            f"ring's fencing: stonith_admin --history {host.name}"
        )
    elif service is not None and _heard_after(service, at_s=proof.confirmed_at_s):
        reason = (
            f"it was powered off at {moment(proof.confirmed_at_s)}, and nova has heard of its "
            "nova-compute since: it runs, and the ring does not see it; look at pacemaker_remote "
            "on the host, or power it off"
        )
    else:
        return None
    return Hold(guard="proof", reason=reason, look_again_s=look_again_s)


def _heard_after(service: ComputeService, *, at_s: float) -> bool:
    """Tell whether a nova-compute has reported since; one that was cut off did so just before."""
    heard_s = service.updated_at_s
    return service.up and heard_s is not None and heard_s > at_s + SETTLING_S


def was_waited_for(events: Iterable[Event]) -> bool:
    """Tell whether an engine gave up waiting for a person since the newest notification.

    Masakari tries every failed notification once more, in a thread that other retries share: no
    place to wait a second time.
    """
    marks = [e.kind for e in events if e.kind == "approval" or "notification" in e.detail]
    return marks[-1:] == ["approval"]


def not_a_duplicate(
    newest: Notification | None, *, now_s: float, renotify_after_s: float
) -> Hold | None:
    """Hold a host whose last notification Masakari would take this one for."""
    due_s = now_s if newest is None else newest.generated_at_s + renotify_after_s
    if due_s <= now_s:
        return None
    return Hold(
        guard="duplicate",
        reason="masakari takes two notifications of a host within "
        f"{renotify_after_s:g} s for one; notified again after that",
        look_again_s=due_s - now_s,
        until_s=due_s,
    )


def nova_well(health: NovaHealth, *, look_again_s: float) -> Hold | None:
    """Hold every host while Nova could not place its servers anywhere."""
    if not health.down:
        return None
    return Hold(
        guard="nova",
        reason=f"no {' and no '.join(health.down)} is up, so nova cannot move servers; "
        "start it, and see: openstack compute service list",
        look_again_s=look_again_s,
    )


def not_dumping(
    verdict: Verdict,
    *,
    lost_since_s: float,
    heard_s: float | None,
    now_s: float,
    policy: Policy,
) -> Hold | None:
    """Hold a host while it writes a dump of its kernel, which a fence would cut off.

    Args:
        verdict: A host that is up anywhere does not dump; its kernel runs.
        lost_since_s: Since when it is judged lost; its time is counted from there.
        heard_s: When its newest fence_kdump message came; None if there was none.
        now_s: The time.
        policy: For how long it is waited.
    """
    if not policy.kdump or Reach.UP in verdict.reach.values():
        return None
    if heard_s is None or heard_s < lost_since_s - DUMP_SILENCE_S:
        until_s = lost_since_s + policy.kdump_wait_s
        fact = "it may be about to write a kernel dump, and has time to say so"
    else:
        over = now_s >= heard_s + DUMP_SILENCE_S
        until_s = now_s if over else lost_since_s + policy.kdump_timeout_s
        fact = (
            "it writes a kernel dump, and has time for that until its fence_kdump messages stop "
            f"for {DUMP_SILENCE_S:g} s"
        )
    if until_s <= now_s:
        return None
    return Hold(
        guard="kernel-dump",
        reason=f"{fact}; or recover it at once: "
        f"instance-ha incident approve --host {verdict.host}",
        look_again_s=policy.tick_s,
        until_s=until_s,
    )
