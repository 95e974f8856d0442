# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A change of evidence must hold before it counts, the longer the more a host flaps.

A host that comes back after a loss spreads rumours: members that are well were called failed for
0.02 to 1.3 s, by all servers at once. Holding is what helps against them; a majority does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from instance_ha.errors import PolicyError
from instance_ha.model import Network, Reach

Evidence = Mapping[str, Mapping[Network, Reach]]
"""host -> network -> reach; what is left out is unknown."""

_CERTAIN = frozenset({Reach.UP, Reach.DOWN})


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How much evidence a change needs; times are seconds."""

    hold_s: float = 3.0
    """How long a change must last."""
    samples: int = 3
    """How often it must be seen, whatever the time."""
    partial_hold_s: float = 10.0
    """How long a loss must last while the host is up on another network: it is alive then, and
    what is lost is a cable, a port or a switch, which may come back within seconds."""
    flap_changes: int = 4
    """How many changes between up and down of one network make its host a flapping one; 0: none.

    A loss and a return are two."""
    flap_window_s: float = 300.0
    """Within which time these changes must lie."""
    flap_hold_s: float = 30.0
    """How long any change of a flapping host must last."""

    def __post_init__(self) -> None:
        times = ("hold_s", "partial_hold_s", "flap_window_s", "flap_hold_s")
        for name, value in ((name, getattr(self, name)) for name in times):
            if value < 0:
                raise PolicyError(f"{name}: {value} s is no time; give 0 or more")
        if self.samples < 1:
            raise PolicyError(f"samples: {self.samples} is no number of looks; give 1 or more")
        if self.flap_changes < 0 or self.flap_changes == 1:
            raise PolicyError(
                f"flap_changes: {self.flap_changes} makes every host that is lost a flapping one; "
                "give at least 2, or 0 for never"
            )


@dataclass(slots=True)
class _Trace:
    seen: Reach
    since_s: float
    settled: Reach = Reach.UNKNOWN
    samples: int = 0
    certain: Reach | None = None
    """The newest of up and down that was seen; unknown in between is no change."""
    changes: deque[float] = field(default_factory=deque[float])


class Tracker:
    """The evidence that has held long enough; forgotten with the process, soon rebuilt."""

    def __init__(self, patience: Patience | None = None) -> None:
        self._patience = patience or Patience()
        self._traces: dict[str, dict[Network, _Trace]] = {}

    def update(self, now_s: float, observed: Evidence) -> dict[str, dict[Network, Reach]]:
        """Take in what is observed now, and return what counts.

        Unknown counts at once. Everything else, the first sight of a host included, counts after
        it was seen without a break for long and often enough; before that the old state stays.
        """
        self._traces = {
            host: {
                network: self._follow(self._traces.get(host, {}).get(network), seen, now_s)
                for network, seen in reaches.items()
            }
            for host, reaches in observed.items()
        }
        for traces in self._traces.values():
            self._settle(traces, now_s)
        return {
            host: {network: trace.settled for network, trace in traces.items()}
            for host, traces in self._traces.items()
        }

    def since_s(self, host: str, network: Network) -> float | None:
        """Return when the present state of *network* was first seen; None if never."""
        trace = self._traces.get(host, {}).get(network)
        return None if trace is None else trace.since_s

    def is_steady(self, host: str) -> bool:
        """Return whether no change of *host* is under way that may yet come to count."""
        return all(t.seen is t.settled for t in self._traces.get(host, {}).values())

    def flapping(self, now_s: float) -> Mapping[str, Network]:
        """Return the hosts that flap, each with a network on which it does."""
        return {
            host: flaps[0]
            for host, traces in self._traces.items()
            if (flaps := [n for n, trace in traces.items() if self._flaps(trace, now_s)])
        }

    def _follow(self, trace: _Trace | None, seen: Reach, now_s: float) -> _Trace:
        """Take one observation down."""
        trace = trace or _Trace(
            seen=seen, since_s=now_s, changes=deque(maxlen=self._patience.flap_changes)
        )
        if seen is not trace.seen:
            trace.seen, trace.since_s, trace.samples = seen, now_s, 0
        trace.samples += 1
        if seen in _CERTAIN:
            if trace.certain not in (None, seen):
                trace.changes.append(now_s)
            trace.certain = seen
        return trace

    def _settle(self, traces: Mapping[Network, _Trace], now_s: float) -> None:
        """Let count what has held."""
        flaps = any(self._flaps(trace, now_s) for trace in traces.values())
        elsewhere = _up_elsewhere(traces.values())
        for trace in traces.values():
            if trace.seen is trace.settled:
                continue
            hold_s = self._patience.hold_s
            if trace.seen is Reach.DOWN and elsewhere:
                hold_s = max(hold_s, self._patience.partial_hold_s)
            if flaps:
                hold_s = max(hold_s, self._patience.flap_hold_s)
            held = now_s - trace.since_s >= hold_s and trace.samples >= self._patience.samples
            if held or trace.seen is Reach.UNKNOWN:
                trace.settled = trace.seen

    def _flaps(self, trace: _Trace, now_s: float) -> bool:
        many = 0 < self._patience.flap_changes == len(trace.changes)
        return many and now_s - trace.changes[0] <= self._patience.flap_window_s


def _up_elsewhere(traces: Iterable[_Trace]) -> bool:
    return any(trace.seen is Reach.UP for trace in traces)
