# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How long recoveries took so far, by their timelines: pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from instance_ha.model import Event, Incident


@dataclass(frozen=True, kw_only=True)
class Times:
    """One recovery; None where it did not come so far. Seconds from the first sign of the loss."""

    proof_s: float | None
    recovered_s: float | None
    servers: Mapping[str, float]
    """Server -> how long its own move took, from the first order until it was active."""


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What the next recovery will take, if it goes as the median of the past ones."""

    recoveries: int
    """How many this is known from."""
    proof_s: float | None
    recovered_s: float | None
    server_s: float | None


def times(incident: Incident, events: Sequence[Event]) -> Times:
    """Return how long one recovery took."""
    start_s = min([incident.opened_at_s, *(event.at_s for event in events)])
    ordered: dict[str, float] = {}
    servers: dict[str, float] = {}
    proof_s = recovered_s = None
    for event in sorted(events, key=lambda event: event.at_s):
        server = event.detail.get("server", "")
        if event.kind == "proof" and proof_s is None:
            proof_s = event.at_s - start_s
        elif event.kind == "recovered":
            recovered_s = event.at_s - start_s
        elif event.kind == "evacuate" and server:
            ordered.setdefault(server, event.at_s)
        elif event.kind == "active" and server:
            servers[server] = event.at_s - ordered.get(server, event.at_s)
    return Times(proof_s=proof_s, recovered_s=recovered_s, servers=servers)


def expect(past: Iterable[Times], *, servers: int, at_once: int) -> Expected:
    """Return what is to be expected of a host with so many servers.

    Args:
        past: Recoveries, in any order.
        servers: How many the next one moves.
        at_once: How many are moved at the same time.
    """
    known = [each for each in past if each.recovered_s is not None]
    proof_s = _median(each.proof_s for each in known)
    server_s = _median(took for each in known for took in each.servers.values())
    recovered_s = _median(each.recovered_s for each in known)
    if proof_s is not None and server_s is not None:
        rounds = -(-servers // at_once)
        recovered_s = proof_s + rounds * server_s
    return Expected(
        recoveries=len(known), proof_s=proof_s, recovered_s=recovered_s, server_s=server_s
    )


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 1) if known else None
