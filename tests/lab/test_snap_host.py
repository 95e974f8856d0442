# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The monitors beside the snap of Sunbeam's hypervisors; the other lab hosts have the debs' shape.

The charm, systemd, libvirtd and QEMU are real; the cloud only remembers what it was told.
"""

import json
import uuid

import jubilant
import pytest

from lab import deployment, host, layers, process, recorder, snap

pytestmark = [pytest.mark.lab, pytest.mark.chaos]

NOVA_HOST = "h1.maas"
UNIT = f"{deployment.MONITORS}/0"


@pytest.fixture(scope="module")
def client():
    try:
        yield snap.ensure_up(host.hosts(1)[0], nova_host=NOVA_HOST)
    finally:
        layers.down()


@pytest.fixture
def h1(client):
    recorder.forget()
    return host.hosts(1)[0]


@pytest.fixture
def guest(h1):
    """The UUID of a guest that runs, and that the monitor has seen."""
    made = str(uuid.uuid4())
    snap.start_guest(h1, uuid=made)
    wait_said(h1, "instances", running=1)
    yield made
    remove_guest(h1, made)


def remove_guest(on, guest):
    for verb in ("destroy", "undefine"):
        host.run(on, ["virsh", "--connect", snap.URI, verb, guest], check=False)


def said(on, program):
    """Return what a program says of itself."""
    text = host.run(on, ["cat", f"/run/instance-ha/{program}.json"], check=False).stdout
    return json.loads(text) if text else {}


def wait_said(on, program, **facts):
    process.wait_until(
        lambda: facts.items() <= said(on, program).items(),
        within_s=60,
        what=f"{program} to say {facts}; it says {said(on, program)}",
        every_s=0.2,
    )


@pytest.fixture
def asks_guests(client):
    """The agent monitor is on, and in a hurry."""
    options = {"agent-interval": 2, "agent-timeout": 1, "agent-failures": 2}
    client.config(deployment.MONITORS, {"agent-monitor": True, **options})
    deployment.wait_active(client)
    yield
    client.config(deployment.MONITORS, reset=["agent-monitor", *options])
    deployment.wait_active(client)


def state(on, unit):
    return host.run(on, ["systemctl", "is-active", unit], check=False).stdout.strip()


def wait_active(on, unit):
    process.wait_until(lambda: state(on, unit) == "active", within_s=60, what=f"{unit} to run")


def emulator(on, guest):
    return host.run(on, ["pgrep", "--full", f"qemu.*{guest}"], check=False).stdout.split()


def test_the_charm_finds_what_the_snap_has(h1):
    told = json.loads(host.run(h1, ["cat", "/etc/instance-ha/monitors.json"]).stdout)

    assert told["nova_host"] == NOVA_HOST
    assert told["libvirt_uri"] == snap.URI
    assert set(told["processes"]) == {snap.NOVA_COMPUTE, snap.LIBVIRTD, snap.VIRTLOGD}
    wait_said(h1, "instances", libvirt="ok")


def test_a_guest_that_dies_is_told_of_under_novas_name(h1, guest):
    host.run(h1, ["kill", "-KILL", *emulator(h1, guest)])

    (told,) = process.wait_until(
        lambda: recorder.notifications("VM"), within_s=60, what="masakari to be told"
    )
    assert told["hostname"] == NOVA_HOST
    assert told["payload"]["instance_uuid"] == guest


def test_a_guest_that_hangs_is_told_of(h1, asks_guests):
    hanging, well = str(uuid.uuid4()), str(uuid.uuid4())
    for each, answers in ((hanging, 3), (well, 1_000_000)):
        recorder.add_server(each, host=NOVA_HOST)
        snap.start_guest(h1, uuid=each, answers=answers)
    try:
        (told,) = process.wait_until(
            lambda: recorder.notifications("VM"), within_s=120, what="masakari to be told"
        )
        assert told["payload"]["event"] == "QEMU_GUEST_AGENT_ERROR"
        assert told["payload"]["instance_uuid"] == hanging
        assert len(emulator(h1, hanging)) == 1, "its process is as well as that of the other"
    finally:
        for each in (hanging, well):
            recorder.forget()
            remove_guest(h1, each)


@pytest.mark.parametrize("unit", [snap.NOVA_COMPUTE, snap.LIBVIRTD])
def test_a_service_of_the_snap_that_dies_is_started_again(h1, unit):
    host.run(h1, ["systemctl", "kill", "--signal=KILL", unit])

    wait_active(h1, unit)
    wait_said(h1, "instances", libvirt="ok")


def test_a_reboot_without_a_fence_starts_nova_compute_at_once(h1):
    autostart = f"{snap.COMMON}/etc/libvirt/qemu/autostart/instance-00000009.xml"
    host.write(h1, autostart, "<!-- http://openstack.org/xmlns/libvirt/nova/1.1 -->\n")
    host.shutdown(h1)
    host.boot(h1)

    wait_said(h1, "guard", state="released", reason="this host was not fenced")
    wait_active(h1, snap.NOVA_COMPUTE)
    assert host.run(h1, ["test", "-e", autostart], check=False).returncode == 1


def lose(on, *, status="running"):
    """Cut the power, and boot while Masakari is so far with the recovery."""
    recorder.tell_loss(NOVA_HOST, status=status)
    host.kill(on)
    host.boot(on)


def test_nova_compute_of_a_lost_host_waits_for_the_end_of_the_recovery(h1):
    lose(h1)
    wait_said(h1, "guard", state="held")
    host.run(h1, ["systemctl", "start", snap.NOVA_COMPUTE])  # as snapd does in a refresh
    assert state(h1, snap.NOVA_COMPUTE) == "inactive"

    recorder.tell_loss(NOVA_HOST, status="finished")

    wait_said(h1, "guard", state="released", reason="the recovery of this host is over")
    wait_active(h1, snap.NOVA_COMPUTE)


def test_an_operator_ends_the_hold(h1, client):
    lose(h1)
    wait_said(h1, "guard", state="held")
    with pytest.raises(jubilant.TaskError, match="Masakari recovers this host"):
        client.run(UNIT, "release-host")

    client.run(UNIT, "release-host", {"confirm": True, "reason": "nothing of it runs elsewhere"})

    wait_said(h1, "guard", state="released", reason="released by an operator")
    wait_active(h1, snap.NOVA_COMPUTE)
