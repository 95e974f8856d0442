# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""After the return guard: nova-compute settles what Nova still has against taking the host back.

nova-compute settles the records of servers that left as it starts, one of each server
(``_destroy_evacuated_instances`` keeps them by server). After an order that got lost inside Nova
there are more: one that is done keeps Nova from ending force-down; one that never ended would have
a later start end the server's guest, also when it has moved back meanwhile. So nova-compute is
started once more, while the host is out of service and nothing of theirs runs there.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.errors import CloudError, SettingsError, UnitError

if TYPE_CHECKING:
    from hypervisor_instance_ha.files import Report
    from hypervisor_instance_ha.guarding import Surroundings

logger = logging.getLogger(__name__)

SETTLE_S = 60.0
"""Within which nova-compute settles its records, once it starts; it takes seconds."""
MOST = 3
"""Starts that may be needed: an engine orders a server three times by default."""


class Settling:
    """What is left to do in this boot, for a host that was lost and may work again."""

    def __init__(self, around: Surroundings, *, report: Report) -> None:
        self._around = around
        self._report = report
        self._starts = 0
        self._left: int | None = None
        self._since_s = 0.0

    def step(self, now_s: float) -> bool:
        """Look once. Return whether nothing is left that another start could settle.

        Args:
            now_s: Time of a clock that nobody sets.
        """
        try:
            standing = self._around.standing()
        except (CloudError, SettingsError) as error:
            logger.debug("nobody says what is left: %s", error)
            return False
        left = standing.unsettled
        if left == 0:
            return True
        if left != self._left:
            self._left, self._since_s = left, now_s
        if now_s - self._since_s < SETTLE_S:
            return False
        if self._starts == MOST:
            reason = f"Nova keeps {left} records of evacuations; see the log of nova-compute"
            logger.error("%s", reason)
            self._report.tell(reason=reason)
            return True
        self._start_again(left)
        self._since_s = now_s
        return False

    def _start_again(self, left: int) -> None:
        told = machine.show(self._around.units, properties=("Id", "ActiveState"))
        for unit in told:
            if unit.get("ActiveState") != "active":
                continue
            logger.warning("%s is started again: %s records are left", unit["Id"], left)
            try:
                machine.systemctl("restart", "--no-block", unit["Id"])
            except UnitError as error:
                logger.error("%s", error)  # noqa: TRY400 - the message is made for people
            else:
                self._starts += 1
