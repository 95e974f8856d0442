# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import base64
import dataclasses
import json
import lzma

import pytest
from ops import pebble, testing

from .cloud import API, ENGINE, HOSTMONITOR, READY, Cloud, running, without

METRICS = testing.Relation("metrics-endpoint", remote_app_name="prometheus")
DASHBOARDS = testing.Relation("grafana-dashboard", remote_app_name="grafana")
PUSH = "http://10.1.0.7:3100/loki/api/v1/push"


def loki(**urls: str) -> testing.Relation:
    units = {
        int(name.removeprefix("unit")): {"endpoint": json.dumps({"url": url})}
        for name, url in urls.items()
    }
    return testing.Relation("logging", remote_app_name="loki", remote_units_data=units or {0: {}})


def said(state: testing.State, relation: testing.Relation) -> dict[str, str]:
    return dict(state.get_relation(relation.id).local_app_data)


def targets(state: testing.State, container: str) -> dict[str, pebble.LogTarget]:
    return state.get_container(container).plan.log_targets


def test_prometheus_learns_where_every_unit_is_and_what_to_alert_on(cloud: Cloud):
    state = cloud.run(cloud.state(*READY, METRICS))

    jobs = json.loads(said(state, METRICS)["scrape_jobs"])
    assert {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs} == {
        "controller": ["*:15869"],
        "engine": ["*:15870"],
    }
    assert state.get_relation(METRICS.id).local_unit_data.items() >= {
        ("prometheus_scrape_unit_address", "192.0.2.0"),
        ("prometheus_scrape_unit_name", "masakari-k8s/0"),
    }
    where = json.loads(said(state, METRICS)["scrape_metadata"])
    groups = json.loads(said(state, METRICS)["alert_rules"])["groups"]
    for rule in groups[0]["rules"]:
        assert f'juju_model_uuid="{where["model_uuid"]}"' in rule["expr"]
        assert "%%" not in rule["expr"]
        assert rule["labels"]["juju_application"] == "masakari-k8s"


def test_units_that_do_not_lead_tell_their_own_address_only(cloud: Cloud):
    state = cloud.run(cloud.state(*READY, METRICS, DASHBOARDS, loki(), leader=False))

    assert said(state, METRICS) == {}
    assert said(state, DASHBOARDS) == {}
    assert "prometheus_scrape_unit_address" in state.get_relation(METRICS.id).local_unit_data


def test_grafana_gets_a_dashboard_and_is_not_told_twice(cloud: Cloud):
    state = cloud.run(cloud.state(*READY, DASHBOARDS))
    again = cloud.run(state)

    offered = json.loads(said(state, DASHBOARDS)["dashboards"])
    (template,) = offered["templates"].values()
    text = lzma.decompress(base64.b64decode(template["content"])).decode()
    assert json.loads(text)["title"] == "Instance recovery"
    assert said(again, DASHBOARDS) == said(state, DASHBOARDS)


def test_what_services_write_goes_to_every_loki(cloud: Cloud):
    logs = loki(unit0=PUSH, unit1=PUSH.replace("7", "8"))

    state = cloud.run(cloud.state(*READY, logs))

    for name in (API, ENGINE, HOSTMONITOR):
        found = targets(state, name)
        assert {target: one.location for target, one in found.items()} == {
            "loki/0": PUSH,
            "loki/1": PUSH.replace("7", "8"),
        }
        assert found["loki/0"].services == ["all"]
        assert (found["loki/0"].labels or {})["juju_unit"] == "masakari-k8s/0"
    assert cloud.replans == [API, ENGINE, HOSTMONITOR], "logs restart nothing"
    assert json.loads(said(state, logs)["alert_rules"])["groups"]


def test_a_loki_that_is_gone_gets_nothing_more(cloud: Cloud):
    state = cloud.run(cloud.state(*READY, loki(unit0=PUSH)))
    gone = dataclasses.replace(
        state, relations={one for one in state.relations if one.endpoint != "logging"}
    )

    once = cloud.run(gone)
    twice = cloud.run(once)

    assert targets(once, ENGINE)["loki/0"].services == ["-all"]
    assert targets(twice, ENGINE) == targets(once, ENGINE)
    assert cloud.replans == [API, ENGINE, HOSTMONITOR]


def test_a_loki_that_says_no_address_leaves_the_services_alone(cloud: Cloud):
    state = cloud.run(cloud.state(*READY, loki(unit0="nowhere")))

    assert state.unit_status == testing.BlockedStatus("logging: malformed endpoint")
    assert running(state) == {API, ENGINE, HOSTMONITOR}


def test_nobody_watches_and_nothing_is_missed(cloud: Cloud):
    assert cloud.run(cloud.state()).unit_status == testing.ActiveStatus()


def test_logs_are_forwarded_before_anything_else_works(cloud: Cloud):
    state = cloud.run(cloud.state(*without("database"), loki(unit0=PUSH)))

    assert targets(state, API).keys() == {"loki/0"}


@pytest.mark.parametrize(
    ("name", "url", "restarted"),
    [
        (API, "http://localhost:15868/healthcheck", True),
        (ENGINE, "http://localhost:15870/health", False),
        (HOSTMONITOR, "http://localhost:15869/health", True),
    ],
)
def test_health_is_that_of_the_work(cloud: Cloud, name: str, url: str, restarted: bool):
    plan = cloud.run(cloud.state()).get_container(name).plan

    check = plan.checks[name]
    assert (check.level, check.http) == (pebble.CheckLevel.READY, {"url": url})
    assert bool(plan.services[name].on_check_failure) == restarted


def test_processes_serve_where_they_are_asked(cloud: Cloud):
    cloud.run(cloud.state())

    assert "\nmetrics_port = 15869\n" in cloud.file(HOSTMONITOR, "instance-ha.conf")
    assert "\nmetrics_port = 15870\n" in cloud.file(ENGINE, "instance-ha.conf")
    assert "\nrpc_ping_enabled = true\n" in cloud.file(ENGINE, "masakari.conf")
