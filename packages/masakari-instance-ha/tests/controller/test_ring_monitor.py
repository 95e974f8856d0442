# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The host monitor of a ring against Keystone, Nova and Masakari, with tools that are files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from instance_ha.errors import NotificationRefusedError, PolicyError
from instance_ha.pacemaker import PacemakerAnswerError
from instance_ha.selection import Selection
from masakari_instance_ha import connection
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.ring import monitor, watch
from masakari_instance_ha.ring.cloud import RingCloud
from masakari_instance_ha.ring.watch import RingWatch
from masakari_instance_ha.servers import Rules

NOW_S = 1_795_000_000.0
WITHIN_S = 120.0


@pytest.fixture
def file(tmp_path, login):
    """Make the options' file."""

    def make(ours="networks = management\n"):
        path = tmp_path / "host-monitor.conf"
        url = f"sqlite:///{tmp_path}/host-monitor.sqlite"
        path.write_text(f"[instance_ha]\nconnection = {url}\nunit = c1\n{ours}{login}")
        return path

    return make


@pytest.fixture
def cloud(file, openstack_cloud):
    openstack_cloud.enrol("h1", "h2")
    conf = monitor.read_options(file())
    return RingCloud(
        connection.connect(conf),
        clock=SystemClock(),
        rules=Rules(default=Selection(), segments={}),
    )


def test_nova_is_told_before_masakari(cloud, openstack_cloud):
    cloud.notify("h1", at_s=NOW_S)
    cloud.notify("h1", at_s=NOW_S)

    told = [(method, path.rpartition("/")[2]) for method, path, _ in openstack_cloud.written()]
    services = {service["host"]: service["forced_down"] for service in openstack_cloud.services}
    assert [method for method, _ in told] == ["PUT", "POST", "POST"], "forced down once"
    assert services == {"h1": True, "h2": False}


def test_a_nova_that_declines_holds_the_notification(cloud, openstack_cloud):
    openstack_cloud.refusals["PUT", "/os-services"] = (403, "not you")

    with pytest.raises(NotificationRefusedError, match="not you"):
        cloud.notify("h1", at_s=NOW_S)

    assert openstack_cloud.notifications == []


def test_nothing_is_given_back_to_engines_out_of_reach(cloud, openstack_cloud):
    cloud.release_orphan("n-1")

    assert openstack_cloud.written() == []


@pytest.mark.parametrize(
    ("ours", "words"),
    [
        pytest.param("networks = management,storage\n", "watches management alone", id="networks"),
        pytest.param("networks = management\ntick = soon\n", "cannot be read", id="no number"),
    ],
)
def test_options_that_make_no_sense_are_refused(file, ours, words):
    with pytest.raises(PolicyError, match=words):
        monitor.rules(monitor.read_options(file(ours)))


@pytest.fixture
def tools(tmp_path):
    """Pacemaker's tools as files; each prints what lies beside it."""
    place = tmp_path / "bin"
    place.mkdir()

    def say(**said):
        for name, text in said.items():
            (place / f"{name}.said").write_text(text)
            tool = place / name
            tool.write_text(f"#!/bin/sh\nexec cat {place}/{name}.said\n")
            tool.chmod(0o755)

    say(
        crm_node="c1\n",
        crm_mon='<pacemaker-result><summary><current_dc present="true" name="c1" '
        'with_quorum="true"/></summary><nodes><node name="h1" online="true" type="remote"/>'
        "</nodes></pacemaker-result>",
        cibadmin='<cib have-quorum="1"><status><node_state remote_node="true" uname="h1" '
        'in_ccm="true"/></status></cib>',
    )
    return place


@pytest.fixture
def path(tools, monkeypatch):
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    return tools


def test_the_tools_are_asked(path):
    seen = RingWatch()
    assert monitor.describe(seen) == {"state": "blind", "why": "the ring has not been read yet"}

    seen.read()

    assert monitor.describe(seen) == {
        "state": "acts",
        "node": "c1",
        "decides": "c1",
        "quorate": True,
        "remotes": 1,
        "lost": [],
        "proven-off": [],
    }


@pytest.mark.parametrize(
    ("script", "words"),
    [
        pytest.param("echo cannot connect >&2; exit 102", "cannot connect", id="it fails"),
        pytest.param("exit 1", "exit code 1", id="it fails in silence"),
        pytest.param("exec sleep 600", "timed out", id="it hangs"),
    ],
)
def test_a_tool_that_does_not_answer_is_said(path, monkeypatch, script, words):
    monkeypatch.setattr(watch, "TIMEOUT_S", 0.5)
    (path / "crm_mon").write_text(f"#!/bin/sh\n{script}\n")

    with pytest.raises(PacemakerAnswerError, match=words):
        watch.ask(("crm_mon",))


def test_a_tool_that_is_not_there_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PacemakerAnswerError, match="systemctl status pacemaker"):
        watch.ask(("crm_mon",))


def test_the_process_reports_and_ends_when_it_is_told_to(file, path, tmp_path):
    report = tmp_path / "run" / "host.json"
    argv = [sys.executable, "-m", "masakari_instance_ha.ring", "--config-file", str(file())]
    process = subprocess.Popen([*argv, "--report", str(report)], env=dict(os.environ))
    try:
        end_s = time.monotonic() + WITHIN_S
        while not (report.exists() and json.loads(report.read_text())["state"] == "acts"):
            assert time.monotonic() < end_s, "it never reported"
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=WITHIN_S) == 0
    finally:
        process.kill()
    assert (tmp_path / "host-monitor.sqlite").exists()


def test_wrong_options_end_the_process(file, capsys, caplog):
    code = monitor.main(["--config-file", str(file("networks = storage\n"))])

    assert code == 1
    assert "watches management alone" in caplog.text
