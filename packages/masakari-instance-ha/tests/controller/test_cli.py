# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from stevedore import extension

from instance_ha.model import Event, FenceProof, IncidentState
from masakari_instance_ha import cli
from masakari_instance_ha.cli import call

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


def test_a_segment_lives_from_create_to_delete(ask, openstack_cloud, journal):
    made = ask("segment", "create", "rack1", "--recovery-method", "rh_priority")
    assert made == {
        "name": "rack1",
        "uuid": "segment-1",
        "recovery_method": "rh_priority",
        "enabled": True,
        "description": "",
    }
    assert ask("segment", "list") == [made]

    changed = ask("segment", "update", "rack1", "--no-enabled", "--description", "north")
    assert changed == {**made, "enabled": False, "description": "north"}
    assert ask("segment", "show", "segment-1") == {**changed, "hosts": []}

    assert ask("segment", "delete", "rack1") == {"deleted": "rack1"}
    assert openstack_cloud.segments == []


def test_a_host_lives_from_add_to_remove(ask, journal):
    ask("segment", "create", "rack1")
    made = ask("host", "add", "rack1", "h1", "--reserved")
    assert made == {
        "name": "h1",
        "segment": "rack1",
        "uuid": "host-1",
        "reserved": True,
        "on_maintenance": False,
    }
    listed = {**made, "protected": True, "why": ""}
    assert ask("host", "list") == ask("host", "list", "rack1") == [listed]

    changed = ask("host", "update", "h1", "--no-reserved", "--on-maintenance")
    assert changed == {**made, "reserved": False, "on_maintenance": True}

    assert ask("host", "remove", "h1") == {"removed": "h1"}
    assert ask("host", "list") == []


def test_tables_are_aligned(run, openstack_cloud, journal):
    openstack_cloud.enrol("h1", "a-longer-name")

    code, out, _ = run("host", "list")

    assert code == 0
    assert out.splitlines() == [
        "NAME           SEGMENT  UUID    RESERVED  ON_MAINTENANCE  PROTECTED  WHY",
        "h1             seg1     host-1  no        no              yes        -",
        "a-longer-name  seg1     host-2  no        no              yes        -",
    ]


def test_options_may_stand_behind_the_command_too(config, capsys, openstack_cloud):
    openstack_cloud.enrol("h1")

    assert cli.main(["host", "list", "--format", "json", "--config-file", str(config)]) == 0

    assert json.loads(capsys.readouterr().out)[0]["name"] == "h1"


def test_an_empty_list_says_what_comes_next(run):
    assert run("segment", "list")[1] == (
        "no segment yet; make one: instance-ha segment create NAME\n"
    )


def test_notifications_name_their_hosts(ask, openstack_cloud):
    openstack_cloud.enrol("h1")
    openstack_cloud.take_notification(
        {"type": "COMPUTE_HOST", "hostname": "h1", "generated_time": "t"}
    )
    openstack_cloud.vmoves.append(
        {"instance_uuid": "s1", "instance_name": "web", "dest_host": "h2", "status": "succeeded"}
    )

    (listed,) = ask("notification", "list", "--host", "h1", "--status", "new")
    shown = ask("notification", "show", listed["uuid"])

    assert (listed["host"], listed["status"]) == ("h1", "new")
    assert shown["moves"][0]["to"] == "h2"


def test_a_notification_of_a_server_has_no_moves(ask, openstack_cloud):
    openstack_cloud.enrol("h1")
    openstack_cloud.take_notification({"type": "VM", "hostname": "h1", "generated_time": "t"})
    (listed,) = ask("notification", "list")

    assert ask("notification", "show", listed["uuid"])["moves"] == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("segment", "show", "nowhere"), id="segment"),
        pytest.param(("host", "remove", "nobody"), id="host"),
        pytest.param(("host", "update", "h1"), id="no-change-named"),
        pytest.param(("host", "add", "nowhere", "h1"), id="host-of-no-segment"),
        pytest.param(("incident", "show", "7"), id="incident"),
        pytest.param(("incident", "show", "--host", "h1"), id="incident-of-host"),
    ],
)
def test_what_does_not_exist_is_wrong_input(run, journal, openstack_cloud, words):
    openstack_cloud.enrol("h1")

    code, out, err = run(*words)

    assert (code, out) == (2, "")
    assert "see " in err
    assert err.startswith("instance-ha: ")
    assert err.count("\n") == 1


def test_an_unknown_notification_is_wrong_input(run, openstack_cloud):
    openstack_cloud.refusals["GET", "/notifications/"] = (404, "not found")

    code, _, err = run("notification", "show", "x")

    assert code == 2
    assert "there is no notification x" in err


