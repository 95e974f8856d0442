# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Nova says of domains and of itself: aggregates, zones, and whether it can move servers."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from instance_ha.model import NovaHealth
from masakari_instance_ha.connection import calling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import openstack.connection
    from openstack.compute.v2.aggregate import Aggregate
    from openstack.compute.v2.service import Service

AGGREGATES_S = 300.0
"""Age from which the aggregates are read anew: racks are seldom rebuilt."""

MOVERS = ("nova-conductor", "nova-scheduler")
"""Without one of each, no server is moved anywhere."""


class Aggregates:
    """Which host is in which aggregate, read once in a while."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection
        self._read_s = float("-inf")
        self._of: Mapping[str, Sequence[str]] = {}

    def of(self) -> Mapping[str, Sequence[str]]:
        """Return host -> the names of its aggregates, sorted; a host in none is left out."""
        now_s = time.monotonic()
        if now_s - self._read_s >= AGGREGATES_S:
            self._of = aggregates_of_hosts(self._connection)
            self._read_s = now_s
        return self._of


def aggregates_of_hosts(
    connection: openstack.connection.Connection,
    *,
    wanted: Callable[[Aggregate], bool] = lambda _: True,
) -> Mapping[str, Sequence[str]]:
    """Return host -> the names of its aggregates, sorted; a host in none is left out.

    Raises:
        CloudUnreachableError: if Nova does not answer.
    """
    names: defaultdict[str, list[str]] = defaultdict(list)
    with calling("list Nova's aggregates"):
        for aggregate in filter(wanted, connection.compute.aggregates()):
            for host in aggregate.hosts or ():
                names[host].append(aggregate.name)
    return {host: sorted(of_host) for host, of_host in names.items()}


def health(services: Sequence[Service]) -> NovaHealth:
    """Return which services Nova lists, and none of them up.

    One that is not listed at all says nothing: a user may be allowed to see some services only.
    """
    states: defaultdict[str, set[str]] = defaultdict(set)
    for service in services:
        states[service.binary].add(service.state)
    return NovaHealth(
        down=tuple(name for name in MOVERS if name in states and "up" not in states[name])
    )
