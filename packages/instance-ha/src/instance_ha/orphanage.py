# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Notifications of single servers whose engine died: given back to the engines.

The notification of a host is followed by its incident. That of one server has none, and Masakari
itself leaves what was running when its engine died alone until it expires after a day.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instance_ha.ports import Cloud, Journal, ServerNotices
    from instance_ha.survey import Survey

logger = logging.getLogger(__name__)

_Sign = tuple[str, float | None]
"""When Masakari changed it, when its engine last beat: each by a clock of its own, so that only
their changes count."""


class Orphanage:
    """The duty that looks whether an engine still works on each of them."""

    name = "orphans"
    every_s = 10.0

    def __init__(
        self, *, notices: ServerNotices, cloud: Cloud, journal: Journal, orphan_after_s: float
    ) -> None:
        self._notices = notices
        self._cloud = cloud
        self._journal = journal
        self._orphan_after_s = orphan_after_s
        self._signs: dict[str, tuple[_Sign, float]] = {}
        """Notification -> its newest sign, and since when it has been the same."""

    def attend(self, survey: Survey) -> None:
        """Give back what shows no sign of life for too long."""
        running = self._notices.running()
        self._signs = {
            notification: self._look(notification, changed=changed, now_s=survey.now_s)
            for notification, changed in running.items()
        }
        for notification, (_, since_s) in list(self._signs.items()):
            if survey.now_s - since_s >= self._orphan_after_s:
                logger.warning(
                    "notification %s: its engine has been silent for %g s; given back to the "
                    "engines",
                    notification,
                    self._orphan_after_s,
                )
                self._cloud.release_orphan(notification)
                del self._signs[notification]

    def _look(self, notification: str, *, changed: str, now_s: float) -> tuple[_Sign, float]:
        sign = (changed, self._journal.last_beat_s(notification))
        known, since_s = self._signs.get(notification, (None, now_s))
        return sign, since_s if known == sign else now_s
