# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The duty that finds hosts without protection before they are lost."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from instance_ha.names import Names, compare
from instance_ha.reserves import shortages

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from instance_ha.model import Network
    from instance_ha.names import Finding
    from instance_ha.ports import FindingBoard, Fleet, Observer
    from instance_ha.reboots import Reboots
    from instance_ha.survey import Survey

logger = logging.getLogger(__name__)


class Muster:
    """Compare everybody's names of the hosts, say what is new, and keep what was found.

    A finding counts once it was made twice in a row: a host that joins is known to one service
    before the others. A reboot counts at once.
    """

    name = "muster"
    every_s = 15.0

    def __init__(
        self,
        *,
        fleet: Fleet,
        observer: Observer,
        board: FindingBoard,
        targets: Callable[[], Mapping[str, str] | None],
        reboots: Reboots | None = None,
    ) -> None:
        self._fleet = fleet
        self._observer = observer
        self._board = board
        self._targets = targets
        self._reboots = reboots
        self._before: frozenset[Finding] = frozenset()
        self._posted: frozenset[Finding] | None = None

    def attend(self, survey: Survey) -> None:
        """Look once."""
        names = Names(
            nova={known.name for known in self._fleet.hypervisors() if known.moves_servers},
            enrolled=set(survey.hosts),
            observed=self._observed(),
            targets=self._targets(),
        )
        found = frozenset([*compare(names), *shortages(survey)])
        lasting, self._before = found & self._before, found
        if self._reboots is None:
            self._post(lasting, now_s=survey.now_s)
        else:
            self._post(lasting | self._reboots.find(survey), now_s=survey.now_s)
            self._reboots.keep(survey)

    def _post(self, findings: frozenset[Finding], *, now_s: float) -> None:
        if findings == self._posted:
            return
        self._board.post(sorted(findings, key=str), at_s=now_s)
        for finding in sorted(findings - (self._posted or frozenset()), key=str):
            logger.warning("%s", finding)
        self._posted = findings

    def _observed(self) -> Mapping[Network, Collection[str]]:
        """Return who each network's observers speak of; a network that is blind is left out."""
        names: dict[Network, set[str]] = {}
        for host, reaches in self._observer.observe().items():
            for network in reaches:
                names.setdefault(network, set()).add(host)
        return names
