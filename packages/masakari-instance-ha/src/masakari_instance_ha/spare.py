# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How much room is spare, as a figure: counted now and then, and by one controller.

It costs Placement one question a server and one a shape of servers, so neither a scrape nor each
unit may ask.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from instance_ha.errors import InstanceHaError
from masakari_instance_ha import assembly
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.connection import connect
from masakari_instance_ha.rehearsal import Rehearsal

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from oslo_config import cfg
    from prometheus_client import Metric

    from instance_ha.ports import Lease

logger = logging.getLogger(__name__)

LEASE = "spare room"
_LEASE_S = 300.0
"""How long nobody counts after the unit that did so is gone."""
_LOOK_S = 30.0


def count(conf: cfg.ConfigOpts) -> Mapping[str, int]:
    """Return segment -> how many of its hosts may be lost at once with room for all servers.

    Raises:
        InstanceHaError: if an API cannot be asked.
    """
    hosts = assembly.cloud(conf, clock=SystemClock()).hosts()
    rehearsal = Rehearsal(
        connect(conf), rules=assembly.rules(conf), hosts={host.name: host for host in hosts}
    )
    return rehearsal.spares()


class SpareRoom(Collector):
    """What was counted last, on the unit that counts; the others tell nothing."""

    def __init__(
        self, counted: Callable[[], Mapping[str, int]], *, lease: Lease, every_s: float
    ) -> None:
        """Make ready.

        Args:
            counted: Asks and counts, as :func:`count` does; may take minutes.
            lease: Whoever has it counts.
            every_s: How often.
        """
        self._counted = counted
        self._lease = lease
        self._every_s = every_s
        self._due_s = float("-inf")
        self._known: Mapping[str, int] = {}

    def run(self, stopped: threading.Event) -> None:
        """Count again and again, until *stopped*."""
        while not stopped.wait(_LOOK_S):
            self.look(time.monotonic())

    def look(self, now_s: float) -> None:
        """Count if it is this unit's turn and time for it; what cannot be counted is not told."""
        try:
            if not self._lease.take(ttl_s=_LEASE_S):
                self._known, self._due_s = {}, now_s
            elif now_s >= self._due_s:
                self._due_s = now_s + self._every_s
                self._known = self._counted()
        except InstanceHaError as error:
            logger.warning("spare room: not counted: %s", error)
            self._known = {}

    def collect(self) -> Iterator[Metric]:
        """Tell it without asking anybody."""
        family = GaugeMetricFamily(
            "instance_ha_segment_spare_hosts",
            "Hosts of a segment that may be lost at once with room for all their servers, counted "
            "to 3; told by the unit that counted.",
            labels=["segment"],
        )
        for segment, hosts in sorted(self._known.items()):
            family.add_metric([segment], hosts)
        yield family
