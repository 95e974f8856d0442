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


_Sign = tuple[str, float, float | None]
"""The notification, when Masakari changed it, when its engine last beat."""


class Pulse:
    """Remembers the newest sign of each host's notification; forgotten with the process."""

    def __init__(self) -> None:
        self._signs: dict[str, tuple[_Sign, float]] = {}

    def last_s(
        self, notification: Notification, *, last_beat_s: float | None, now_s: float
    ) -> float:
        """Return when the signs of *notification* were last seen to change, by our own clock.

        Args:
            notification: As Masakari has it; a new status changes its time.
            last_beat_s: When an engine last said that it works on it, by its clock.
            now_s: The time of this look.
        """
        sign = (notification.uuid, notification.updated_at_s, last_beat_s)
        seen, since_s = self._signs.get(notification.host, (None, now_s))
        if seen != sign:
            since_s = now_s
            self._signs[notification.host] = (sign, since_s)
        return since_s
