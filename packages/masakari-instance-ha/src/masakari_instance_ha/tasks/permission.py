# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a recovery may go on: asked right before the fence, and right before the evacuation.

The controller asked all this before it notified. Since then a person may have changed their mind,
and Masakari tries a failed notification once more without asking anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masakari.objects.host import Host

from instance_ha import guards
from instance_ha.errors import InstanceHaError
from instance_ha.model import Segment
from masakari_instance_ha.tasks.work import CONF, Work

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masakari.context import RequestContext

    from instance_ha.guards import Hold


class HeldError(InstanceHaError):
    """A person stopped the recovery, or does not let it go on yet."""


def demand_permission(work: Work, *, context: RequestContext) -> None:
    """Return if nobody stopped the host, its segment or the cloud.

    Raises:
        HeldError: if somebody did; the flow fails, and the controller holds the host.
    """
    hold = _stop(work, context=context)
    if hold is not None:
        ends = hold.ends(now_s=work.clock.now_s())
        work.say("guard", f"{hold} ({ends})" if ends else str(hold))
        raise HeldError(f"{work.host} is {hold}")


def tell_plan(work: Work, *, servers: Iterable[str]) -> None:
    """Write down which servers would be evacuated, for the person who has to agree."""
    if _awaits(work):
        names = ", ".join(sorted(servers)) or "no server"
        work.say("plan", f"to be evacuated once a person approves: {names}")


def await_approval(work: Work) -> bool:
    """Return once a person lets the evacuation go on, and whether that took a wait.

    Raises:
        HeldError: if nobody does in time. The thread goes back to Masakari, and the controller
            holds the host until somebody does.
    """
    if not _awaits(work):
        return False
    refusal = (
        f"{work.host} is fenced, and nobody has approved its evacuation; "
        f"let it go on: instance-ha incident approve {work.incident.id}"
    )
    if guards.was_waited_for(work.store.events(work.incident)):
        raise HeldError(refusal)
    patience_s = CONF.instance_ha.approval_patience
    until_s = work.clock.now_s() + patience_s
    work.say(
        "guard",
        f"held by approval: {refusal} (this engine waits until {guards.moment(until_s)}, for "
        f"{guards.duration(patience_s)})",
    )
    while _awaits(work):
        if work.clock.now_s() >= until_s:
            work.say("approval", f"nobody approved it within {patience_s:g} s")
            raise HeldError(refusal)
        work.clock.sleep(CONF.instance_ha_recovery.poll_interval)
    return True


def _stop(work: Work, *, context: RequestContext) -> Hold | None:
    found = Host.get_by_name(context, work.host).failover_segment
    segment = Segment(
        uuid=found.uuid,
        name=found.name,
        recovery_method=found.recovery_method,
        enabled=found.enabled,
    )
    return guards.stop(
        work.host,
        segment=segment,
        pauses=work.store.rulings().pauses,
        now_s=work.clock.now_s(),
    )


def _awaits(work: Work) -> bool:
    ours = CONF.instance_ha
    needed = ours.approval or work.incident.segment in ours.approval_segments
    return needed and work.incident.id not in work.store.rulings().approved
