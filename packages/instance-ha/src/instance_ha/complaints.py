# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the controller has to complain about: logged when it begins or changes, never repeated."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from instance_ha.model import Reach

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from instance_ha.model import Verdict

logger = logging.getLogger(__name__)


class Complaints:
    """Remembers what was said last; forgotten with the process."""

    def __init__(self) -> None:
        self._said: dict[str, str] = {}

    def say(self, about: str, trouble: str) -> None:
        """Log a trouble when it begins or changes, and nothing while it lasts.

        Args:
            about: What it concerns; of each, only the newest trouble is known.
            trouble: Empty if there is none any more.
        """
        if trouble and self._said.get(about) != trouble:
            logger.warning("%s: %s", about, trouble)
        if trouble:
            self._said[about] = trouble
        else:
            self._said.pop(about, None)

    def of_the_spared(
        self, verdicts: Mapping[str, Verdict], *, concerned: Collection[str]
    ) -> None:
        """Say which hosts are down somewhere and not recovered, and why."""
        for host, verdict in verdicts.items():
            if host in concerned:
                continue
            seen = set(verdict.reach.values())
            trouble = ""
            if Reach.DOWN in seen and Reach.LEFT in seen:
                trouble = (
                    f"{verdict.reason}: taken for a planned stop, so it is not recovered; "
                    "else start its consul agents again"
                )
            elif Reach.DOWN in seen:
                trouble = f"{verdict.reason}: left alone, no recovery follows from that"
            self.say(host, trouble)
