# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the store tells a Prometheus: one function for each question, asked at scrape time.

Every unit that reaches the database answers the same, whichever one acts; queries take one of
them. Labels are hosts, segments and words of ours, never a server, a person or a secret.
"""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from instance_ha.errors import StoreUnreachableError
from instance_ha.guards import guard_of
from instance_ha.ladder import Rung
from instance_ha.model import IncidentState, PauseScope
from instance_ha.names import HARMLESS
from instance_ha.reserves import NO_RESERVE
from instance_ha.restarts import Remedy
from masakari_instance_ha import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from prometheus_client import Metric

    Run = Callable[[Callable[[sa.Connection], Any]], Any]

logger = logging.getLogger(__name__)

SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
"""Upper ends of the histograms' buckets."""

_UNCLOSED = schema.incidents.c.open_host.is_not(None)


class StoredFigures(Collector):
    """Everything that the store knows."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._silent = False

    def describe(self) -> Iterable[Metric]:
        """Return nothing, so that registering does not ask the database."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Read all of it at one moment; without a database only that is told."""
        found: Sequence[Metric] = ()
        try:
            found = self._run(lambda connection: [m for read in _READ for m in read(connection)])
        except StoreUnreachableError as error:
            if not self._silent:
                logger.warning("metrics: without those of the store: %s", error)
            self._silent = True
        else:
            self._silent = False
        up = "Whether the database answered this scrape."
        yield GaugeMetricFamily("instance_ha_store_up", up, value=float(not self._silent))
        yield from found


def _unclosed(connection: sa.Connection) -> Iterator[Metric]:
    """Tell of the incidents that are not closed."""
    states = GaugeMetricFamily(
        "instance_ha_incidents", "Incidents that are not closed, by state.", labels=["state"]
    )
    opened = GaugeMetricFamily(
        "instance_ha_incident_opened_timestamp_seconds",
        "When an unclosed incident was opened; guard is what holds it, or empty.",
        labels=["host", "segment", "state", "guard"],
    )
    query = sa.select(schema.incidents).where(_UNCLOSED).order_by(schema.incidents.c.id)
    rows = connection.execute(query).all()
    count = Counter(row.state for row in rows)
    for state in IncidentState:
        if state is not IncidentState.CLOSED:
            states.add_metric([state.value], count[state.value])
    for row in rows:
        held = row.state == IncidentState.HELD
        guard = guard_of(row.reason) if held else ""
        opened.add_metric([row.host, row.segment, row.state, guard], row.opened_at_s)
    yield states
    yield opened


def _outcomes(connection: sa.Connection) -> Iterator[Metric]:
    """Tell how incidents ended, and how long it took."""
    family = CounterMetricFamily(
        "instance_ha_incidents_ended",
        "Incidents by how they ended: recovered, never-lost (nothing was done), other.",
        labels=["outcome"],
    )
    moments = _moments(connection)
    table = schema.incidents
    query = sa.select(table.c.id, table.c.closed_at_s, table.c.notification)
    count: Counter[str] = Counter()
    for row in connection.execute(query):
        if "recovered" in moments.get(row.id, {}):
            count["recovered"] += 1
        elif row.closed_at_s is not None:
            count["never-lost" if row.notification is None else "other"] += 1
    for outcome in ("recovered", "never-lost", "other"):
        family.add_metric([outcome], count[outcome])
    yield family
    yield _histogram(
        "instance_ha_detection_seconds",
        "From the first evidence of a loss to the verdict.",
        [one["verdict"] - one["evidence"] for one in moments.values() if one.keys() >= _BEGUN],
    )
    yield _histogram(
        "instance_ha_recovery_seconds",
        "From the first evidence of a loss to the end of its recovery.",
        [
            one["recovered"] - one.get("evidence", one["verdict"])
            for one in moments.values()
            if one.keys() >= {"verdict", "recovered"}
        ],
    )


_BEGUN = {"evidence", "verdict"}


def _moments(connection: sa.Connection) -> dict[int, dict[str, float]]:
    """Return incident -> kind of event -> when the first such event was."""
    table = schema.events
    query = (
        sa.select(table.c.incident_id, table.c.kind, sa.func.min(table.c.at_s))
        .where(table.c.kind.in_(("evidence", "verdict", "recovered")))
        .group_by(table.c.incident_id, table.c.kind)
    )
    found: dict[int, dict[str, float]] = {}
    for incident, kind, at_s in connection.execute(query):
        found.setdefault(incident, {})[kind] = at_s
    return found


