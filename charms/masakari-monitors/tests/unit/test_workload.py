# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the charm does to the machine, without Juju; apt is played as the library raises."""

from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from charmlibs import apt, systemd

from masakari_monitors import workload

COMMAND = workload.command  # the fixture hypervisor replaces it
UNREACHABLE = subprocess.CalledProcessError(100, ["apt-get", "update"])


class Apt:
    """Takes one answer from a list at each call; an exception is raised."""

    def __init__(self, hypervisor, *answers: Exception | None) -> None:
        self.hypervisor = hypervisor
        self.answers = [*answers]
        self.asked: list[tuple[str, bool]] = []
        self.config = ""

    def add_package(self, name: str, *, update_cache: bool = False) -> None:
        self.asked.append((name, update_cache))
        self.config = pathlib.Path(os.environ["APT_CONFIG"]).read_text()
        if answer := self.answers.pop(0):
            raise answer
        self.hypervisor.command = "/usr/bin/masakari-instancemonitor"


@pytest.fixture
def machine(hypervisor, monkeypatch):
    """A hypervisor without the monitor, whose apt answers as told."""
    hypervisor.command = None
    monkeypatch.delenv("APT_CONFIG", raising=False)

    def answer(*answers: Exception | None) -> Apt:
        played = Apt(hypervisor, *answers)
        monkeypatch.setattr(apt, "add_package", played.add_package)
        return played

    yield answer
    os.environ.pop("APT_CONFIG", None)


def test_what_is_there_is_not_installed_again(hypervisor, machine):
    played = machine()
    hypervisor.command = "/opt/masakari-monitors/bin/masakari-instancemonitor"

    assert workload.ensure_installed() == hypervisor.command
    assert played.asked == []


def test_lists_that_name_the_package_are_not_fetched(machine):
    played = machine(None)

    assert workload.ensure_installed() == "/usr/bin/masakari-instancemonitor"
    assert played.asked == [(workload.PACKAGE, False)]


def test_apt_gives_up_on_a_silent_server_soon(machine):
    played = machine(None)

    workload.ensure_installed()

    assert 'Acquire::Retries "0";' in played.config
    assert 'Acquire::http::Timeout "10";' in played.config


def test_lists_that_are_too_old_are_fetched_once(machine):
    played = machine(apt.PackageError("404  Not Found"), None)

    workload.ensure_installed()

    assert played.asked == [(workload.PACKAGE, False), (workload.PACKAGE, True)]


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([UNREACHABLE], id="no-network"),
        pytest.param([apt.PackageError("404"), UNREACHABLE], id="network-lost-meanwhile"),
        pytest.param([apt.PackageError("404"), apt.PackageError("404")], id="not-in-the-archive"),
        pytest.param([FileNotFoundError("dpkg")], id="no-apt"),
    ],
)
def test_what_apt_cannot_install_is_said_in_our_words(machine, answers):
    played = machine(*answers)

    with pytest.raises(workload.InstallError, match="check the machine's sources") as caught:
        workload.ensure_installed()

    assert caught.value.__cause__ is answers[-1]
    assert played.answers == [], "it was given up too early"


def test_a_package_without_the_monitor_is_an_error(hypervisor, machine, monkeypatch):
    machine(None)
    monkeypatch.setattr(workload, "command", lambda: None)

    with pytest.raises(workload.InstallError, match="brought no masakari-instancemonitor"):
        workload.ensure_installed()


@pytest.mark.parametrize("running", [True, False])
def test_the_package_s_own_service_does_not_run_beside_ours(machine, monkeypatch, running):
    machine(None)
    paused = []
    monkeypatch.setattr(systemd, "service_running", lambda name: running)
    monkeypatch.setattr(systemd, "service_pause", paused.append)

    workload.ensure_installed()

    assert paused == ([workload.PACKAGED_SERVICE] if running else [])


def test_the_monitor_is_looked_for_where_programs_are(monkeypatch):
    asked = {}
    monkeypatch.setattr(
        workload.shutil, "which", lambda name, *, path: asked.setdefault(name, path)
    )

    assert COMMAND() == asked[workload.COMMAND]
    assert "/opt/masakari-monitors/bin" in asked[workload.COMMAND].split(":")


def test_a_file_is_written_once(hypervisor):
    path = pathlib.Path("etc/instance-ha/secret.conf")

    assert workload.ensure_file(path, "one", mode=0o600)
    assert not workload.ensure_file(path, "one", mode=0o600)
    assert workload.ensure_file(path, "two", mode=0o600)

    assert hypervisor.read(path) == "two"


def test_a_file_that_others_could_read_is_closed_before_it_is_written(hypervisor):
    path = pathlib.Path("etc/instance-ha/secret.conf")
    hypervisor.write(str(path), "old")
    (hypervisor.root / path).chmod(0o644)

    workload.ensure_file(path, "a password", mode=0o600)

    assert (hypervisor.root / path).stat().st_mode & 0o777 == 0o600


def test_removing_what_was_never_there_changes_nothing(hypervisor, monkeypatch):
    def fail(*_):
        raise AssertionError("there is no unit to stop")

    monkeypatch.setattr(systemd, "service_stop", fail)

    workload.remove()

    assert not (hypervisor.root / workload.UNIT).exists()


def test_removal_takes_unit_configuration_and_authorities_away(hypervisor):
    for path in (workload.UNIT, workload.CONFIG, workload.CA_BUNDLE):
        workload.ensure_file(path, "text", mode=0o644)
    hypervisor.running = True

    workload.remove()

    left = [p for p in (workload.UNIT, workload.CONFIG, workload.CA_BUNDLE)
            if (hypervisor.root / p).exists()]  # fmt: skip
    assert left == []
    assert not hypervisor.running
