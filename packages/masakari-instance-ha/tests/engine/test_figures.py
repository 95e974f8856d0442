# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the store tells a Prometheus, on each kind of database."""

from __future__ import annotations

import pathlib
import time

import prometheus_client
import pytest
import sqlalchemy as sa
from masakari import exception
from masakari.db.sqlalchemy import models
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import orm

from instance_ha.errors import FenceError
from instance_ha.model import Event, FenceProof, IncidentState, PauseScope
from instance_ha.names import MISNAMED, NO_TARGET, STRANGER, Finding
from instance_ha.reserves import NO_RESERVE
from instance_ha.restarts import Remedy, Restart
from masakari_instance_ha import store


@pytest.fixture
def journal(url: str) -> store.Store:
    return store.Store(url)


@pytest.fixture
def figures(journal):
    """Scrape, and return what one series is, labels in the order of their names."""

    def read(name: str, **labels: str) -> float | None:
        registry = prometheus_client.CollectorRegistry()
        registry.register(journal.figures)
        text = prometheus_client.generate_latest(registry).decode()
        found = [
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if (sample.name, sample.labels) == (name, labels)
        ]
        assert len(found) < 2, f"{name} {labels} is there twice"
        return found[0] if found else None

    return read


def tell(journal, incident, kind, *, at_s, text="", **detail):
    event = Event(at_s=at_s, actor="engine@m-0", kind=kind, text=text, detail=detail)
    journal.record(incident, event)


def lost(journal, host, *, at_s=100.0):
    """A loss that was seen 4 s before the verdict."""
    incident = journal.open(host, segment="rack-1", at_s=at_s, reason="storage down")
    tell(journal, incident, "evidence", at_s=at_s - 4)
    tell(journal, incident, "evidence", at_s=at_s - 3)
    tell(journal, incident, "verdict", at_s=at_s)
    return incident


def proof(rung: str, *, took_s: float) -> FenceProof:
    return FenceProof(
        host="h1", method=rung, target="sys-h1", answer="off",
        ordered_at_s=10.0, confirmed_at_s=10.0 + took_s, by="masakari-engine@m-0",
    )  # fmt: skip


def test_an_empty_store_has_zeros_where_alerts_look(figures):
    assert figures("instance_ha_store_up") == 1
    assert figures("instance_ha_incidents", state="held") == 0
    assert figures("instance_ha_hosts_unprotected") == 0
    assert figures("instance_ha_pauses", scope="cloud") == 0
    assert figures("instance_ha_fence_failures_total", result="given-up") == 0
    assert figures("instance_ha_evacuations_total", result="failed") == 0
    assert figures("instance_ha_recovery_seconds_count") == 0


def test_what_is_lost_now_is_named_with_what_holds_it(journal, figures):
    held = lost(journal, "h1")
    journal.move(held, IncidentState.HELD, at_s=101.0, reason="held by pause: bob paused cloud")
    lost(journal, "h2")

    assert figures("instance_ha_incidents", state="held") == 1
    assert figures("instance_ha_incidents", state="open") == 1
    name = "instance_ha_incident_opened_timestamp_seconds"
    assert figures(name, host="h1", segment="rack-1", state="held", guard="pause") == 100
    assert figures(name, host="h2", segment="rack-1", state="open", guard="") == 100


def test_how_incidents_ended_and_how_long_it_took(journal, figures):
    recovered = lost(journal, "h1")
    tell(journal, recovered, "recovered", at_s=146.0)
    for host, notification in (("h2", None), ("h3", "n-3")):
        closed = lost(journal, host)
        journal.move(closed, IncidentState.CLOSED, at_s=120.0, notification=notification)

    assert figures("instance_ha_incidents_ended_total", outcome="recovered") == 1
    assert figures("instance_ha_incidents_ended_total", outcome="never-lost") == 1
    assert figures("instance_ha_incidents_ended_total", outcome="other") == 1
    assert figures("instance_ha_recovery_seconds_sum") == 50
    assert figures("instance_ha_recovery_seconds_bucket", le="30.0") == 0
    assert figures("instance_ha_recovery_seconds_bucket", le="60.0") == 1
    assert figures("instance_ha_detection_seconds_count") == 3
    assert figures("instance_ha_detection_seconds_sum") == 12


def test_what_fences_took_and_refused(journal, figures):
    incident = lost(journal, "h1")
    journal.record_proof(incident, proof("maas", took_s=3.0))
    journal.record_proof(incident, proof("ipmi", took_s=1.5))
    tell(journal, incident, "fence", at_s=101, text="maas: silent; the next is ipmi", left="maas")
    tell(journal, incident, "fence", at_s=102, text="silent; trying again.", result="retried")
    tell(journal, incident, "fence", at_s=102, text="must be proven off")
    tell(journal, incident, "alarm", at_s=103, text="held, for nothing proves it")

    assert figures("instance_ha_fence_proofs_total", rung="maas") == 1
    assert figures("instance_ha_fence_proofs_total", rung="redfish") == 0
    assert figures("instance_ha_fence_seconds_sum", rung="ipmi") == 1.5
    assert figures("instance_ha_fence_rungs_left_total", rung="maas") == 1
    assert figures("instance_ha_fence_failures_total", result="retried") == 1
    assert figures("instance_ha_fence_failures_total", result="given-up") == 1