def _fences(connection: sa.Connection) -> Iterator[Metric]:
    """Tell which rungs proved hosts off, how fast, and which refused."""
    table = schema.proofs
    took = sa.select(table.c.method, (table.c.confirmed_at_s - table.c.ordered_at_s).label("s"))
    proven: dict[str, list[float]] = {rung.value: [] for rung in Rung}
    for method, seconds in connection.execute(took):
        proven.setdefault(method, []).append(seconds)
    proofs = CounterMetricFamily(
        "instance_ha_fence_proofs", "Proofs that a host cannot write.", labels=["rung"]
    )
    times = HistogramMetricFamily(
        "instance_ha_fence_seconds", "From a rung's order to its proof.", labels=["rung"]
    )
    for rung, seconds in sorted(proven.items()):
        proofs.add_metric([rung], len(seconds))
        times.add_metric([rung], *_buckets(seconds))
    yield proofs
    yield times
    yield from _refusals(connection)


def _refusals(connection: sa.Connection) -> Iterator[Metric]:
    left = CounterMetricFamily(
        "instance_ha_fence_rungs_left",
        "Times that a rung proved nothing and the next one was tried.",
        labels=["rung"],
    )
    failures = CounterMetricFamily(
        "instance_ha_fence_failures",
        "Tries of all rungs without a proof: retried, or given-up, which holds the host.",
        labels=["result"],
    )
    by_rung = _count_details(connection, "fence", "left")
    for rung in Rung:
        left.add_metric([rung.value], by_rung[rung.value])
    retried = _count_details(connection, "fence", "result")["retried"]
    failures.add_metric(["retried"], retried)
    failures.add_metric(["given-up"], _count(connection, "alarm"))
    yield left
    yield failures


def _evacuations(connection: sa.Connection) -> Iterator[Metric]:
    """Tell how the moves of servers ended."""
    family = CounterMetricFamily(
        "instance_ha_evacuations",
        "Servers of lost hosts that arrived elsewhere, or failed to.",
        labels=["result"],
    )
    family.add_metric(["arrived"], _count(connection, "active"))
    family.add_metric(["failed"], _count_details(connection, "evacuate", "result")["failed"])
    yield family


def _count(connection: sa.Connection, kind: str) -> int:
    query = sa.select(sa.func.count()).where(schema.events.c.kind == kind)
    return connection.execute(query).scalar_one()


def _count_details(connection: sa.Connection, kind: str, key: str) -> Counter[str]:
    """Return value of a detail -> how many events of a kind have it."""
    table = schema.events
    value = table.c.detail[key].as_string().label("value")
    query = sa.select(value, sa.func.count()).where(table.c.kind == kind).group_by("value")
    return Counter({found: number for found, number in connection.execute(query) if found})


def _guards(connection: sa.Connection) -> Iterator[Metric]:
    """Tell which guards held, and what people paused."""
    table = schema.events
    query = sa.select(table.c.text).where(table.c.kind == "guard")
    held = Counter(guard_of(text) for text in connection.scalars(query))
    holds = CounterMetricFamily(
        "instance_ha_guard_holds", "Times that a guard held a host back.", labels=["guard"]
    )
    for guard, number in sorted(held.items()):
        holds.add_metric([guard], number)
    yield holds
    yield from _pauses(connection)


def _pauses(connection: sa.Connection) -> Iterator[Metric]:
    table, now = schema.pauses, schema.DatabaseNow()
    lasts = table.c.ended_at_s.is_(None), sa.or_(table.c.until_s.is_(None), table.c.until_s > now)
    query = sa.select(table.c.scope, sa.func.count()).where(*lasts).group_by(table.c.scope)
    count = Counter({row[0]: row[1] for row in connection.execute(query)})
    family = GaugeMetricFamily("instance_ha_pauses", "Pauses that last now.", labels=["scope"])
    for scope in PauseScope:
        family.add_metric([scope.value], count[scope.value])
    yield family


def _restarts(connection: sa.Connection) -> Iterator[Metric]:
    """Tell what was done about servers whose process died."""
    table = schema.restarts
    query = sa.select(table.c.remedy, sa.func.count()).group_by(table.c.remedy)
    count = Counter({row[0]: row[1] for row in connection.execute(query)})
    family = CounterMetricFamily(
        "instance_ha_server_deaths",
        "Servers whose process died, by what was done about it.",
        labels=["remedy"],
    )
    for remedy in Remedy:
        family.add_metric([remedy.value], count[remedy.value])
    yield family


