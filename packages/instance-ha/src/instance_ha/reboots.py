# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts that booted anew though nobody lost them: too short to be noticed on any network.

Their servers died with the old boot, and Nova starts them again only where it is told to. Each
machine publishes the id of its boot itself, so a new one tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.guards import moment
from instance_ha.names import REBOOTED, Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from instance_ha.ports import BootBook, FindingBoard
    from instance_ha.survey import Survey

SHOWN_S = 86400.0
"""How long such a finding stays up: long enough for who looks once a day."""


@dataclass(frozen=True, kw_only=True)
class Boot:
    """The boot that a host was last known to run."""

    id: str
    since_s: float
    """When it was first seen, which is some time after it began."""


class Reboots:
    """Compare the boots that the machines publish with those that are known."""

    def __init__(
        self, *, published: Callable[[], Mapping[str, str]], book: BootBook, board: FindingBoard
    ) -> None:
        """Make ready.

        Args:
            published: Returns host -> the id of its boot, as far as machines said it.
            book: What was known so far.
            board: Where the findings are kept.
        """
        self._published = published
        self._book = book
        self._board = board

    def find(self, survey: Survey) -> frozenset[Finding]:
        """Return who rebooted unnoticed within the last day."""
        up = {
            finding
            for finding, since_s in self._board.found()
            if finding.kind == REBOOTED and survey.now_s - since_s < SHOWN_S
        }
        known = self._book.boots()
        new = {
            _rebooted(host, survey=survey)
            for host, boot_id in self._published().items()
            if host in known
            and known[host].id != boot_id
            and not self._is_explained(host, since_s=known[host].since_s, survey=survey)
        }
        named = {finding.about for finding in new}
        return frozenset(new | {finding for finding in up if finding.about not in named})

    def keep(self, survey: Survey) -> None:
        """Know the published boots from now on; to be called once the findings are up."""
        known = self._book.boots()
        for host, boot_id in self._published().items():
            if host not in known or known[host].id != boot_id:
                self._book.note(host, Boot(id=boot_id, since_s=survey.now_s))

    def _is_explained(self, host: str, *, since_s: float, survey: Survey) -> bool:
        """Tell whether a recovery, or its operator, is why the host booted."""
        enrolled = survey.hosts.get(host)
        if enrolled is None or enrolled.on_maintenance:
            return True
        return self._book.was_recovered(host, since_s=since_s)


def _rebooted(host: str, *, survey: Survey) -> Finding:
    return Finding(
        kind=REBOOTED,
        about=host,
        fact=f"it rebooted unnoticed, shortly before {moment(survey.now_s)}",
        consequence="its servers may be down",
        advice=f"see: openstack server list --all-projects --host {host}, and start those that "
        "are SHUTOFF",
    )
