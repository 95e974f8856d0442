# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The pages of real processes: who scrapes them, and Pebble, see the work itself."""

from __future__ import annotations

import pathlib
import socket
import sys

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from instance_ha import recovery
from masakari_instance_ha import exporter, store, vitals

BIN = pathlib.Path(sys.executable).parent


@pytest.fixture
def port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@pytest.fixture
def run(tmp_path, spawn):
    """Start a command of Masakari's on one file; its log is kept."""

    def start(command, text):
        config = tmp_path / f"{command}.conf"
        config.write_text(text)
        return spawn([BIN / command, "--config-file", config]).log

    return start


def page(port: int, path: str) -> tuple[int, str]:
    """Return status and text of a page; 0 while nobody listens."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}{path}", timeout=60)
    except requests.ConnectionError:
        return 0, ""
    return answer.status_code, answer.text


def series(port: int) -> dict[str, float]:
    """Return what a scrape has, by name and labels."""
    status, text = page(port, "/metrics")
    if status != 200:
        return {}
    return {
        " ".join([sample.name, *(f"{k}={v}" for k, v in sorted(sample.labels.items()))]): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_running_controller_tells_what_it_sees(
    run, port, tmp_path, consul_cluster, openstack_cloud, login, eventually
):
    store.migrate(f"sqlite:///{tmp_path}/store.sqlite")
    openstack_cloud.enrol("h1", "h2", "h3")
    targets = tmp_path / "targets.json"
    targets.write_text('{"h1": {"tested_at": "1970-01-01T00:01:40+00:00"}}')
    log = run(
        "masakari-hostmonitor",
        "[DEFAULT]\nhostname = masakari-0\n"
        f"[host]\nmonitoring_driver = instance_ha\n[oslo_concurrency]\nlock_path = {tmp_path}\n"
        f"{login}\n[instance_ha]\nconnection = sqlite:///{tmp_path}/store.sqlite\n"
        f"unit = masakari-0\nnetworks = storage\ntick = 0.2\nmetrics_port = {port}\n"
        f"[instance_ha_consul]\nstorage = {consul_cluster.servers[0].url}\n"
        f"[instance_ha_fencing]\ntargets_file = {targets}\n",
    )
    up = "instance_ha_observed_hosts network=storage reach=up"

    eventually(lambda: series(port).get(up) == 3, f"three hosts: {log.read_text()}")

    heard = series(port)
    assert heard["instance_ha_consul_servers_heard network=storage"] == 3
    assert heard["instance_ha_consul_servers_expected network=storage"] == 3
    assert heard["instance_ha_controller_pass_age_seconds"] < 60
    assert heard["instance_ha_fence_test_timestamp_seconds host=h1"] == 100
    assert heard["instance_ha_lease_held holder=masakari-0 lease=controller"] == 1
    assert heard["process_resident_memory_bytes"] > 0
    assert page(port, "/health") == (200, "well\n")
    assert page(port, "/")[0] == 404


def masakari_conf(port: int, *, ping: bool) -> str:
    flows = {
        name: ",".join(f"{phase}:[{','.join(map(repr, tasks))}]" for phase, tasks in flow.items())
        for name, flow in recovery.task_flows().items()
    }
    return (
        "[DEFAULT]\nnotification_driver = instance_ha\ntransport_url = fake:/\nhost = masakari-0\n"
        f"rpc_ping_enabled = {ping}\nperiodic_enable = false\nuse_stderr = true\n"
        f"[database]\nconnection = sqlite://\n[taskflow]\nconnection = sqlite://\n"
        f"[instance_ha]\nmetrics_port = {port}\n"
        "[taskflow_driver_recovery_flows]\n"
        f"host_auto_failure_recovery_tasks = {flows['auto']}\n"
        f"host_rh_failure_recovery_tasks = {flows['rh']}\n"
    )


def test_an_engine_answers_itself_over_the_queue(run, port, eventually):
    log = run("masakari-engine", masakari_conf(port, ping=True))
    age = "instance_ha_engine_answer_age_seconds"
    ages = []

    def answered():
        ages.append(series(port).get(age, 0.0))
        return len(ages) > 1 and ages[-1] < ages[-2]

    eventually(answered, f"an answer: {log.read_text()}")

    assert page(port, "/health") == (200, "well\n")
    assert "no answer" not in log.read_text()


def test_an_engine_without_an_answer_says_so(run, port, eventually):
    log = run("masakari-engine", masakari_conf(port, ping=False))

    eventually(lambda: "no answer over the message queue" in log.read_text(), "a warning")

    assert page(port, "/health")[0] == 200, "patience comes first"


def test_an_ill_process_is_told_in_words(port, eventually):
    sign = vitals.Sign("the controller began no pass", patience_s=-1.0)
    exporter.serve(port=port, collectors=(), ill=sign.ill, listen="127.0.0.1")

    status, text = page(port, "/health")

    assert status == 503
    assert text.startswith("the controller began no pass for ")


def test_a_sign_that_is_seen_again_is_well():
    sign = vitals.Sign("nothing", patience_s=60.0)

    assert sign.ill() == ""

    sign.seen()
    assert sign.age_s < 60


def test_a_port_that_is_taken_costs_the_pages_only(port, caplog):
    with socket.create_server(("127.0.0.1", port)):
        exporter.serve(port=port, collectors=(), ill=lambda: "", listen="127.0.0.1")

    assert f"port {port} cannot be had" in caplog.text