def _protection(connection: sa.Connection) -> Iterator[Metric]:
    """Tell which hosts are enrolled, and what leaves one without protection."""
    table = schema.findings
    family = GaugeMetricFamily(
        "instance_ha_finding_since_timestamp_seconds",
        "What an operator should know before a host is lost, and since when; about is a host or "
        "a segment.",
        labels=["kind", "about"],
    )
    unprotected: set[str] = set()
    for row in connection.execute(sa.select(table).order_by(table.c.about, table.c.kind)):
        family.add_metric([row.kind, row.about], row.since_s)
        if row.kind not in _OF_NO_HOST:
            unprotected.add(row.about)
    yield family
    yield GaugeMetricFamily(
        "instance_ha_hosts_unprotected",
        "Hosts whose loss would be recovered late or not at all.",
        value=len(unprotected),
    )
    yield from _enrolled(connection)


_OF_NO_HOST = HARMLESS | {NO_RESERVE}

# Masakari's own tables, in the same database; beside a ring the store is a file without them.
_hosts = sa.table(
    "hosts",
    *map(sa.column, ("name", "reserved", "on_maintenance", "failover_segment_id", "deleted")),
)
_segments = sa.table("failover_segments", *map(sa.column, ("uuid", "name", "enabled", "deleted")))


def _enrolled(connection: sa.Connection) -> Iterator[Metric]:
    if not sa.inspect(connection).has_table(_segments.name):
        return
    segments = GaugeMetricFamily(
        "instance_ha_segment_enabled", "Whether a segment is recovered.", labels=["segment"]
    )
    listed = sa.select(_segments.c.name, _segments.c.enabled, _segments.c.uuid).where(
        _segments.c.deleted == 0
    )
    names: dict[str, str] = {}
    for name, enabled, uuid in connection.execute(listed):
        names[uuid] = name
        segments.add_metric([name], float(bool(enabled)))
    yield segments
    hosts = GaugeMetricFamily(
        "instance_ha_hosts",
        "Enrolled hosts by segment and role: work, reserve, maintenance.",
        labels=["segment", "role"],
    )
    columns = _hosts.c.failover_segment_id, _hosts.c.reserved, _hosts.c.on_maintenance
    count: Counter[tuple[str, str]] = Counter()
    for uuid, reserved, on_maintenance in connection.execute(
        sa.select(*columns).where(_hosts.c.deleted == 0)
    ):
        role = "maintenance" if on_maintenance else "reserve" if reserved else "work"
        count[uuid, role] += 1
    for uuid, name in sorted(names.items()):
        for role in ("work", "reserve", "maintenance"):
            hosts.add_metric([name, role], count[uuid, role])
    yield hosts


def _workers(connection: sa.Connection) -> Iterator[Metric]:
    """Tell which controller acts, and how long working engines have been silent."""
    now_s = connection.execute(sa.select(schema.DatabaseNow())).scalar_one()
    lease = GaugeMetricFamily(
        "instance_ha_lease_held",
        "Whether the holder's lease lasts; the holder of the controller's acts.",
        labels=["lease", "holder"],
    )
    for row in connection.execute(sa.select(schema.leases)):
        lease.add_metric([row.name, row.holder], float(row.until_s >= now_s))
    yield lease
    silence = GaugeMetricFamily(
        "instance_ha_engine_silence_seconds",
        "Since the last sign of life of the engine that recovers a host.",
        labels=["host"],
    )
    incidents, beats = schema.incidents.c, schema.beats.c
    query = (
        sa.select(incidents.host, beats.at_s)
        .where(incidents.notification == beats.notification)
        .where(incidents.state == IncidentState.RECOVERING.value, _UNCLOSED)
    )
    for host, at_s in connection.execute(query):
        silence.add_metric([host], max(0.0, now_s - at_s))
    yield silence


def _histogram(name: str, text: str, seconds: Sequence[float]) -> Metric:
    buckets, total = _buckets(seconds)
    return HistogramMetricFamily(name, text, buckets=buckets, sum_value=total)


def _buckets(seconds: Sequence[float]) -> tuple[list[tuple[str, float]], float]:
    """Return how many took at most so long, for each end of a bucket, and the sum."""
    found = [(str(float(end)), float(sum(one <= end for one in seconds))) for end in SECONDS]
    return [*found, ("+Inf", float(len(seconds)))], sum(seconds)


_READ = (_unclosed, _outcomes, _fences, _evacuations, _guards, _restarts, _protection, _workers)
