# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which incidents of its own a controller may believe after others have acted.

Controllers that share a store never need this. Those of a ring have one each: what one of them
left unclosed may have been ended by another, and the next loss been begun.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from instance_ha.model import Event, IncidentState
from instance_ha.steps import UNFINISHED

if TYPE_CHECKING:
    from instance_ha.model import Host, Incident, Notification
    from instance_ha.policy import Policy
    from instance_ha.ports import Clock, Cloud, Journal, Lease

logger = logging.getLogger(__name__)

_REASON = "another member may have acted since; what still is so begins a new incident"


def still_counts(
    incident: Incident, *, host: Host, newest: Notification | None, policy: Policy
) -> bool:
    """Tell whether Masakari and Nova still show what the incident says of its host.

    They do while the host's newest notification is the incident's own, and either is unfinished or
    has left the host disabled: whoever returns a host, or loses it anew, changes one of the two.

    Args:
        incident: One that is not closed.
        host: As Masakari has it enrolled now.
        newest: Its newest notification; None if there is none of the last day.
        policy: Tells what Masakari's flow disables a host with.
    """
    if incident.notification is None:
        return False
    if newest is not None and newest.uuid != incident.notification:
        return False
    if newest is not None and newest.status in UNFINISHED:
        return True
    service = host.service
    if service is None or service.enabled:
        return False
    return service.forced_down or service.disabled_reason == policy.disable_reason


class Succession:
    """The right to act, with a look at what is left from before each time that it is got.

    Implements ``ports.Lease`` over the real one.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        cloud: Cloud,
        journal: Journal,
        clock: Clock,
        policy: Policy,
        actor: str,
    ) -> None:
        self._lease = lease
        self._cloud = cloud
        self._journal = journal
        self._clock = clock
        self._policy = policy
        self._actor = actor
        self._ours_until_s = float("-inf")

    def take(self, *, ttl_s: float) -> bool:
        """Take or renew the lease; return whether it is ours until *ttl_s* from now.

        Where it was not ours just now, or this process slept for longer than it lasts, what does
        not count any more is closed first. Until that is done this raises
        ``CloudUnreachableError`` or ``StoreUnreachableError``, and nobody acts.
        """
        now_s = self._clock.now_s()
        acts = self._lease.take(ttl_s=ttl_s)
        if acts and now_s >= self._ours_until_s:
            self._close_what_is_over()
        self._ours_until_s = now_s + ttl_s if acts else float("-inf")
        return acts

    def give_up(self) -> None:
        """Let others have it at once."""
        self._lease.give_up()

    def _close_what_is_over(self) -> None:
        left = self._journal.unclosed()
        if not left:
            return
        hosts = {host.name: host for host in self._cloud.hosts()}
        newest = self._cloud.notifications()
        for name, incident in left.items():
            host = hosts.get(name)
            if host is None or still_counts(
                incident, host=host, newest=newest.get(name), policy=self._policy
            ):
                continue
            now_s = self._clock.now_s()
            closed = self._journal.move(incident, IncidentState.CLOSED, at_s=now_s, reason=_REASON)
            event = Event(at_s=now_s, actor=self._actor, kind="closed", text=_REASON)
            self._journal.record(closed, event)
            logger.info("%s closed: %s", name, _REASON)
