# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The next step of one host with an unclosed incident: pure, so that it can be read and proved.

A step is derived from what is there, never from what was done before, so a restart, a lost
notification or a failed step is simply seen again.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha import homecoming
from instance_ha.guards import moment
from instance_ha.model import Action, IncidentState, NotificationStatus, Role
from instance_ha.past import Past

if TYPE_CHECKING:
    from instance_ha.guards import Hold
    from instance_ha.model import Host, Incident, Notification, Verdict
    from instance_ha.policy import Policy

CLOCK_SLACK_S = 1.0
"""Masakari keeps whole seconds."""

UNFINISHED = frozenset(
    {NotificationStatus.NEW, NotificationStatus.RUNNING, NotificationStatus.ERROR}
)
"""Masakari's engines will still act on these by themselves."""


class Act(enum.StrEnum):
    """What a step asks of the world."""

    NOTHING = "nothing"
    NOTIFY = "notify"
    RELEASE = "release"
    VOID = "void"
    END_MAINTENANCE = "end-maintenance"
    RETURN = "return"
    OPEN_STORAGE = "open-storage"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One act, and what the incident is afterwards."""

    act: Act = Act.NOTHING
    state: IncidentState
    kind: str
    """The kind of the event that tells of it."""
    reason: str
    ends: str = ""
    """Until when it stays so, told once: the seconds that are left are no reason."""
    notification: str | None = None
    """A notification that the incident takes over."""
    role: Role = Role.WORK
    """What a host that returns is to be."""
    disabled_for: str = ""
    """Why it stays disabled, where it does."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that is known of one host with an unclosed incident."""

    now_s: float
    incident: Incident
    verdict: Verdict
    host: Host | None
    """None where Masakari does not have it enrolled (any more)."""
    notification: Notification | None
    hold: Hold | None
    """The guard that holds it, were it to be notified now."""
    well_since_s: float | None
    """Since when every network has it up without a break; None if one has not."""
    last_beat_s: float | None = None
    """When an engine was last seen to give a sign of life, by our own clock."""
    servers_left: int = 0
    """What Nova still places on the host; asked only where it matters."""
    approved: bool = False
    """Whether a person approved the incident."""
    past: Past = field(default_factory=Past)
    """What the incident's timeline tells; read only where it matters."""


def next_step(case: Case, *, policy: Policy) -> Step | None:
    """Return what to do now, or None where nothing is to be done or nothing is known."""
    if case.host is None:
        return _forget(case)
    if _came_back_untouched(case, policy=policy):
        return _void(case, policy=policy)
    if case.incident.state is IncidentState.RECOVERING:
        return _follow(case, policy=policy)
    if case.incident.state is IncidentState.RECOVERED:
        return _lost_anew(case, host=case.host) or _put_back(case, host=case.host, policy=policy)
    return _adopt(case) or _done(case) or _begin(case, host=case.host, policy=policy)


def asks_for_servers(case: Case) -> bool:
    """Return whether the next step depends on what Nova still places on the host."""
    return _is_finished(case.notification, incident=case.incident) or _is_lost_at_work(case)


def _is_finished(newest: Notification | None, *, incident: Incident) -> bool:
    """Return whether Masakari calls finished what the incident does not call recovered yet."""
    if newest is None or newest.uuid != incident.notification:
        return False
    finished = newest.status is NotificationStatus.FINISHED
    return finished and incident.state is not IncidentState.RECOVERED


def _is_lost_at_work(case: Case) -> bool:
    """Return whether a host that was recovered is lost, and Nova may give it servers.

    The recovery disabled it, so it has been put back to work since.
    """
    recovered = case.incident.state is IncidentState.RECOVERED
    service = None if case.host is None else case.host.service
    enabled = service is not None and service.enabled
    return recovered and enabled and case.verdict.action is Action.RECOVERY


