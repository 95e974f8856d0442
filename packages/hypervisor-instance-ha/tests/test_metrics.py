# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a Prometheus reads of a hypervisor."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request

import pytest

from hypervisor_instance_ha import machine, metrics, programs, settings
from hypervisor_instance_ha.errors import UnitError
from hypervisor_instance_ha.files import Report

INSTANCES = metrics.UNITS["instances"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Where the programs of a machine say how they are."""
    monkeypatch.setattr(machine, "PAUSE", tmp_path / "paused")
    return tmp_path


def told(text: str) -> dict[str, str]:
    """Return the samples of a page."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return dict(line.rsplit(" ", 1) for line in lines)


def test_what_nobody_said_is_not_told(run, systemd):
    assert told(metrics.read(run)) == {"instance_ha_monitors_paused": "0"}


@pytest.mark.parametrize(
    ("program", "facts", "sample", "value"),
    [
        ("instances", {"libvirt": "ok"}, "instance_ha_libvirt_up", "1"),
        ("instances", {"libvirt": "waiting: away"}, "instance_ha_libvirt_up", "0"),
        ("instances", {"running": 7}, "instance_ha_servers_running", "7"),
        (
            "agents",
            {"waiting": 2},
            'instance_ha_monitor_reports_waiting{monitor="agents"}',
            "2",
        ),
        ("processes", {"down": ["a.service"]}, "instance_ha_services_down", "1"),
        ("processes", {"down": []}, "instance_ha_services_down", "0"),
        ("storage", {"storage": "ok"}, "instance_ha_storage_up", "1"),
        ("storage", {"storage": "hung"}, "instance_ha_storage_up", "0"),
        ("guard", {"state": "held"}, "instance_ha_return_guard_holds", "1"),
        ("guard", {"state": "released"}, "instance_ha_return_guard_holds", "0"),
        ("host", {"state": "stands by"}, "instance_ha_ring_seen", "1"),
        ("host", {"state": "blind"}, "instance_ha_ring_seen", "0"),
    ],
)
def test_what_a_program_says_is_told(run, systemd, program, facts, sample, value):
    Report(run / f"{program}.json").tell(**facts)

    assert told(metrics.read(run))[sample] == value


@pytest.mark.parametrize(("active", "value"), [("active", "1"), ("activating", "0")])
def test_programs_that_the_machine_has_are_told_of_and_no_others(run, systemd, active, value):
    systemd.add(INSTANCES, active=active)

    up = {name: one for name, one in told(metrics.read(run)).items() if "_up{" in name}

    assert up == {'instance_ha_monitor_up{monitor="instances"}': value}


def test_a_pause_is_told(run, systemd):
    machine.PAUSE.touch()

    assert told(metrics.read(run))["instance_ha_monitors_paused"] == "1"


def ask(server, path="/metrics"):
    url = f"http://127.0.0.1:{server.server_address[1]}{path}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


@pytest.fixture
def serving():
    """Serve a page until the test is over."""
    running = []

    def serve(current):
        server = metrics.serve(current, port=0)
        thread = threading.Thread(target=server.serve_forever, args=[0.05])
        thread.start()
        running.append((server, thread))
        return server

    yield serve
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_page_is_served_on_the_loopback_only(serving):
    server = serving(lambda: "a 1\n")

    assert ask(server) == "a 1\n"
    assert server.server_address[0] == "127.0.0.1"
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(server, "/etc/passwd")


def test_a_systemd_that_is_silent_fails_the_scrape(serving):
    def silent():
        raise UnitError("systemctl show did not end; see journalctl")

    with pytest.raises(urllib.error.HTTPError, match="503"):
        ask(serving(silent))


def test_the_program_serves_until_it_is_stopped(run, systemd, monkeypatch):
    monkeypatch.setattr(settings, "RUN", run)
    made = []
    serve = metrics.serve
    monkeypatch.setattr(metrics, "serve", lambda page: made.append(serve(page, port=0)) or made[0])
    stop = threading.Event()
    thread = threading.Thread(target=programs.serve_metrics, args=[stop])
    thread.start()
    while not made:
        thread.join(0.02)
    try:
        assert "instance_ha_monitors_paused 0" in ask(made[0])
    finally:
        stop.set()
        thread.join()
