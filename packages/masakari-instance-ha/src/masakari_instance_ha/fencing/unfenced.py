# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""No fencing, chosen by name: for operators without any power controller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.ladder import NO_FENCING, UNFENCED
from instance_ha.model import FenceProof

if TYPE_CHECKING:
    from instance_ha.ports import Clock

METHOD = NO_FENCING
ANSWER = UNFENCED
"""What every such proof says, wherever it is shown."""


class Unfenced:
    """Proves nothing, and says so; implements :class:`instance_ha.ports.Fencer`."""

    def __init__(self, *, clock: Clock, by: str) -> None:
        self._clock = clock
        self._by = by

    def fence(self, host: str) -> FenceProof:
        """Return at once what the operator chose instead of a proof."""
        now_s = self._clock.now_s()
        return FenceProof(
            host=host,
            method=METHOD,
            target=host,
            answer=ANSWER,
            ordered_at_s=now_s,
            confirmed_at_s=now_s,
            by=self._by,
        )

    def check(self, host: str) -> str:  # noqa: ARG002 - the port names it
        """Return ``unknown``: there is nobody to ask."""
        return "unknown"