def _forget(case: Case) -> Step | None:
    """Close what Masakari no longer has enrolled, once nothing is under way."""
    if case.notification is not None and case.notification.status in UNFINISHED:
        return None
    return Step(
        state=IncidentState.CLOSED,
        kind="closed",
        reason="masakari does not have it enrolled any more",
    )


def _came_back_untouched(case: Case, *, policy: Policy) -> bool:
    """Tell whether a host is well for so long that what was asked for it must not be done now.

    A recovery that has proven the host off, or got further, goes on to its end. One that failed
    may be begun anew by an engine that had listed it before.
    """
    newest, well_since_s = case.notification, case.well_since_s
    if newest is None or well_since_s is None or not case.verdict.alive:
        return False
    if newest.uuid != case.incident.notification or newest.status is NotificationStatus.FINISHED:
        return False
    if case.past.settled_at_s is not None or newest.uuid in case.past.voided:
        return False
    since_s = well_since_s  # a clock far ahead of ours made a notification of later
    if newest.generated_at_s <= case.now_s:
        since_s = max(well_since_s, newest.generated_at_s)
    return case.now_s - since_s >= policy.return_after_s


def _void(case: Case, *, policy: Policy) -> Step:
    """Have the engines leave the host alone; its notification then ends like any that failed."""
    return Step(
        act=Act.VOID,
        state=case.incident.state,
        kind="notification",
        reason=f"void: the host has been well for {policy.return_after_s:g} s, and nothing of it "
        "was touched",
    )


def _adopt(case: Case) -> Step | None:
    """Take over a notification that Masakari has and the incident does not follow.

    It was sent by a controller that died before it could say so, or by somebody else.
    """
    newest = case.notification
    if newest is None:
        return None
    known = newest.uuid == case.incident.notification
    old = newest.generated_at_s < case.incident.opened_at_s - CLOCK_SLACK_S
    if newest.status not in UNFINISHED and (known or old):
        return None
    return Step(
        state=IncidentState.RECOVERING,
        kind="notification",
        reason="masakari already has a notification of it",
        notification=newest.uuid,
    )


def _done(case: Case) -> Step | None:
    """See that the incident's own notification led to its end, where somebody lost sight of it.

    A controller that has just begun to act may know Masakari's list from before that notification.
    """
    if case.servers_left or not _is_finished(case.notification, incident=case.incident):
        return None
    return _finished(case)


def _begin(case: Case, *, host: Host, policy: Policy) -> Step | None:
    """Notify, hold, or let go a host of which no recovery is under way."""
    if case.verdict.alive and case.incident.notification is None:
        return Step(
            state=IncidentState.CLOSED,
            kind="closed",
            reason=f"was never lost: {case.verdict.reason}",
        )
    if case.verdict.action is not Action.RECOVERY:
        return _put_back(case, host=host, policy=policy)
    if case.hold is not None:
        return Step(
            state=IncidentState.HELD,
            kind="guard",
            reason=str(case.hold),
            ends=case.hold.ends(now_s=case.now_s),
        )
    return Step(
        act=Act.NOTIFY,
        state=IncidentState.RECOVERING,
        kind="notification",
        reason="masakari took the notification",
    )


def _follow(case: Case, *, policy: Policy) -> Step | None:
    """Watch the recovery that Masakari has been asked for."""
    newest = case.notification
    if newest is None or newest.uuid != case.incident.notification:
        return _adopt(case) or Step(
            state=IncidentState.OPEN,
            kind="notification",
            reason="masakari does not know its notification any more",
        )
    match newest.status:
        case NotificationStatus.NEW:
            return _unclaimed(case, newest=newest, policy=policy)
        case NotificationStatus.RUNNING:
            return _running(case, newest=newest, policy=policy)
        case NotificationStatus.ERROR:
            return _stays(case, "waits for an engine to try once more")
        case NotificationStatus.FINISHED:
            return _finished(case)
        case _:
            return _again(f"masakari ended the notification as {newest.status}")


