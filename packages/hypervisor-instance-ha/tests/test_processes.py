# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Services run, or Masakari knows that they do not."""

from __future__ import annotations

import json

import pytest

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.courier import What
from hypervisor_instance_ha.errors import UnitError
from hypervisor_instance_ha.processes import ProcessMonitor
from hypervisor_instance_ha.spool import Entry

NOVA, OVS = "nova-compute.service", "ovs-vswitchd.service"


@pytest.fixture
def monitor(host, systemd):
    systemd.add(NOVA)
    systemd.add(OVS)
    return ProcessMonitor(
        host.station("processes"), units=[NOVA, OVS, "absent.service"], retries=3
    )


def waiting(host):
    return [one.name for one in host.station("processes").spool.entries()]


def restarts(systemd):
    return [words[-1] for words in systemd.said if words[0] == "restart"]


@pytest.mark.parametrize("state", ["failed", "inactive"])
def test_what_has_ended_is_started(host, systemd, monitor, state):
    systemd.add(NOVA, active=state)
    monitor.step()
    monitor.step()

    assert restarts(systemd) == [NOVA]
    assert waiting(host) == []


@pytest.mark.parametrize("enabled", ["disabled", "masked"])
def test_what_an_operator_took_out_of_use_is_left_alone(systemd, monitor, enabled):
    systemd.add(NOVA, active="inactive", enabled=enabled)
    monitor.step()

    assert restarts(systemd) == []


def test_what_does_not_start_is_told_once_and_tried_on(host, systemd, monitor):
    systemd.add(NOVA, active="failed")
    systemd.broken.add(NOVA)
    for _ in range(30):
        monitor.step()

    assert waiting(host) == [NOVA]
    assert 3 < len(restarts(systemd)) < 10
    entry = host.station("processes").spool.entries()[0]
    assert monitor.judge(entry).what is What.SEND
    monitor.send(entry)
    assert host.cloud.told == [("process", "nova-compute")]


def test_what_runs_again_is_not_told(host, systemd, monitor):
    systemd.add(NOVA, active="failed")
    systemd.broken.add(NOVA)
    for _ in range(5):
        monitor.step()
    systemd.add(NOVA)
    monitor.step()

    assert monitor.judge(host.station("processes").spool.entries()[0]).what is What.DROP
    assert json.loads((host.place / "processes.json").read_text())["down"] == []


def test_a_pause_restarts_nothing(host, systemd, monitor):
    systemd.add(NOVA, active="inactive")
    host.silence = "paused"
    monitor = ProcessMonitor(host.station("processes"), units=[NOVA], retries=1)
    monitor.step()

    assert restarts(systemd) == []
    assert monitor.judge(Entry(kind="process", name=NOVA, at_s=0.0)).what is What.LATER


def test_a_systemd_that_does_not_answer_ends_nothing(host, monitor, monkeypatch):
    def refuse(*_, **__):
        raise UnitError("systemctl did not end; see journalctl")

    monkeypatch.setattr(machine, "systemctl", refuse)
    monitor.step()

    assert "did not end" in json.loads((host.place / "processes.json").read_text())["processes"]


def test_a_warning_is_no_failure(monkeypatch, tmp_path):
    script = tmp_path / "systemctl"
    script.write_text('#!/bin/sh\necho "a warning" >&2\necho done\n')
    script.chmod(0o755)
    monkeypatch.setattr(machine, "SYSTEMCTL", str(script))

    assert machine.systemctl("restart", NOVA) == "done\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("echo broken >&2; exit 1", "broken", id="fails"),
        pytest.param("sleep 5", "did not end", id="hangs"),
    ],
)
def test_a_command_that_fails_says_why(monkeypatch, tmp_path, text, says):
    script = tmp_path / "systemctl"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    monkeypatch.setattr(machine, "SYSTEMCTL", str(script))

    with pytest.raises(UnitError, match=says):
        machine.systemctl("restart", NOVA, timeout_s=0.5)


def test_reasons_to_be_quiet(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "PERMISSION", tmp_path / "may-start")
    monkeypatch.setattr(machine, "PAUSE", tmp_path / "paused")
    state = "running"
    monkeypatch.setattr(machine, "systemctl", lambda *_, **__: f"{state}\n")

    assert "return guard" in machine.why_quiet()
    machine.PERMISSION.touch()
    assert machine.why_quiet() == ""
    assert "just been let start" in machine.why_quiet(settle_s=60)
    state = "stopping"
    assert "shutting down" in machine.why_quiet()
    machine.PAUSE.touch()
    assert "paused" in machine.why_quiet()
