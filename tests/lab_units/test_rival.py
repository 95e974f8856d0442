# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import configparser
import json

from lab import rival

MASAKARI = """\
# Written by the charm masakari-k8s; changes made here are lost.
[DEFAULT]
host = masakari-0
transport_url = rabbit://masakari:pa$$word@10.70.0.1:5672/openstack
wait_period_after_service_update = 0
host_failure_recovery_threads = 10
process_unfinished_notifications_interval = 20

[database]
connection = mysql+pymysql://masakari:p%40ss@10.70.0.1/masakari?charset=utf8

[host_failure]
evacuate_all_instances = false

[taskflow_driver_recovery_flows]
# Both flows fence first.
host_auto_failure_recovery_tasks = pre:['fence'],main:[],post:['evacuate']
"""
MONITORS = """\
[DEFAULT]
debug = false
hostname = masakari-0

[api]
auth_url = http://10.70.0.1:5000/v3
password = a=b

[host]
monitoring_driver = instance_ha
monitoring_interval = 1
monitoring_samples = 3
"""
PLAN = """\
services:
    masakari-engine:
        summary: masakari-engine
        startup: enabled
        override: replace
        command: masakari-engine --config-file /etc/masakari/masakari.conf
        environment:
            INSTANCE_HA_DIGEST: 0123
            PYTHONPATH: /opt/instance-ha/lib
        user: masakari
        group: masakari
"""


def parsed(text: str) -> dict[str, dict[str, str]]:
    conf = configparser.RawConfigParser(default_section="")
    conf.read_string(text)
    return {section: dict(conf[section]) for section in conf.sections()}


def test_the_engine_has_no_flow_and_no_tuning_of_ours():
    assert parsed(rival.engine_conf(MASAKARI)) == {
        "DEFAULT": {
            "host": "masakari-0",
            "transport_url": "rabbit://masakari:pa$$word@10.70.0.1:5672/openstack",
            "wait_period_after_service_update": "60",
        },
        "database": {
            "connection": "mysql+pymysql://masakari:p%40ss@10.70.0.1/masakari?charset=utf8"
        },
        "host_failure": {"evacuate_all_instances": "true"},
    }


def test_the_monitor_asks_one_server_of_each_network():
    agents = {"manage": "10.71.0.21:8500", "storage": "10.73.0.21:8500"}

    conf = parsed(rival.hostmonitor_conf(MONITORS, agents=agents))

    assert conf == {
        "DEFAULT": {"debug": "true", "hostname": "masakari-0"},
        "api": {"auth_url": "http://10.70.0.1:5000/v3", "password": "a=b"},
        "host": {
            "monitoring_driver": "consul",
            "monitoring_interval": "20",
            "monitoring_samples": "3",
        },
        "consul": {"agent_manage": "10.71.0.21:8500", "agent_storage": "10.73.0.21:8500"},
    }


def test_the_service_runs_as_the_same_account_without_the_plugin():
    made = json.loads(rival.layer(PLAN, container="masakari-engine"))

    assert made == {
        "services": {
            "rival-masakari-engine": {
                "override": "replace",
                "summary": "masakari-engine without our plugin",
                "command": "masakari-engine --config-file /etc/masakari/rival.conf",
                "startup": "disabled",
                "user": "masakari",
                "group": "masakari",
            }
        }
    }


def test_the_service_runs_as_root_where_ours_does():
    plan = "services: {masakari-engine: {override: replace, command: masakari-engine}}"

    (made,) = json.loads(rival.layer(plan, container="masakari-engine"))["services"].values()

    assert "user" not in made
