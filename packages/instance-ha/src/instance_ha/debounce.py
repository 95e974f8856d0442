# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A change of evidence must hold before it counts.

A host that comes back after a loss spreads rumours: members that are well were called failed for
0.02 to 1.3 s, by all servers at once. Holding is what helps against them; a majority does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from instance_ha.model import Network, Reach

Evidence = Mapping[str, Mapping[Network, Reach]]
"""host -> network -> reach; what is left out is unknown."""


@dataclass(slots=True)
class _Trace:
    seen: Reach
    since_s: float
    settled: Reach


class Tracker:
    """The evidence that has held long enough; forgotten with the process, rebuilt in *hold_s*."""

    def __init__(self, hold_s: float = 3.0) -> None:
        self._hold_s = hold_s
        self._traces: dict[tuple[str, Network], _Trace] = {}

    def update(self, now_s: float, observed: Evidence) -> dict[str, dict[Network, Reach]]:
        """Take in what is observed now, and return what counts.

        Unknown counts at once. Everything else, the first sight of a host included, counts after
        it was seen without a break for the holding time; before that the old state stays.
        """
        traces: dict[tuple[str, Network], _Trace] = {}
        settled: dict[str, dict[Network, Reach]] = {}
        for host, reaches in observed.items():
            counts: dict[Network, Reach] = {}
            for network, seen in reaches.items():
                trace = self._follow(self._traces.get((host, network)), seen, now_s)
                traces[host, network] = trace
                counts[network] = trace.settled
            settled[host] = counts
        self._traces = traces
        return settled

    def since_s(self, host: str, network: Network) -> float | None:
        """Return when the present state of *network* was first seen; None if never."""
        trace = self._traces.get((host, network))
        return None if trace is None else trace.since_s

    def _follow(self, trace: _Trace | None, seen: Reach, now_s: float) -> _Trace:
        if trace is None or seen is not trace.seen:
            old = Reach.UNKNOWN if trace is None else trace.settled
            trace = _Trace(seen=seen, since_s=now_s, settled=old)
        if seen is Reach.UNKNOWN or now_s - trace.since_s >= self._hold_s:
            trace.settled = seen
        return trace
