# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an agent on the machine is given, and what serves it."""

from __future__ import annotations

import base64
import dataclasses
import json
import lzma

import pytest
from ops import testing

from hypervisor_instance_ha import metrics
from masakari_monitors import host_monitor, workload

from .test_charm import INSTANCES, PROCESSES, keystone, state

METRICS = workload.METRICS.unit


@pytest.fixture
def agent():
    return testing.Relation("cos-agent", remote_app_name="grafana-agent")


def said(out: testing.State, relation: testing.Relation) -> dict[str, object]:
    return json.loads(out.get_relation(relation.id).local_unit_data["config"])


def test_an_agent_is_told_where_the_metrics_are(ctx, hypervisor, agent):
    out = ctx.run(ctx.on.relation_created(agent), state(keystone(), agent, leader=False))

    told = said(out, agent)
    (job,) = told["metrics_scrape_jobs"]
    assert job["static_configs"] == [{"targets": [f"localhost:{metrics.PORT}"]}]
    (group,) = told["metrics_alert_rules"]["groups"]
    for rule in group["rules"]:
        assert 'juju_application="masakari-monitors"' in rule["expr"]
        assert "%%" not in rule["expr"]
    (dashboard,) = told["dashboards"]
    title = json.loads(lzma.decompress(base64.b64decode(dashboard)))["title"]
    assert title == "Hypervisor monitors"


def test_metrics_are_served_only_while_somebody_collects_them(ctx, hypervisor, agent):
    relation = keystone()
    once = ctx.run(ctx.on.relation_created(agent), state(relation, agent))
    assert hypervisor.units == {INSTANCES, PROCESSES, METRICS}

    ctx.run(ctx.on.relation_broken(once.get_relation(agent.id)), once)

    assert hypervisor.units == {INSTANCES, PROCESSES}


def test_metrics_that_are_not_served_are_the_status(ctx, hypervisor, agent, monkeypatch):
    once = ctx.run(ctx.on.relation_created(agent), state(keystone(), agent))
    monkeypatch.setattr(workload.systemd, "service_start", lambda _: False)
    hypervisor.stop(METRICS)

    out = ctx.run(ctx.on.update_status(), once)

    assert out.unit_status == testing.BlockedStatus(
        "metrics stopped: see journalctl on the machine"
    )


def test_nothing_is_told_twice(ctx, hypervisor, agent):
    once = ctx.run(ctx.on.relation_created(agent), state(keystone(), agent))
    first = said(once, agent)

    again = ctx.run(ctx.on.update_status(), once)

    assert said(again, agent) == first
    assert hypervisor.restarts.count(METRICS) == 1


def test_the_units_that_are_told_of_are_those_that_run():
    ours = {one.program: one.unit for one in workload.MONITORS if one is not workload.METRICS}

    assert {
        **ours,
        host_monitor.REPORT: host_monitor.UNIT,
        "guard": workload.GUARD,
    } == metrics.UNITS


def test_nobody_waits_for_a_probe_that_was_taken_away(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(
        ctx.on.config_changed(), state(relation, config={"storage-probe": "/srv/guests"})
    )
    hypervisor.say("storage", storage="hung")

    out = ctx.run(ctx.on.config_changed(), dataclasses.replace(once, config={}))

    assert out.unit_status == testing.ActiveStatus()
