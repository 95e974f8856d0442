# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Moving servers back, live and a few at a time, once the host that lost them works again."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING

from instance_ha import guards
from instance_ha.errors import CloudUnreachableError
from instance_ha.model import Action, Event
from instance_ha.moving_back import SERVER, TRIES, came_of, choose, is_given_up, taken

if TYPE_CHECKING:
    from instance_ha.model import Host, Incident
    from instance_ha.ports import Journal, Mover
    from instance_ha.survey import Survey

logger = logging.getLogger(__name__)

WITHIN_S = 24 * 3600.0
"""How old a loss may be: what has lived elsewhere for longer is at home there."""

KIND = "move-back"
RESULT = "result"
"""Detail of an event: whether the server's move goes on, is to begin anew, or is over."""
_MOVING, _AGAIN, _OVER = "moving", "again", "over"


class Homing:
    """The duty that moves back what the newest incident of a host took from it.

    Each server is tried twice at most. The incident's timeline tells when and what came of it, so
    that another controller goes on where this one was. Nothing is moved while any host is lost:
    its servers need the room.
    """

    name = "move-back"
    every_s = 10.0

    def __init__(self, *, mover: Mover, journal: Journal, at_once: int, actor: str) -> None:
        self._mover = mover
        self._journal = journal
        self._at_once = at_once
        self._actor = actor
        self._over: set[int] = set()
        """Incidents of which nothing is left to be moved."""

    def attend(self, survey: Survey) -> None:
        """Begin what may be under way beside what is."""
        if survey.incidents:
            return
        for host, incident in self._journal.closed(since_s=survey.now_s - WITHIN_S).items():
            known = survey.hosts.get(host)
            if incident.id not in self._over and known is not None and _works(known, survey):
                self._go_on(incident, survey=survey)

    def _go_on(self, incident: Incident, *, survey: Survey) -> None:
        events = self._journal.events(incident)
        put_on = taken(events)
        results = {e.detail[SERVER]: e.detail[RESULT] for e in events if e.kind == KIND}
        tries = Counter(e.detail[SERVER] for e in events if e.detail.get(RESULT) == _MOVING)
        waiting = [server for server in put_on if results.get(server, _AGAIN) == _AGAIN]
        moving = [server for server, result in results.items() if result == _MOVING]
        if not waiting and not moving:
            self._over.add(incident.id)
            return
        now = self._mover.places(moving)
        for server in moving:
            if came := came_of(now.get(server), to=incident.host):
                name = now[server].name if server in now else server
                again = is_given_up(now.get(server), to=incident.host) and tries[server] < TRIES
                result = _AGAIN if again else _OVER
                self._tell(server, f"{name}: {came}", result, incident=incident, survey=survey)
        under_way = sum(server in now and not now[server].idle for server in moving)
        for server in waiting[: max(0, self._at_once - under_way)]:
            self._try(server, put_on=put_on[server], incident=incident, survey=survey)

    def _try(self, server: str, *, put_on: str, incident: Incident, survey: Survey) -> None:
        """Begin one move, or tell why the server stays."""
        back = choose({server: put_on}, self._mover.places([server]))
        result = _OVER
        text = "".join(f"{name} stays: {why}" for name, why in back.stay.items())
        for place in back.go:
            try:
                self._mover.move(server, target=incident.host)
            except CloudUnreachableError as error:
                text = f"{place.name} stays on {place.host}: {error}"
            else:
                text, result = f"{place.name} is moved back from {place.host}", _MOVING
        self._tell(server, text, result, incident=incident, survey=survey)

    def _tell(
        self, server: str, text: str, result: str, *, incident: Incident, survey: Survey
    ) -> None:
        logger.info("%s move-back: %s", incident.host, text)
        detail = {SERVER: server, RESULT: result}
        event = Event(at_s=survey.now_s, actor=self._actor, kind=KIND, text=text, detail=detail)
        self._journal.record(incident, event)


def _works(host: Host, survey: Survey) -> bool:
    """Tell whether a host is well, takes servers, and nobody stopped it."""
    verdict, service = survey.verdicts.get(host.name), host.service
    if verdict is None or not verdict.well or verdict.action is not Action.NONE:
        return False
    if service is None or not (service.up and service.enabled) or host.on_maintenance:
        return False
    stop = guards.stop(
        host.name, segment=host.segment, pauses=survey.rulings.pauses, now_s=survey.now_s
    )
    return stop is None
