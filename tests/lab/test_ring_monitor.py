# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The host monitor on the members of a real ring: what Masakari is told, by whom, how often.

The remotes are remotes by the same charm, beside their hypervisor's own.

Corosync, Pacemaker and MAAS' fencing are as in the ring's own tests; the cloud only remembers.
"""

import json
import time

import pytest

from lab import binaries, deployment, host, layers, maas, network, process, recorder, ring, snap

pytestmark = [pytest.mark.lab, pytest.mark.chaos]

RING = ring.of(3, 3)
MONITORS = "ring-monitors"
MANAGEMENT = network.MANAGEMENT
QUIET_S = 15
"""So long nothing more is told; the monitors look every second or two."""


@pytest.fixture(scope="module")
def cluster():
    try:
        client = ring.ensure_up(RING, deploy_remote=deploy_on_remotes)
        deploy_on_members(client)
        deployment.wait_active(client)
        for each in RING.members:
            process.wait_until(
                lambda each=each: state(each) in ("acts", "stands by"),
                within_s=180,
                what=f"the host monitor of {each.name} to see the ring",
                every_s=0.5,
            )
        yield RING
    finally:
        layers.down()


@pytest.fixture
def it(cluster):
    ring.heal(cluster)
    recorder.forget()
    yield cluster
    for each in filter(host.is_on, cluster.members):  # shown where the test failed
        log = ["journalctl", "-n", "40", "--no-pager", "-u", "instance-ha-hostmonitor"]
        print(each.name, report(each), host.run(each, log, check=False).stdout)


def deploy_on_remotes(client):
    """Make hosts remotes by the monitors' charm, with the libraries that it brings packed."""
    recorder.ensure_up([each.name for each in RING.remotes])
    deployment.stage()
    tree = deployment.STAGE / deployment.MONITORS
    install = [binaries.tool("uv", package="uv"), "pip", "install", "--quiet"]
    where = ["--python", "/usr/bin/python3", "--target", tree / "lib"]
    pins = ["--requirement", tree / "requirements.txt"]
    process.run([*install, *where, *pins], within_s=600)
    snap.deploy_keystone(client)
    fenced = {"process-monitor": False, "enable-stonith": True}
    client.deploy(tree, ring.REMOTE, config=fenced)
    relate(client, ring.REMOTE, beside=deployment.HYPERVISOR)


def deploy_on_members(client):
    tree = deployment.STAGE / deployment.MONITORS
    client.deploy(tree, MONITORS, config={"host-monitor": True, "process-monitor": False})
    relate(client, MONITORS, beside=ring.PRINCIPAL)


def relate(client, monitors, *, beside):
    client.integrate(f"{monitors}:container", f"{beside}:juju-info")
    client.integrate(f"{monitors}:identity-credentials", f"{snap.KEYSTONE}:identity-credentials")


def report(member):
    said = host.run(member, ["cat", "/run/instance-ha/host.json"], check=False).stdout
    return json.loads(said) if said else {}


def state(member):
    return report(member).get("state")


def losses():
    return [(each["hostname"], each["told_by"]) for each in recorder.notifications("COMPUTE_HOST")]


def wait_told(within_s=120):
    return process.wait_until(
        losses, within_s=within_s, what="masakari to be told of the loss", every_s=0.2
    )


def test_the_key_of_the_ring_is_for_root_and_pacemaker_alone(it):
    for each in it.remotes:
        found = host.run(each, ["stat", "--format=%a %U", "/etc/pacemaker/authkey"]).stdout
        assert found.split() == ["440", "root"]


def test_a_lost_remote_is_told_of_once_by_the_member_that_decides(it):
    lost, decides = it.remotes[0], ring.decider(it)
    assert {each.name: state(each) for each in it.members} == {
        each.name: "acts" if each == decides else "stands by" for each in it.members
    }

    network.cut(lost.netns, off=MANAGEMENT, silent=True)
    wait_told()
    assert not host.is_on(lost), "nobody is told before it is off"
    assert recorder.is_forced_down(lost.name)
    time.sleep(process.deadline(QUIET_S))

    assert losses() == [(lost.name, decides.address())]


def test_a_remote_that_nobody_can_fence_is_told_of_only_once_it_is_off(it):
    lost = it.remotes[1]
    maas.inject("hanging")
    network.cut(lost.netns, off=MANAGEMENT, silent=True)
    process.wait_until(
        lambda: report(ring.decider(it)).get("lost") == [lost.name],
        within_s=60,
        what="the member that decides to see the loss",
    )
    time.sleep(process.deadline(QUIET_S))
    assert losses() == []
    assert not recorder.is_forced_down(lost.name)

    maas.clear()

    wait_told(within_s=240)
    assert not host.is_on(lost)


def test_the_member_that_decides_dies_with_a_remote_and_another_one_tells(it):
    lost, decides = it.remotes[2], ring.decider(it)
    rest = [each.address() for each in it.members if each != decides]
    host.kill(decides)
    network.cut(lost.netns, off=MANAGEMENT, silent=True)

    wait_told(within_s=240)
    time.sleep(process.deadline(QUIET_S))

    ((name, told_by),) = losses()
    assert name == lost.name
    assert told_by in rest
