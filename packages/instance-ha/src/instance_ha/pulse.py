# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an engine still works on a notification, told without trusting anybody's clock.

The signs of life carry the time of the database and of Masakari, and the controller has a third
clock. So what counts is that a sign changes, and when this was seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instance_ha.model import Notification


class Pulse:
    """Remembers the newest sign of each notification; forgotten with the process."""

    def __init__(self) -> None:
        self._signs: dict[str, tuple[tuple[float, float | None], float]] = {}

    def last_s(
        self, notification: Notification, *, last_beat_s: float | None, now_s: float
    ) -> float:
        """Return when the signs of *notification* were last seen to change, by our own clock.

        Args:
            notification: As Masakari has it; a new status changes its time.
            last_beat_s: When an engine last said that it works on it, by its clock.
            now_s: The time of this look.
        """
        sign = (notification.updated_at_s, last_beat_s)
        known = self._signs.get(notification.uuid)
        if known is None or known[0] != sign:
            self._signs[notification.uuid] = (sign, now_s)
        return self._signs[notification.uuid][1]
