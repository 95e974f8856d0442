# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""When each duty of the controller that acts is due again."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from instance_ha.ports import Duty


class Rota:
    """Duties, each due at once and then every so often; a restart makes all of them due."""

    def __init__(self, duties: Iterable[Duty]) -> None:
        self._duties = tuple(duties)
        self._due_s: dict[str, float] = {}

    def due(self, now_s: float) -> Sequence[Duty]:
        """Return the duties to attend to now."""
        return [d for d in self._duties if now_s >= self._due_s.get(d.name, float("-inf"))]

    def attended(self, duty: Duty, *, now_s: float) -> None:
        """Note that *duty* had its turn, whatever came of it."""
        self._due_s[duty.name] = now_s + duty.every_s
