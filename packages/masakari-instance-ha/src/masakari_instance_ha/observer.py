# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The observer: every Consul server of every network, read all the time and side by side.

Each server has a reader of its own that keeps the newest answer, so a dead server delays nobody
and a pass of the controller never waits for the network.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from instance_ha import agreement
from masakari_instance_ha import consul
from masakari_instance_ha.reader import Pace, Reader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from instance_ha.model import Network, Reach

logger = logging.getLogger(__name__)

STRIKE_AFTER_S = 60.0
"""How long all servers on the roll must have answered until an address that never did is struck.

That is long enough for a server that starts together with the controller, and a cluster that
keeps a leader for so long is no remnant of a larger one: Raft lets no minority elect."""


class Cluster:
    """The Consul servers of one network."""

    def __init__(
        self,
        network: Network,
        addresses: Sequence[consul.Address],
        *,
        discover: bool = True,
        pace: Pace | None = None,
        strike_after_s: float = STRIKE_AFTER_S,
    ) -> None:
        """Start to read.

        Args:
            network: The network that these servers gossip on.
            addresses: Of at least one server; the others are found by themselves if *discover*.
            discover: Whether to read servers that only the members name.
            pace: How often each server is asked.
            strike_after_s: See :data:`STRIKE_AFTER_S`.
        """
        self.network = network
        self._strike_after_s = strike_after_s
        self._pace = pace or Pace()
        self._discover = discover
        self._port = addresses[0].port
        self._configured = frozenset(addresses)
        self._readers = {address: self._start(address) for address in addresses}
        self._roll: Mapping[str, str] = {}
        self.addresses: Mapping[str, str] = {}
        """Address -> host, as the servers that were believed last have it."""
        self._complete_since_s: float | None = None
        self._struck: frozenset[consul.Address] = frozenset()
        self._doubted: set[str] = set()

    def judge(self) -> Mapping[str, Reach]:
        """Return what the servers together say of each host; empty while none is believed."""
        answers = self._answers()
        self._say_who_is_doubted(answers)
        believed = [answer for answer in answers if agreement.believed(answer.view)]
        if believed:
            self._roll = {
                name: address for answer in believed for name, address in answer.servers.items()
            }
            self.addresses = {
                address: host for answer in believed for address, host in answer.addresses.items()
            }
            if self._discover:
                self._follow_roll()
        self._strike_the_mute({answer.view.server for answer in believed})
        return agreement.agree([answer.view for answer in answers], self.size())

    def size(self) -> int:
        """Return how many servers a majority is counted of; any thread may ask.

        These are the servers on the roll: all that any believed server lists, failed ones
        included, so that the fewer answer, the more of those must agree. Who left is struck
        off, as the cluster itself does. A configured address that never answered counts as one
        more server unless it may be one on the roll that has not answered either: else a
        single server that lost its cluster, and never heard of it again, would be a majority
        by itself; :data:`STRIKE_AFTER_S` says when it is let go. Addresses are not simply
        counted, because one of them may be shared by all servers and others are found only
        here. While nobody is believed, the last roll stands.
        """
        met = {reader.server for reader in tuple(self._readers.values())}
        unmet = len(self._roll.keys() - met)
        mute = len(self._mute() - self._struck)
        return max(1, len(self._roll) + max(0, mute - unmet))

    def heard(self) -> frozenset[str]:
        """Return the servers that have a fresh answer, believed or not; any thread may ask."""
        return frozenset(answer.view.server for answer in self._answers())

    def stop(self) -> None:
        """Read no more."""
        for reader in self._readers.values():
            reader.stop()

    def _answers(self) -> list[consul.Answer]:
        """Return one fresh answer a server, whatever number of addresses leads to it.

        Its own address goes before a configured one, which may be shared: found ones come last.
        """
        fresh = [reader.newest() for reader in tuple(self._readers.values())]
        by_server = {answer.view.server: answer for answer in fresh if answer is not None}
        return list(by_server.values())

    def _mute(self) -> frozenset[consul.Address]:
        """Return the configured addresses where nobody has ever answered."""
        return frozenset(a for a in self._configured if self._readers[a].server is None)

    def _strike_the_mute(self, believed: AbstractSet[str]) -> None:
        """Strike mute addresses once every server on the roll has been believed for long.

        Never more addresses than servers: a lone server that speaks for a lost majority of the
        configured ones stays without a majority. All are asked on, and count when they answer.
        """
        if not self._roll or not self._roll.keys() <= believed:
            self._complete_since_s = None
            return
        now_s = time.monotonic()
        if self._complete_since_s is None:
            self._complete_since_s = now_s
        mute = self._mute()
        if now_s - self._complete_since_s < self._strike_after_s or len(mute) > len(self._roll):
            return
        for address in sorted(map(str, mute - self._struck)):
            logger.warning(
                "%s network: nobody has ever answered at %s, and all %s servers are known by "
                "now, so it counts no longer; correct [instance_ha_consul] %s",
                self.network,
                address,
                len(self._roll),
                self.network,
            )
        self._struck = mute

    def _say_who_is_doubted(self, answers: Sequence[consul.Answer]) -> None:
        for answer in answers:
            server, doubt = answer.view.server, agreement.disbelief(answer.view)
            if doubt is not None and server not in self._doubted:
                logger.warning("%s network: %s is not believed: %s", self.network, server, doubt)
                self._doubted.add(server)
            elif doubt is None and server in self._doubted:
                logger.info("%s network: %s is believed again", self.network, server)
                self._doubted.remove(server)

    def _follow_roll(self) -> None:
        """Read every server on the roll, and none that was found there and is gone."""
        listed = {consul.Address(host=host, port=self._port) for host in self._roll.values()}
        for address in listed - self._readers.keys():
            logger.info("%s network: found a consul server at %s", self.network, address)
            self._readers[address] = self._start(address)
        for address in self._readers.keys() - self._configured - listed:
            self._readers.pop(address).stop()

    def _start(self, address: consul.Address) -> Reader:
        return Reader(address, network=self.network, pace=self._pace)


class ConsulObserver:
    """Say which host can be reached on which network; implements ``ports.Observer``."""

    def __init__(self, clusters: Sequence[Cluster]) -> None:
        self.clusters = clusters
        self.seen: Mapping[str, Mapping[Network, Reach]] = {}
        """What was seen last; never changed, only replaced."""

    def observe(self) -> Mapping[str, Mapping[Network, Reach]]:
        """Return host -> network -> reach from the newest answers; never waits, never fails."""
        reach: dict[str, dict[Network, Reach]] = defaultdict(dict)
        for cluster in self.clusters:
            for host, seen in cluster.judge().items():
                reach[host][cluster.network] = seen
        self.seen = reach
        return reach

    def addresses(self) -> Mapping[str, str]:
        """Return address -> host on every network; any thread may ask."""
        return {
            address: host
            for cluster in self.clusters
            for address, host in cluster.addresses.items()
        }

    def stop(self) -> None:
        """Read no more."""
        for cluster in self.clusters:
            cluster.stop()
