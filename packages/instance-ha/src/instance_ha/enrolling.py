# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The duty that keeps the segments as the rule of enrolment wants them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from instance_ha.enrolment import Plan, Watch, plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.enrolment import EnrolPolicy, Hypervisor
    from instance_ha.ports import Fleet, Roll
    from instance_ha.survey import Survey

logger = logging.getLogger(__name__)

AT_ONCE = 5
"""Changes of one turn; no host is looked at while they are made."""
SETTLING_S = 60.0
"""How long nothing more is done or said about a host after a change, made or declined: a survey
may be half a minute old."""


class Enrolling:
    """Enrol new hypervisors, let go what was scaled in, and name what is left out."""

    name = "enrolment"
    every_s = 10.0

    def __init__(self, *, fleet: Fleet, roll: Roll, policy: EnrolPolicy) -> None:
        self._fleet = fleet
        self._roll = roll
        self._policy = policy
        self._watch = Watch()
        self._touched_s: dict[str, float] = {}
        self._said: Mapping[str, str] = {}

    def attend(self, survey: Survey) -> None:
        """Make the changes that are due, a few at a time."""
        hypervisors = self._fleet.hypervisors()
        self._watch = self._watch.look(hypervisors, survey.hosts, now_s=survey.now_s)
        due = plan(
            hypervisors,
            survey=survey,
            roll=self._call_the_roll(hypervisors, survey=survey),
            watch=self._watch,
            policy=self._policy,
        )
        self._touched_s = {
            name: touched_s
            for name, touched_s in self._touched_s.items()
            if survey.now_s - touched_s < SETTLING_S
        }
        self._say({h: reason for h, reason in due.left.items() if h not in self._touched_s})
        self._carry_out(due, survey=survey)

    def _call_the_roll(
        self, hypervisors: Sequence[Hypervisor], *, survey: Survey
    ) -> frozenset[str]:
        """Return the roll, with those that a turn before was cut short of writing down.

        Who left Masakari and Nova alike is struck: who comes by that name again is new.
        """
        names = self._roll.names()
        there = {hypervisor.name for hypervisor in hypervisors}
        enrolled = {host.name for host in survey.hosts.values() if host.automatic}
        struck = names - survey.hosts.keys() - there if there else frozenset[str]()
        for name in enrolled - names:
            self._roll.add(name)
        for name in struck:
            self._roll.strike(name)
        return (names | enrolled) - struck

    def _carry_out(self, due: Plan, *, survey: Survey) -> None:
        """Make what changes there are; one that is declined lets the others go first."""
        ready = [name for name in (*due.drop, *due.add) if name not in self._touched_s]
        for name in ready[:AT_ONCE]:
            self._touched_s[name] = survey.now_s
            if name in due.add:
                self._enrol(name, segment=due.add[name])
            else:
                self._dismiss(name, survey=survey)

    def _enrol(self, name: str, *, segment: str) -> None:
        self._fleet.enrol(name, segment=segment)
        self._roll.add(name)
        logger.info("%s: enrolled into segment %s", name, segment)

    def _dismiss(self, name: str, *, survey: Survey) -> None:
        self._fleet.dismiss(survey.hosts[name])
        self._roll.strike(name)
        logger.info("%s: left segment %s", name, survey.hosts[name].segment.name)

    def _say(self, left: Mapping[str, str]) -> None:
        """Name what is left out as it begins, or as another reason keeps it."""
        for name, reason in left.items():
            if _kind(self._said.get(name, "")) != _kind(reason):
                logger.warning("%s: %s", name, reason)
        self._said = left


def _kind(reason: str) -> str:
    """Return a reason without its figures, which change at every look."""
    return "".join(sign for sign in reason if not sign.isdigit())
