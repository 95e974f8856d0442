# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a process of ours does its work, told by the work itself and not by its being there."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from instance_ha.model import Reach

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

    from masakari_instance_ha.observer import ConsulObserver

PATIENCE_S = 60.0
"""Longer than any one call to a partner takes to give up."""


class Sign:
    """When something was last seen to work."""

    def __init__(self, what: str, *, patience_s: float = PATIENCE_S) -> None:
        """Begin as if it had been seen now: a process that starts is not ill."""
        self._what = what
        self._patience_s = patience_s
        self._seen_s = time.monotonic()

    def seen(self) -> None:
        """Note that it works."""
        self._seen_s = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since it was seen last."""
        return time.monotonic() - self._seen_s

    def ill(self) -> str:
        """Return what is wrong; empty while it was seen lately enough."""
        if self.age_s <= self._patience_s:
            return ""
        return f"{self._what} for {self.age_s:.0f} s"


class ControllerVitals(Collector):
    """What only the controller's own process knows: its passes, and what it sees."""

    def __init__(
        self,
        passes: Sign,
        *,
        observer: ConsulObserver,
        fence_tests: Callable[[], Mapping[str, float]],
    ) -> None:
        """Make ready.

        Args:
            passes: Is seen as each pass begins.
            observer: What sees the hosts.
            fence_tests: Returns host -> when its fence path was tested last.
        """
        self._passes = passes
        self._observer = observer
        self._fence_tests = fence_tests

    def collect(self) -> Iterator[Metric]:
        """Read it without waiting for anybody."""
        yield GaugeMetricFamily(
            "instance_ha_controller_pass_age_seconds",
            "Since this unit's controller began a pass.",
            value=self._passes.age_s,
        )
        heard = GaugeMetricFamily(
            "instance_ha_consul_servers_heard",
            "Consul servers that answer this unit.",
            labels=["network"],
        )
        expected = GaugeMetricFamily(
            "instance_ha_consul_servers_expected",
            "Consul servers of which a majority must agree.",
            labels=["network"],
        )
        for cluster in self._observer.clusters:
            heard.add_metric([cluster.network.value], len(cluster.heard()))
            expected.add_metric([cluster.network.value], cluster.size())
        yield heard
        yield expected
        yield self._reach()
        tested = GaugeMetricFamily(
            "instance_ha_fence_test_timestamp_seconds",
            "When the fence path of a host was tested last.",
            labels=["host"],
        )
        for host, at_s in sorted(self._fence_tests().items()):
            tested.add_metric([host], at_s)
        yield tested

    def _reach(self) -> Metric:
        hosts = GaugeMetricFamily(
            "instance_ha_observed_hosts",
            "Hosts as this unit sees them on a network: up, down, left, unknown.",
            labels=["network", "reach"],
        )
        seen = self._observer.seen
        for cluster in self._observer.clusters:
            reached = [reach.get(cluster.network) for reach in seen.values()]
            for state in Reach:
                hosts.add_metric([cluster.network.value, state.value], reached.count(state))
        return hosts
