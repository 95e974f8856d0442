# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Moving servers live off a host that works and has lost the network they serve over.

This is no recovery: nothing is fenced, and nothing is moved that cannot be moved alive. It has a
budget, it begins nothing more once the host is judged otherwise, and it never touches a host that
is under recovery. While it lasts the host is kept from new servers.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha import guards
from instance_ha.errors import CloudUnreachableError, PolicyError
from instance_ha.homecoming import OURS
from instance_ha.model import Action, Event, IncidentState
from instance_ha.shares import part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import Host, Incident
    from instance_ha.ports import Journal, Mover
    from instance_ha.survey import Survey

logger = logging.getLogger(__name__)

CORDON = f"{OURS}its servers are moved away"
"""What Nova shows as the reason while a host gives its servers away."""


MINUTE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Budget:
    """How fast servers are moved live; times are seconds."""

    after_s: float = 30.0
    """How long the loss must last."""
    at_once: int = 2
    """Moves under way from one host."""
    per_minute: int = 10
    """Moves begun in a minute, from all hosts together."""
    max_share: float = 0.5
    """Share of a segment's hosts which, affected at once, is taken for the network's own fault."""

    def __post_init__(self) -> None:
        if min(self.after_s, self.at_once, self.per_minute, self.max_share) <= 0:
            raise PolicyError("migrate: every figure of the budget must be more than 0")


@dataclass(frozen=True, kw_only=True)
class Movable:
    """A server on a host that gives its servers away."""

    uuid: str
    name: str
    active: bool
    """Whether it runs and nothing is done with it, so that it can be moved alive."""
    moving: bool
    """Whether Nova moves it already."""


def affected(survey: Survey, *, budget: Budget) -> Sequence[Host]:
    """Return the hosts whose servers are to be moved live, without those that must be left.

    A host with an incident is under recovery, or was; one that its operator has paused, on
    maintenance or disabled is the operator's. If most of a segment is affected there is nowhere
    to go.
    """
    hosts = [
        host
        for name, host in survey.hosts.items()
        if (verdict := survey.verdicts.get(name)) is not None
        and verdict.action is Action.MIGRATE
        and name not in survey.incidents
        and not host.on_maintenance
        and not guards.stop(
            name, segment=host.segment, pauses=survey.rulings.pauses, now_s=survey.now_s
        )
    ]
    enrolled = Counter(host.segment.uuid for host in survey.hosts.values())
    hit = Counter(host.segment.uuid for host in hosts)
    return [
        host
        for host in hosts
        if hit[host.segment.uuid] <= part(budget.max_share, enrolled[host.segment.uuid])
    ]


def next_moves(servers: Sequence[Movable], *, budget: Budget, left: int) -> Sequence[Movable]:
    """Return which servers of one host are to be moved now; *left* of the minute's budget."""
    free = budget.at_once - sum(server.moving for server in servers)
    waiting = [server for server in servers if server.active and not server.moving]
    return waiting[: max(0, min(free, left))]


class Evading:
    """The duty that moves servers live off hosts that lost what the matrix says."""

    name = "migrate"
    every_s = 5.0

    def __init__(self, *, mover: Mover, journal: Journal, budget: Budget, actor: str) -> None:
        self._mover = mover
        self._journal = journal
        self._budget = budget
        self._actor = actor
        self._since_s: dict[str, float] = {}
        self._stories: dict[str, Incident] = {}
        self._begun_s: list[float] = []
        self._refused_s: dict[str, float] = {}
        """Server -> when Nova declined to move it; tried again after a minute."""
        self._released_s: dict[str, float] = {}
        """Host -> when it was let go; a survey may be half a minute old."""

    def attend(self, survey: Survey) -> None:
        """Begin what the budget allows; let hosts that are well take servers again."""
        hosts = affected(survey, budget=self._budget)
        names = {host.name for host in hosts}
        self._since_s = {name: self._since_s.get(name, survey.now_s) for name in sorted(names)}
        self._begun_s = [s for s in self._begun_s if survey.now_s - s < MINUTE_S]
        for memory in (self._refused_s, self._released_s):
            for name in [name for name, s in memory.items() if survey.now_s - s >= MINUTE_S]:
                del memory[name]
        self._release(survey)
        for host in hosts:
            if survey.now_s - self._since_s[host.name] >= self._budget.after_s:
                self._evade(host, survey=survey)

    def _evade(self, host: Host, *, survey: Survey) -> None:
        service = host.service
        if service is None or not service.up:
            return
        if service.enabled:
            self._mover.cordon(host.name, reason=CORDON)
        elif service.disabled_reason != CORDON:
            return
        servers = [s for s in self._mover.servers(host.name) if s.uuid not in self._refused_s]
        left = self._budget.per_minute - len(self._begun_s)
        for server in next_moves(servers, budget=self._budget, left=left):
            self._move(server, host=host, survey=survey)

    def _move(self, server: Movable, *, host: Host, survey: Survey) -> None:
        """Begin one move; a server that cannot be moved alive is told and left where it is."""
        self._begun_s.append(survey.now_s)
        try:
            self._mover.move(server.uuid, target=None)
        except CloudUnreachableError as error:
            self._refused_s[server.uuid] = survey.now_s
            self._tell(host, survey=survey, text=f"{server.name} stays: {error}")
        else:
            self._tell(host, survey=survey, text=f"{server.name} is moved live")

    def _release(self, survey: Survey) -> None:
        """Enable again the hosts that were kept from new servers and are well."""
        for name, host in survey.hosts.items():
            verdict, service = survey.verdicts.get(name), host.service
            if service is None or service.enabled or service.disabled_reason != CORDON:
                continue
            if name in self._released_s:
                continue
            well = verdict is not None and verdict.well and verdict.action is Action.NONE
            if well and name not in survey.incidents:
                self._released_s[name] = survey.now_s
                self._mover.release(name)
                self._tell(host, survey=survey, text="is well, and takes servers again")
                self._stories.pop(name, None)

    def _tell(self, host: Host, *, survey: Survey, text: str) -> None:
        """Add a line to the host's story: an incident that is closed from the beginning.

        So it is seen where incidents are looked for, and never mistaken for a loss.
        """
        logger.info("%s migrate: %s", host.name, text)
        if host.name not in self._stories:
            reason = f"its servers are moved live: {survey.verdicts[host.name].reason}"
            incident = self._journal.open(
                host.name, segment=host.segment.name, at_s=survey.now_s, reason=reason
            )
            if incident.reason != reason:  # somebody notified of the host this very moment
                return
            self._stories[host.name] = self._journal.move(
                incident, IncidentState.CLOSED, at_s=survey.now_s, reason=reason
            )
        event = Event(at_s=survey.now_s, actor=self._actor, kind="migrate", text=text)
        self._journal.record(self._stories[host.name], event)
