# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""May nova-compute of a host that has booted start?"""

from __future__ import annotations

import dataclasses
import json

import pytest

from hypervisor_instance_ha import guarding, machine
from hypervisor_instance_ha.errors import CloudUnreachableError, LibvirtError
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.guard import Standing, judge
from hypervisor_instance_ha.guarding import ReturnGuard, Surroundings

NOVA = "nova-compute.service"
CALM = Standing(
    enrolled=True, notification=None, forced_down=False, evacuating=0, servers=0, unsettled=0
)


@pytest.mark.parametrize(
    ("change", "may_start", "words"),
    [
        pytest.param({}, True, "not fenced", id="merely-rebooted"),
        pytest.param({"enrolled": False}, True, "not fenced", id="not-enrolled"),
        pytest.param({"notification": "new"}, False, "is new", id="new"),
        pytest.param({"notification": "running"}, False, "is running", id="running"),
        pytest.param({"notification": "error"}, False, "is error", id="error-is-tried-again"),
        pytest.param(
            {"notification": "running", "forced_down": True}, False, "running", id="under-way"
        ),
        pytest.param({"notification": "finished"}, True, "is over", id="finished"),
        pytest.param(
            {"notification": "finished", "forced_down": True}, True, "is over", id="still-forced"
        ),
        pytest.param(
            {"notification": "finished", "forced_down": True, "servers": 1},
            True,
            "is over",
            id="a-server-that-is-not-protected-stayed",
        ),
        pytest.param(
            {"notification": "finished", "evacuating": 2}, False, "2 servers", id="late-moves"
        ),
        pytest.param(
            {"notification": "failed", "forced_down": True, "servers": 3},
            False,
            "could not recover",
            id="failed",
        ),
        pytest.param(
            {"notification": "failed", "forced_down": True}, True, "is over", id="failed-but-empty"
        ),
        pytest.param({"notification": "failed"}, True, "is over", id="failed-and-given-back"),
        pytest.param(
            {"forced_down": True, "servers": 1}, False, "release-host", id="forced-by-hand"
        ),
        pytest.param({"forced_down": True}, True, "is over", id="forced-by-hand-and-empty"),
    ],
)
def test_rule(change, may_start, words):
    verdict = judge(dataclasses.replace(CALM, **change))

    assert verdict.may_start is may_start
    assert words in verdict.reason


def test_only_a_host_that_was_never_lost_keeps_guests_that_run():
    assert not judge(CALM).clean
    for status in ("new", "finished", "failed"):
        assert judge(dataclasses.replace(CALM, notification=status)).clean


class Boot:
    """A host that has just booted."""

    def __init__(self, place, systemd, libvirt) -> None:
        self.systemd, self.libvirt = systemd, libvirt
        self.place = place
        self.standing: Standing | Exception = CALM
        self.libvirt_away = False
        self.emulators = False
        self.passes = 0
        systemd.add(NOVA, active="inactive")
        around = Surroundings(
            standing=self._standing,
            connect=self._connect,
            guests_run=lambda: self.emulators,
            units=[NOVA],
        )
        self.guard = ReturnGuard(around, report=Report(place / "guard.json"))

    def _standing(self):
        if isinstance(self.standing, Exception):
            raise self.standing
        return self.standing

    def _connect(self):
        if self.libvirt_away:
            raise LibvirtError("cannot reach libvirt; start it")
        return self.libvirt

    @property
    def nova_runs(self) -> bool:
        return self.systemd.units[NOVA]["ActiveState"] == "active"

    @property
    def said(self):
        return json.loads((self.place / "guard.json").read_text())


@pytest.fixture
def boot(tmp_path, systemd, host, monkeypatch):
    monkeypatch.setattr(machine, "PERMISSION", tmp_path / "may-start")
    monkeypatch.setattr(machine, "OVERRIDE", tmp_path / "release")
    return Boot(tmp_path, systemd, host.libvirt)


def test_t03_a_reboot_starts_at_once(boot):
    assert boot.guard.step()

    assert machine.PERMISSION.exists()
    assert boot.nova_runs
    assert boot.said["state"] == "released"
    assert not boot.guard.let_back


def test_t03_a_host_under_recovery_waits_without_guests_and_then_starts(boot):
    boot.libvirt.start("stale-1", "stale-2")
    boot.standing = dataclasses.replace(CALM, notification="running")

    assert not boot.guard.step()
    assert not machine.PERMISSION.exists()
    assert boot.libvirt.destroyed == ["stale-1", "stale-2"]
    assert boot.said == {
        "state": "held",
        "reason": "Masakari recovers this host: its notification is running",
    }

    boot.standing = dataclasses.replace(CALM, notification="finished", forced_down=True)
    assert boot.guard.step()
    assert boot.nova_runs
    assert boot.guard.let_back


