# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The programs, their settings, and the drill."""

from __future__ import annotations

import dataclasses
import os
import threading

import pytest

from hypervisor_instance_ha import drill, machine, programs, settings
from hypervisor_instance_ha.__main__ import PROGRAMS, main
from hypervisor_instance_ha.cloud import Server
from hypervisor_instance_ha.errors import SettingsError
from hypervisor_instance_ha.files import read_report, write_whole
from hypervisor_instance_ha.guard import Standing
from hypervisor_instance_ha.settings import AgentWatch, Login, Settings, StorageProbe

LOGIN = Login(
    auth_url="http://127.0.0.1:1",
    username="u",
    password="p",
    project="services",
    user_domain="default",
    project_domain="default",
)


@pytest.fixture
def place(tmp_path, monkeypatch, systemd):
    """A machine's directories in a directory."""
    for name in ("STATE", "RUN", "UNITS"):
        monkeypatch.setattr(settings, name, tmp_path / name.lower())
    monkeypatch.setattr(settings, "CONFIG", tmp_path / "monitors.json")
    monkeypatch.setattr(machine, "PERMISSION", tmp_path / "run" / "may-start")
    monkeypatch.setattr(machine, "OVERRIDE", tmp_path / "run" / "release")
    monkeypatch.setattr(machine, "PAUSE", tmp_path / "paused")
    return tmp_path


def configure(place, **changes):
    said = Settings(nova_host="h1", login=LOGIN, libvirt_uri="test:///none", **changes)
    write_whole(place / "monitors.json", said.dumps())
    return said


def test_settings_come_back_as_they_were_written(place):
    said = configure(
        place,
        processes=("a.service",),
        agent=AgentWatch(failures=7),
        storage=StorageProbe(target="/srv"),
    )

    assert settings.load(settings.CONFIG) == said


@pytest.mark.parametrize("text", ["", "{}", '{"login": {}, "unknown": 1}', "[]"])
def test_settings_that_cannot_be_used_say_what_to_do(tmp_path, text):
    file = tmp_path / "monitors.json"
    file.write_text(text)

    with pytest.raises(SettingsError, match="juju config"):
        settings.load(file)


def test_the_guard_holds_where_it_has_no_settings(place, systemd, monkeypatch):
    (place / "units" / "nova-compute.service.d").mkdir(parents=True)
    (place / "units" / "nova-compute.service.d" / settings.DROP_IN).touch()
    systemd.add("nova-compute.service", active="inactive")
    monkeypatch.setattr(programs, "emulators_run", lambda: False)
    stop = threading.Event()
    guard = threading.Thread(target=programs.guard_return, args=[stop])
    guard.start()
    try:
        report = place / "run" / "guard.json"
        while read_report(report).get("state") != "held":
            guard.join(0.02)
            assert guard.is_alive()
        assert "monitors.json" in str(read_report(report)["reason"])

        write_whole(machine.OVERRIDE, "by hand")
        while not machine.PERMISSION.exists():
            guard.join(0.02)
            assert guard.is_alive()
    finally:
        stop.set()
        guard.join()

    assert ("start", "--no-block", "nova-compute.service") in systemd.said


@pytest.mark.parametrize(("notification", "settles"), [(None, False), ("finished", True)])
def test_only_a_host_that_was_lost_is_looked_after_once_it_may_start(
    place, systemd, monkeypatch, notification, settles
):
    configure(place)
    systemd.add("nova-compute.service", active="inactive")
    lost = Standing(
        enrolled=True,
        notification=notification,
        forced_down=notification is not None,
        evacuating=0,
        servers=0,
        unsettled=1,
    )
    looks = iter([lost, lost, dataclasses.replace(lost, unsettled=0)])
    monkeypatch.setattr(programs.Cloud, "standing", lambda _, now_s: next(looks))
    monkeypatch.setattr(programs, "emulators_run", lambda: False)
    monkeypatch.setattr(programs, "SETTLED_LOOK_S", 0.01)

    programs.guard_return(threading.Event())

    assert machine.PERMISSION.exists()
    assert (next(looks, None) is None) is settles


@pytest.mark.parametrize("program", [programs.watch_instances, programs.watch_processes])
def test_a_monitor_runs_until_it_is_stopped(place, systemd, program):
    configure(place, process_interval_s=0.01)
    machine.PERMISSION.parent.mkdir()
    machine.PERMISSION.touch()
    stop = threading.Event()
    thread = threading.Thread(target=program, args=[stop])
    thread.start()
    name = program.__name__.removeprefix("watch_")
    while not {"libvirt", "processes"} & read_report(place / "run" / f"{name}.json").keys():
        thread.join(0.02)
        assert thread.is_alive()
    stop.set()
    thread.join(10)

    assert not thread.is_alive()


