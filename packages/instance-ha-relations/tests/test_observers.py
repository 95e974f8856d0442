# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Prometheus, Grafana and Loki are told, and what Loki tells."""

import base64
import json
import lzma

import ops
import pydantic
import pytest
from ops import testing

from instance_ha_relations import (
    cos_agent,
    events,
    grafana_dashboard,
    loki_push_api,
    oslo,
    prometheus_scrape,
)
from instance_ha_relations.errors import RelationDataError
from instance_ha_relations.topology import Topology

META = {"name": "reader", "requires": {"peer": {"interface": "any"}}}
MODEL = testing.Model("cloud", uuid="01234567-89ab-4def-8123-456789abcdef")
RULES = [
    {
        "name": "held",
        "rules": [
            {
                "alert": "Held",
                "expr": "x{%%juju_topology%%} > 0",
                "labels": {"severity": "warning"},
            }
        ],
    }
]


def with_relation(act, *, units=None):
    """Run *act* in a leader that is related to units that wrote these databags."""
    relation = testing.Relation("peer", remote_units_data=units or {0: {}})
    context = testing.Context(ops.CharmBase, meta=META)
    state = testing.State(leader=True, relations={relation}, model=MODEL)
    with context(context.on.update_status(), state) as manager:
        result = act(manager.charm, manager.charm.model.relations["peer"][0])
        out = manager.run()
    return result, out.get_relation(relation.id)


def test_prometheus_is_told_of_every_unit_and_alerts_on_this_application_alone():
    def offer(charm, relation):
        topology = Topology.of(charm)
        prometheus_scrape.offer(
            relation, charm.app, topology=topology, ports={"controller": 15869}, rules=RULES
        )
        prometheus_scrape.announce(relation, charm.unit, address="10.0.0.7")

    _, written = with_relation(offer)

    (job,) = json.loads(written.local_app_data["scrape_jobs"])
    assert job["static_configs"] == [{"targets": ["*:15869"]}]
    (group,) = json.loads(written.local_app_data["alert_rules"])["groups"]
    assert group["name"] == "cloud_01234567_reader_held"
    (rule,) = group["rules"]
    assert rule["expr"] == (
        f'x{{juju_model="cloud", juju_model_uuid="{MODEL.uuid}", juju_application="reader"}} > 0'
    )
    assert rule["labels"]["severity"] == "warning"
    assert rule["labels"]["juju_charm"] == "reader"
    assert written.local_unit_data["prometheus_scrape_unit_address"] == "10.0.0.7"
    assert RULES[0]["rules"][0]["expr"] == "x{%%juju_topology%%} > 0", "the source stays"


def test_an_agent_of_the_machine_is_told_all_in_one_key():
    def offer(charm, relation):
        topology = Topology.of(charm)
        arguments = {"topology": topology, "ports": {"monitors": 15871}, "rules": RULES}
        for _ in range(2):
            cos_agent.offer(relation, charm.unit, dashboards=['{"title": "A"}'], **arguments)

    _, written = with_relation(offer)

    said = json.loads(written.local_unit_data["config"])
    assert said.keys() == {
        "metrics_alert_rules",
        "log_alert_rules",
        "dashboards",
        "metrics_scrape_jobs",
        "log_slots",
    }
    (job,) = said["metrics_scrape_jobs"]
    assert job["job_name"] == "reader_monitors"
    assert job["static_configs"] == [{"targets": ["localhost:15871"]}]
    (group,) = said["metrics_alert_rules"]["groups"]
    assert 'juju_application="reader"' in group["rules"][0]["expr"]
    (dashboard,) = said["dashboards"]
    assert lzma.decompress(base64.b64decode(dashboard)) == b'{"title": "A"}'
    assert not written.local_app_data, "a unit that does not lead tells it too"


def test_a_dashboard_arrives_whole_and_changes_only_with_its_text():
    def offer(text):
        def act(charm, relation):
            topology = Topology.of(charm)
            grafana_dashboard.offer(
                relation, charm.app, topology=topology, dashboards={"recovery": text}
            )

        return json.loads(with_relation(act)[1].local_app_data["dashboards"])

    once, again, other = offer('{"title": "A"}'), offer('{"title": "A"}'), offer('{"title": "B"}')

    template = once["templates"]["file:recovery"]
    assert lzma.decompress(base64.b64decode(template["content"])) == b'{"title": "A"}'
    assert template["juju_topology"]["unit"] == "reader/0"
    assert again == once
    assert other["uuid"] != once["uuid"]


def test_loki_is_told_who_logs_and_says_where_to():
    def both(charm, relation):
        loki_push_api.offer(relation, charm.app, topology=Topology.of(charm), rules=RULES)
        return loki_push_api.read(relation)

    url = "http://10.0.0.9:3100/loki/api/v1/push"
    units = {0: {"endpoint": json.dumps({"url": url})}, 1: {}}
    found, written = with_relation(both, units=units)

    assert found == {"remote/0": url}
    assert json.loads(written.local_app_data["metadata"])["model"] == "cloud"
    (group,) = json.loads(written.local_app_data["alert_rules"])["groups"]
    assert group["rules"][0]["alert"] == "Held"


def test_what_is_no_url_is_refused_by_name():
    with pytest.raises(RelationDataError, match="peer"):
        with_relation(
            lambda _, relation: loki_push_api.read(relation),
            units={0: {"endpoint": json.dumps({"url": "nowhere"})}},
        )


def test_a_charms_life_is_told_by_events_of_no_relation():
    context = testing.Context(ops.CharmBase, meta=META)
    with context(context.on.start(), testing.State()) as manager:
        found = {event.event_kind for event in events.of_life(manager.charm)}
    assert {"start", "upgrade_charm", "config_changed", "update_status"} <= found
    assert not [kind for kind in found if "relation" in kind]


@pytest.mark.parametrize("value", ["a$b", pydantic.SecretStr("a$b")], ids=["plain", "secret"])
def test_a_value_is_read_back_by_oslo_as_it_was(value):
    assert oslo.escaped(value) == "a$$b"


def test_a_value_begins_no_option_of_its_own():
    with pytest.raises(ValueError, match="line break"):
        oslo.escaped("a\nhost_failure = x")
