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
from masakari_monitors.hypervisor import NOVA_COMPUTE

LIBRARY = "usr/lib/python3/dist-packages/libvirt.py"
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
        self.hypervisor.write(LIBRARY, "")


@pytest.fixture
def machine(hypervisor, monkeypatch):
    """A hypervisor without libvirt's library, whose apt answers as told."""
    (hypervisor.root / LIBRARY).unlink()
    monkeypatch.delenv("APT_CONFIG", raising=False)

    def answer(*answers: Exception | None) -> Apt:
        played = Apt(hypervisor, *answers)
        monkeypatch.setattr(apt, "add_package", played.add_package)
        return played

    yield answer
    os.environ.pop("APT_CONFIG", None)


def test_what_is_there_is_not_installed_again(hypervisor, machine):
    played = machine()
    hypervisor.write(LIBRARY, "")

    workload.ensure_library()

    assert played.asked == []


def test_lists_that_name_the_package_are_not_fetched(machine):
    played = machine(None)

    workload.ensure_library()

    assert played.asked == [(workload.PACKAGE, False)]
    assert workload.library_installed()


def test_apt_gives_up_on_a_silent_server_soon(machine):
    played = machine(None)

    workload.ensure_library()

    assert 'Acquire::Retries "0";' in played.config
    assert 'Acquire::http::Timeout "10";' in played.config


def test_lists_that_are_too_old_are_fetched_once(machine):
    played = machine(apt.PackageError("404  Not Found"), None)

    workload.ensure_library()

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
        workload.ensure_library()

    assert caught.value.__cause__ is answers[-1]
    assert played.answers == [], "it was given up too early"


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


def test_code_that_went_out_of_use_is_taken_away(hypervisor):
    assert workload.ensure_code()
    assert not workload.ensure_code()
    old = workload.CODE / "hypervisor_instance_ha/old.py"
    hypervisor.write(str(old), "")

    assert workload.ensure_code()
    assert not (hypervisor.root / old).exists()


@pytest.mark.parametrize("unit", NOVA_COMPUTE)
def test_nova_compute_has_the_guard_s_permission_as_a_condition(hypervisor, unit):
    workload.ensure_guard([unit], known=NOVA_COMPUTE)

    drop_in = hypervisor.read(workload.UNITS / f"{unit}.d" / workload.DROP_IN)
    assert f"ConditionPathExists=/{workload.PERMISSION}" in drop_in
    assert f"Before={' '.join(NOVA_COMPUTE)}" in hypervisor.read(workload.UNITS / workload.GUARD)


def test_the_boot_in_which_the_guard_comes_is_free(hypervisor):
    workload.ensure_guard(NOVA_COMPUTE[:1], known=NOVA_COMPUTE)

    assert (hypervisor.root / workload.PERMISSION).exists()


def test_a_charm_that_runs_again_after_a_boot_frees_nobody(hypervisor):
    workload.ensure_guard(NOVA_COMPUTE[:1], known=NOVA_COMPUTE)
    (hypervisor.root / workload.PERMISSION).unlink()  # the next boot

    assert not workload.ensure_guard(NOVA_COMPUTE[:1], known=NOVA_COMPUTE)

    assert not (hypervisor.root / workload.PERMISSION).exists()


def test_files_beside_our_drop_in_stay(hypervisor):
    workload.ensure_guard(NOVA_COMPUTE[:1], known=NOVA_COMPUTE)
    other = workload.UNITS / "nova-compute.service.d/other.conf"
    hypervisor.write(str(other), "[Service]")

    workload.remove()

    assert [path.name for path in (hypervisor.root / other).parent.iterdir()] == ["other.conf"]