def test_where_servers_went_without_their_names(journal, figures):
    incident = lost(journal, "h1")
    tell(journal, incident, "evacuate", at_s=101, text="web-1: try 1", server="u-1")
    tell(journal, incident, "active", at_s=105, text="web-1 is active on h2", server="u-1")
    tell(journal, incident, "evacuate", at_s=110, text="web-2: no", server="u-2", result="failed")

    assert figures("instance_ha_evacuations_total", result="arrived") == 1
    assert figures("instance_ha_evacuations_total", result="failed") == 1
    registry = prometheus_client.CollectorRegistry()
    registry.register(journal.figures)
    assert b"web-" not in prometheus_client.generate_latest(registry)


def test_what_guards_held_and_people_paused(journal, figures):
    incident = lost(journal, "h1")
    for at_s in (101, 102):
        tell(journal, incident, "guard", at_s=at_s, text=f"held by rate: {at_s} hosts")
    now_s = time.time()
    for until_s in (None, now_s + 600, now_s - 600):
        journal.decisions.pause(
            PauseScope.SEGMENT, target="uuid-1", name="rack-1", reason="cables", author="bob",
            at_s=now_s - 900, until_s=until_s,
        )  # fmt: skip

    assert figures("instance_ha_guard_holds_total", guard="rate") == 2
    assert figures("instance_ha_pauses", scope="segment") == 2, "one has run out"


def test_whether_we_are_protected(journal, figures):
    words = {"fact": "f", "consequence": "c", "advice": "a"}
    journal.board().post(
        [
            Finding(kind=NO_TARGET, about="h1", **words),
            Finding(kind=MISNAMED, about="h1", **words),
            Finding(kind=STRANGER, about="h9", **words),
            Finding(kind=NO_RESERVE, about="rack-1", **words),
        ],
        at_s=500.0,
    )

    assert figures("instance_ha_hosts_unprotected") == 1
    name = "instance_ha_finding_since_timestamp_seconds"
    assert figures(name, kind=STRANGER, about="h9") == 500
    assert figures(name, kind=NO_RESERVE, about="rack-1") == 500


def test_what_was_done_about_single_servers(journal, figures):
    died = Restart(
        server="u-1", name="web-1", host="h1", notification="n-1", at_s=1.0,
        remedy=Remedy.RESTART, outcome="is active",
    )  # fmt: skip
    journal.restarts.add(died)

    assert figures("instance_ha_server_deaths_total", remedy="restart") == 1
    assert figures("instance_ha_server_deaths_total", remedy="stop") == 0


def test_who_acts_and_how_long_an_engine_is_silent(journal, figures):
    incident = lost(journal, "h1")
    journal.move(incident, IncidentState.RECOVERING, at_s=101.0, notification="n-1")
    journal.beat("n-1", by="engine@m-1")
    assert journal.lease("controller", holder="m-0").take(ttl_s=60)

    assert figures("instance_ha_lease_held", lease="controller", holder="m-0") == 1
    silence_s = figures("instance_ha_engine_silence_seconds", host="h1")
    assert silence_s is not None
    assert 0 <= silence_s < 300

    journal.lease("controller", holder="m-0").give_up()

    assert figures("instance_ha_lease_held", lease="controller", holder="m-0") == 0


def test_hosts_are_counted_where_masakaris_tables_are(journal, figures, url):
    assert figures("instance_ha_segment_enabled", segment="rack-1") is None
    engine = sa.create_engine(url)
    models.BASE.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add(
            models.FailoverSegment(
                uuid="s-1", name="rack-1", service_type="COMPUTE", recovery_method="auto"
            )
        )
        session.flush()
        for name, kind in (("h1", {}), ("h2", {"on_maintenance": True}),
                           ("h3", {"reserved": True}), ("h4", {"deleted": 4})):  # fmt: skip
            host = models.Host(uuid=name, name=name, type="KVM", control_attributes="", **kind)
            host.failover_segment_id = "s-1"
            session.add(host)
        session.commit()

    assert figures("instance_ha_segment_enabled", segment="rack-1") == 1
    for role in ("work", "reserve", "maintenance"):
        assert figures("instance_ha_hosts", segment="rack-1", role=role) == 1


def test_a_database_that_is_away_is_told_and_hides_nothing_else(tmp_path: pathlib.Path, caplog):
    away = store.Store(f"sqlite:///{tmp_path}/nowhere/store.sqlite")
    figures = away.figures

    told = [list(figures.collect()) for _ in range(2)]

    assert [[m.name for m in families] for families in told] == [["instance_ha_store_up"]] * 2
    assert told[0][0].samples[0].value == 0
    assert caplog.text.count("metrics: without") == 1, "said once"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("real_time")
def test_a_recovery_shows_at_every_step(engine, cloud, power):
    cloud.boot()
    began = shown(engine.journal)
    power.failures = [FenceError("h1", "it did not answer", hint="Look at it")]
    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover()
    held = shown(engine.journal)

    engine.recover()

    over = shown(engine.journal)
    failures = 'instance_ha_fence_failures_total{result="given-up"}'
    proofs = 'instance_ha_fence_proofs_total{rung="maas"}'
    arrived = 'instance_ha_evacuations_total{result="arrived"}'
    assert [held[name] - began[name] for name in (failures, proofs, arrived)] == [1, 0, 0]
    assert [over[name] - held[name] for name in (failures, proofs, arrived)] == [0, 1, 1]


def shown(journal: store.Store) -> dict[str, float]:
    registry = prometheus_client.CollectorRegistry()
    registry.register(journal.figures)
    lines = prometheus_client.generate_latest(registry).decode().splitlines()
    series = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in series}