@pytest.mark.parametrize("program", [programs.watch_agents, programs.probe_storage])
def test_what_is_not_wanted_ends_at_once(place, program):
    configure(place)
    program(threading.Event())


def test_what_is_wanted_runs(place):
    configure(
        place,
        agent=AgentWatch(interval_s=0.01, timeout_s=0.1),
        storage=StorageProbe(target=str(place), interval_s=0.01),
    )
    stop = threading.Event()
    threads = [
        threading.Thread(target=program, args=[stop])
        for program in (programs.watch_agents, programs.probe_storage)
    ]
    for thread in threads:
        thread.start()
    for name, key in (("agents", "libvirt"), ("storage", "storage")):
        while key not in read_report(place / "run" / f"{name}.json"):
            threads[0].join(0.02)
    stop.set()
    for thread in threads:
        thread.join(10)


class Masakari:
    changed: bool = True

    def set_maintenance(self, on):
        return self.changed


def test_only_our_own_maintenance_is_ended(place, monkeypatch):
    masakari = Masakari()
    configure(place)
    monkeypatch.setattr(programs.settings, "load", lambda: None)
    monkeypatch.setattr(programs, "_cloud", lambda _: masakari)

    assert programs.tell_maintenance(on=False).startswith("unchanged")
    assert programs.tell_maintenance(on=True) == "on"
    assert programs.tell_maintenance(on=False) == "off"
    masakari.changed = False
    assert programs.tell_maintenance(on=True) == "unchanged"
    assert programs.tell_maintenance(on=False).startswith("unchanged"), "somebody else began it"


def server(**changes):
    known = {"uuid": "a", "host": "h1", "vm_state": "active", "task": None}
    return Server(**known | {"metadata": {drill.MARK: "true"}} | changes)


def test_a_marked_server_may_be_killed():
    drill.require_marked(server(), uuid="a", nova_host="h1")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(None, "is not on h1", id="unknown"),
        pytest.param(server(host="h2"), "is not on h1", id="elsewhere"),
        pytest.param(server(vm_state="stopped"), "not active", id="stopped"),
        pytest.param(server(metadata={}), "not marked", id="not-marked"),
    ],
)
def test_no_other_server_is_killed(found, words):
    with pytest.raises(drill.DrillError, match=words):
        drill.require_marked(found, uuid="a", nova_host="h1")


def test_only_the_emulator_of_the_server_is_killed(tmp_path, monkeypatch):
    killed = []
    monkeypatch.setattr(os, "kill", lambda pid, number: killed.append(pid))
    for pid, words in (
        (7, ["/usr/bin/qemu-system-x86_64", "-uuid", "a"]),
        (8, ["/usr/bin/qemu-system-x86_64", "-uuid", "b"]),
        (9, ["/usr/bin/less", "a"]),
    ):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_text("\0".join(words))
    (tmp_path / "10").mkdir()

    assert drill.kill("a", proc=tmp_path) == 7
    assert killed == [7]
    with pytest.raises(drill.DrillError, match="0 processes"):
        drill.kill("c", proc=tmp_path)


def test_the_command_line_says_what_is_wrong(monkeypatch, caplog, tmp_path):
    monkeypatch.setattr("hypervisor_instance_ha.__main__.load", lambda: settings.load(tmp_path))

    assert main(["instances"]) == 1
    assert "juju config" in caplog.text


def test_the_command_line_runs_a_program(place, monkeypatch):
    configure(place, debug=True)
    ran = []
    monkeypatch.setitem(PROGRAMS, "agents", ran.append)
    monkeypatch.setattr("hypervisor_instance_ha.__main__.signal.signal", lambda *_: None)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    assert main(["agents"]) == 0
    assert [event.is_set() for event in ran] == [False]


def test_the_command_line_drills_and_tells(monkeypatch, capsys):
    monkeypatch.setattr(programs, "run_drill", lambda uuid: f"{uuid} pid 7")
    monkeypatch.setattr(programs, "tell_maintenance", lambda *, on: f"told {on}")

    assert main(["drill", "a"]) == 0
    assert main(["maintenance", "off"]) == 0
    assert capsys.readouterr().out == "a pid 7\ntold False\n"