def _unclaimed(case: Case, *, newest: Notification, policy: Policy) -> Step | None:
    if case.now_s - newest.generated_at_s < policy.orphan_after_s:
        return None
    return _stays(
        case,
        f"no engine took the notification within {policy.orphan_after_s:g} s; "
        "check that masakari-engine runs",
    )


def _running(case: Case, *, newest: Notification, policy: Policy) -> Step:
    last_sign_s = newest.updated_at_s if case.last_beat_s is None else case.last_beat_s
    if case.now_s - last_sign_s < policy.orphan_after_s:
        return _stays(case, _at_work(case, policy=policy))
    return _stays(
        case,
        f"its engine has been silent for {policy.orphan_after_s:g} s; given back to the engines",
        act=Act.RELEASE,
    )


def _at_work(case: Case, *, policy: Policy) -> str:
    needed = case.host is not None and policy.needs_approval(case.host.segment.name)
    if not needed or case.approved:
        return "the engine works on it"
    return (
        "the engine works on it, and evacuates nothing before a person has read its plan: "
        f"instance-ha incident approve {case.incident.id}"
    )


def _finished(case: Case) -> Step:
    left = case.servers_left
    if left:
        return _again(f"masakari finished, but nova still places servers on it: {left}")
    return Step(
        state=IncidentState.RECOVERED, kind="recovered", reason="no server is left on the host"
    )


def _stays(case: Case, reason: str, *, act: Act = Act.NOTHING) -> Step:
    """Return the step of a recovery that goes on."""
    if case.past.voids(case.incident.notification):
        reason = f"{reason} (void: no engine touches the host)"
    elif case.verdict.alive:
        reason = f"{reason} (the host answers again: wait for the end of the recovery)"
    return Step(act=act, state=IncidentState.RECOVERING, kind="notification", reason=reason)


def _again(reason: str) -> Step:
    """Return to the beginning, without the maintenance that Masakari left behind.

    It is ended whether it shows or not: what is known of the host may be older than the flag.
    """
    return Step(
        act=Act.END_MAINTENANCE,
        state=IncidentState.OPEN,
        kind="notification",
        reason=reason,
    )


def _lost_anew(case: Case, *, host: Host) -> Step | None:
    """Close the incident of a host that died again, so that the next pass begins a new one.

    It is another loss: what a person approved, and what was waited for, was of the first one.
    """
    if not case.servers_left or not _is_lost_at_work(case):
        return None
    return Step(
        act=Act.END_MAINTENANCE if host.on_maintenance else Act.NOTHING,
        state=IncidentState.CLOSED,
        kind="closed",
        reason="lost again before its return was over, with servers on it: "
        f"{case.servers_left}; a new incident follows",
    )


def _put_back(case: Case, *, host: Host, policy: Policy) -> Step | None:
    """Put a host that has been well for long enough back to work."""
    if not case.verdict.alive:
        return None
    if homecoming.is_back(host, past=case.past, policy=policy):
        reason = "is back at work already"
        if case.past.voids(case.incident.notification) and case.well_since_s is not None:
            reason = f"answers again since {moment(case.well_since_s)}; nothing was touched"
        return Step(act=Act.OPEN_STORAGE, state=IncidentState.CLOSED, kind="closed", reason=reason)
    missed = homecoming.is_missed_on(case.verdict, policy=policy)
    if missed is not None:
        return _waits(case, missed)
    if case.well_since_s is None:
        return None
    missing = homecoming.waits_for(
        host,
        past=case.past,
        well_since_s=case.well_since_s,
        now_s=case.now_s,
        policy=policy,
    )
    if missing is not None:
        return _waits(case, missing)
    back = homecoming.choose(host, past=case.past, policy=policy)
    return Step(
        act=Act.RETURN,
        state=IncidentState.CLOSED,
        kind="closed",
        reason=back.reason,
        role=back.role,
        disabled_for=back.disabled_for,
    )


def _waits(case: Case, reason: str) -> Step:
    return Step(state=case.incident.state, kind="return", reason=reason)
