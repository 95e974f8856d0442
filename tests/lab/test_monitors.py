# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Eyes and guard on a hypervisor, beside a real libvirtd, a real Nova and real guests."""

import json

import pytest

from lab import compute, deployment, host, juju, process, servers
from lab.stories.scene import Scene

pytestmark = pytest.mark.lab

MONITOR = "instance-ha-instancemonitor"
BACK_S = 120


@pytest.fixture
def h1(lab):
    everyone = host.hosts(3)
    deployment.ensure_enrolled(juju.client(), everyone)
    return everyone[0]


@pytest.fixture
def guest(h1):
    (made,) = servers.boot(1, on=h1, prefix="watched")
    yield made
    servers.delete_all()


@pytest.fixture
def scene(h1):
    played = Scene(say=lambda _: None)
    yield played
    played.restore(host.hosts(3))


def emulator(on, guest):
    return host.run(on, ["pgrep", "--full", f"qemu.*{guest.id}"], check=False).stdout.split()


def kill(on, guest, *, signal="KILL"):
    """Kill the guest's process; return its number, so that a new one is told from it."""
    old = emulator(on, guest)
    host.run(on, ["kill", f"-{signal}", *old])
    return old


def wait_back(on, guest, *, than):
    def back():
        now = servers.server(guest.id)
        return (
            now.status == "ACTIVE" and now.task is None and emulator(on, guest) not in ([], than)
        )

    process.wait_until(back, within_s=BACK_S, what=f"{guest.name} to be ACTIVE again", every_s=0.2)


def systemctl(on, *words):
    return host.run(on, ["systemctl", *words], check=False).stdout.strip()


def guard(on):
    said = host.run(on, ["cat", "/run/instance-ha/guard.json"], check=False).stdout
    return json.loads(said) if said else {}


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_server_whose_process_ends_is_active_again(h1, guest, signal):
    old = kill(h1, guest, signal=signal)

    wait_back(h1, guest, than=old)


@pytest.mark.parametrize("unit", [MONITOR, "libvirtd"])
def test_a_death_while_nobody_could_see_it_is_found(h1, guest, unit):
    systemctl(h1, "stop", "instance-ha-processmonitor", unit)
    old = kill(h1, guest)
    systemctl(h1, "start", unit, "instance-ha-processmonitor")

    wait_back(h1, guest, than=old)


def test_a_service_that_dies_is_started_again(h1):
    systemctl(h1, "kill", "--signal=TERM", "virtlogd")

    process.wait_until(
        lambda: systemctl(h1, "is-active", "virtlogd") == "active",
        within_s=60,
        what="virtlogd to run again",
    )
    # libvirtd went down with it, and a nova-compute that lost it takes no servers for a while;
    # asked to stop, it would first wait for what it had asked of the old libvirtd.
    systemctl(h1, "kill", "--signal=KILL", "nova-compute")
    systemctl(h1, "restart", "nova-compute")
    compute.wait_up([h1])


def test_a_reboot_is_no_loss_and_its_servers_come_back(h1, guest, scene):
    host.shutdown(h1)
    host.boot(h1)

    process.wait_until(
        lambda: guard(h1).get("state") == "released", within_s=60, what="the guard to let go"
    )
    assert guard(h1)["reason"] == "this host was not fenced"
    assert systemctl(h1, "is-active", "nova-compute") == "active"
    wait_back(h1, guest, than=[])
    assert scene.incident(h1) is None


def test_old_guests_of_a_fenced_host_never_run_again(h1, scene):
    guests = scene.boot_servers(h1)
    for each in guests:  # as somebody may have done, and Nova never does
        host.run(h1, ["virsh", "autostart", each.id])
    scene.fault("h1 loses power")
    host.kill(h1)
    scene.wait_incident(h1, state="recovered", within_s=240)
    scene.wait_elsewhere(guests, lost=h1)

    host.boot(h1)
    process.wait_until(
        lambda: guard(h1).get("state") == "released", within_s=120, what="the guard to let go"
    )
    compute.wait_up([h1])

    assert guard(h1)["reason"] == "the recovery of this host is over"
    assert [each.name for each in guests if emulator(h1, each)] == []
    said = host.run(h1, ["journalctl", "-b", "-u", "instance-ha-autostart"]).stdout
    assert said.count("does not start by itself any more") == len(guests)
    scene.check_one_writer(guests)