def test_a_guest_that_appears_while_it_waits_is_ended_too(boot):
    boot.standing = dataclasses.replace(CALM, notification="running")
    boot.guard.step()
    boot.libvirt.start("stale")
    boot.guard.step()

    assert boot.libvirt.destroyed == ["stale"]


def test_a_rebooted_host_keeps_what_runs(boot):
    boot.libvirt.start("autostarted")

    assert boot.guard.step()
    assert boot.libvirt.destroyed == []


def test_it_waits_while_nobody_can_be_asked_and_says_so(boot):
    boot.standing = CloudUnreachableError("keystone did not answer; check the network")

    assert not boot.guard.step()
    assert "keystone did not answer" in boot.said["reason"]

    boot.standing = CALM
    assert boot.guard.step()


def test_an_operator_overrules_it_and_no_guest_stays(boot):
    boot.standing = CloudUnreachableError("keystone did not answer; check the network")
    boot.guard.step()
    boot.libvirt.start("stale")
    machine.OVERRIDE.write_text("by hand")

    assert boot.guard.step()
    assert boot.libvirt.destroyed == ["stale"]
    assert boot.said["reason"] == "released by an operator"


def test_libvirt_that_is_away_with_guests_alive_holds_it(boot):
    boot.standing = dataclasses.replace(CALM, notification="finished")
    boot.libvirt_away = boot.emulators = True
    assert not boot.guard.step()

    boot.emulators = False
    assert boot.guard.step(), "without any emulator there is nothing to end"


def test_libvirt_that_refuses_holds_it(boot):
    boot.standing = dataclasses.replace(CALM, notification="finished")
    boot.libvirt.away = True

    assert not boot.guard.step()
    assert "libvirt is away" in boot.said["reason"]


def test_a_guard_that_comes_to_a_running_nova_touches_nothing(boot):
    boot.systemd.add(NOVA)
    boot.libvirt.start("in-use")
    boot.standing = dataclasses.replace(CALM, notification="running")

    assert boot.guard.step()
    assert boot.libvirt.destroyed == []


def test_a_permission_of_this_boot_holds_for_it(boot):
    machine.PERMISSION.write_text("")
    boot.libvirt.start("in-use")
    boot.standing = dataclasses.replace(CALM, notification="running")

    assert boot.guard.step()
    assert boot.libvirt.destroyed == []


def test_a_nova_that_an_operator_disabled_is_not_started(boot):
    boot.systemd.add(NOVA, active="inactive", enabled="disabled")

    assert boot.guard.step()
    assert not boot.nova_runs


def test_it_looks_until_it_may_let_go(boot):
    boot.standing = dataclasses.replace(CALM, notification="running")

    def pause(_):
        boot.passes += 1
        if boot.passes == 3:
            boot.standing = CALM

    boot.guard.run(pause)

    assert boot.passes == 3


@pytest.mark.parametrize("directory", guarding.AUTOSTART)
def test_no_guest_of_nova_s_starts_by_libvirt_alone(tmp_path, directory):
    qemu = tmp_path / directory.parent
    links = tmp_path / directory
    links.mkdir(parents=True)
    for name, mark in (("instance-00000001", guarding.NOVA_MARK), ("router", "")):
        (qemu / f"{name}.xml").write_text(f"<domain><metadata>{mark}</metadata></domain>")
        (links / f"{name}.xml").symlink_to(f"../{name}.xml")
    (links / "gone.xml").symlink_to("../gone.xml")

    assert guarding.remove_autostart(tmp_path) == ["instance-00000001"]

    assert sorted(path.name for path in links.iterdir()) == ["gone.xml", "router.xml"]
    assert (qemu / "instance-00000001.xml").exists(), "nova cleans its definitions itself"


@pytest.mark.parametrize(
    ("names", "run"),
    [
        pytest.param(["bash"], False, id="none"),
        pytest.param(["bash", "qemu-system-x86"], True, id="one"),
    ],
)
def test_emulators_are_seen_without_libvirt(tmp_path, names, run):
    for number, name in enumerate(names, start=7):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "comm").write_text(f"{name}\n")
    (tmp_path / "self").mkdir()

    assert guarding.emulators_run(tmp_path) is run