def test_unknown_words_are_wrong_input(run, capsys):
    with pytest.raises(SystemExit) as ended:
        run("segment", "create", "x", "--recovery-method", "prayer")

    assert ended.value.code == 2


def test_a_refusal_has_masakaris_words_and_a_next_step(run, openstack_cloud):
    openstack_cloud.enrol("h1")
    openstack_cloud.refusals["PUT", "/hosts/"] = (409, "Host host-1 can't be updated")

    code, _, err = run("host", "update", "h1", "--reserved")

    assert code == 1
    assert "Host host-1 can't be updated" in err
    assert "instance-ha notification list" in err


def test_a_cloud_out_of_reach_is_one_sentence(run, openstack_cloud):
    openstack_cloud.refusals["GET", "/segments"] = (503, "restarting")

    code, out, err = run("segment", "list")

    assert (code, out) == (1, "")
    assert "HTTP 503, restarting" in err


def test_no_configuration_is_said(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(call, "DEFAULT_CONFIG", tmp_path / "none.conf")

    assert cli.main(["segment", "list"]) == 2

    assert "give --config-file" in capsys.readouterr().err


def test_a_broken_configuration_is_said(run, config):
    config.write_text("no section\n")

    code, _, err = run("segment", "list")

    assert code == 1
    assert "options cannot be read" in err


@pytest.fixture
def incident(journal):
    opened = journal.open("h1", segment="seg1", at_s=1000.0, reason="storage down")
    for at_s, kind, text in (
        (996.0, "evidence", "storage down, and so for 3 s"),
        (1000.0, "verdict", "recovery  storage down"),
    ):
        journal.record(opened, Event(at_s=at_s, actor="controller@m-0", kind=kind, text=text))
    journal.record_proof(
        opened,
        FenceProof(
            host="h1",
            method="maas",
            target="sys-h1",
            answer="off",
            ordered_at_s=1001.0,
            confirmed_at_s=1003.0,
            by="engine@m-0",
        ),
    )
    return opened


def test_an_incident_is_told_from_its_first_event(run, incident):
    code, out, _ = run("incident", "show")

    assert code == 0
    assert out.splitlines() == [
        "incident 1  h1  open  1970-01-01T00:16:36Z",
        "     0.0 s  evidence   h1: storage down, and so for 3 s",
        "     4.0 s  verdict    h1: recovery  storage down",
        "proof  h1: off  maas sys-h1, ordered 1970-01-01T00:16:41Z, "
        "confirmed 1970-01-01T00:16:43Z, by engine@m-0",
    ]


def test_programs_get_the_facts_of_an_incident(ask, incident, journal):
    journal.move(incident, IncidentState.RECOVERING, at_s=1005.0, notification="n1")

    told = ask("incident", "show", "--host", "h1")

    assert (told["id"], told["state"], told["notification"]) == (1, "recovering", "n1")
    assert [event["kind"] for event in told["events"]] == ["evidence", "verdict"]
    assert told["proofs"][0]["answer"] == "off"
    assert "4.0 s  verdict" in told["timeline"]
    assert ask("incident", "list", "--host", "h1")[0]["opened"] == "1970-01-01T00:16:40Z"


def test_a_store_without_tables_says_how_to_make_them(run):
    code, _, err = run("incident", "list")
    assert code == 1
    assert "instance-ha" in err

    assert run("db-sync")[0] == 0
    assert run("db-sync")[0] == 0, "safe to repeat"

    assert run("incident", "list")[:2] == (0, "no incident\n")


def test_the_power_of_a_host_is_asked(ask):
    assert ask("fence", "check", "h1")["method"] == "none"


@pytest.fixture
def plugin(installed, monkeypatch):
    monkeypatch.syspath_prepend(installed["PYTHONPATH"].split(":")[0])
    monkeypatch.setattr(extension.ExtensionManager, "ENTRY_POINT_CACHE", {})


def test_the_check_prints_one_line_a_check(run, plugin, journal):
    code, out, err = run("check", "--store")

    assert (code, err) == (0, "")
    assert [line.split()[-2:] for line in out.splitlines()[1:]] == [
        ["ok", "-"] for _ in out.splitlines()[1:]
    ]


def test_a_failed_check_ends_with_its_reason(run, plugin, config, tmp_path):
    (tmp_path / "masakari.conf").write_text("[DEFAULT]\n")

    code, out, err = run("check")

    assert code == 1
    assert "flow auto" in out
    assert "checks failed: flow auto:" in err
    assert "evacuates unfenced" in err


def test_the_command_runs_as_a_process(installed, config, tmp_path):
    """As the charm runs it, in an environment that has only what was pushed."""
    command = [sys.executable, "-m", "masakari_instance_ha", "--config-file", config, "check"]

    ended = subprocess.run(command, env=installed, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "driver hostmonitor.driver" in ended.stdout
