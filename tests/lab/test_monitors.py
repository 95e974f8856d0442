# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Eyes and guard on a hypervisor, beside a real libvirtd, a real Nova and real guests."""

import json
import time

import jubilant
import pytest

from lab import compute, deployment, host, juju, network, process, servers
from lab.openstack import database
from lab.stories import faults
from lab.stories.faults import emulator, kill_guest
from lab.stories.scene import Scene

pytestmark = pytest.mark.lab

MONITOR = "instance-ha-instancemonitor"
BACK_S = 120
OUTAGE_S = 150
""""Minutes", as short as that word allows."""


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


def wait_back(on, guest, *, than):
    def back():
        now = servers.server(guest.id)
        return (
            now.status == "ACTIVE" and now.task is None and emulator(on, guest) not in ([], than)
        )

    process.wait_until(back, within_s=BACK_S, what=f"{guest.name} to be ACTIVE again", every_s=0.2)


def systemctl(on, *words):
    return host.run(on, ["systemctl", *words], check=False).stdout.strip()


def report(on, program):
    """Return what a program says of itself."""
    said = host.run(on, ["cat", f"/run/instance-ha/{program}.json"], check=False).stdout
    return json.loads(said) if said else {}


def guard(on):
    return report(on, "guard")


@pytest.mark.parametrize("signal", ["KILL", "TERM"])
def test_a_server_whose_process_ends_is_active_again(h1, guest, signal):
    old = kill_guest(h1, guest, signal=signal)

    wait_back(h1, guest, than=old)


@pytest.mark.parametrize("unit", [MONITOR, "libvirtd"])
def test_a_death_while_nobody_could_see_it_is_found(h1, guest, unit):
    systemctl(h1, "stop", "instance-ha-processmonitor", unit)
    old = kill_guest(h1, guest)
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


@pytest.mark.chaos
def test_a_host_is_taken_back_though_nova_has_two_records_of_its_server(h1, scene):
    (guest,) = guests = scene.boot_servers(h1, count=1)
    scene.fault("h1 loses power")
    host.kill(h1)
    scene.wait_incident(h1, state="recovered", within_s=240)
    scene.wait_elsewhere(guests, lost=h1)
    # As after an order that got lost in Nova; nova-compute settles one record at each start.
    database.execute(
        f"USE nova_cell1; CREATE TEMPORARY TABLE again SELECT * FROM migrations "
        f"WHERE instance_uuid = '{guest.id}' AND status = 'done';"
        "UPDATE again SET id = (SELECT MAX(id) + 1 FROM migrations), uuid = UUID();"
        "INSERT INTO migrations SELECT * FROM again;"
    )
    assert servers.evacuations(guest.id) == ["done", "done"]

    host.boot(h1)
    scene.wait_incident(h1, state="closed", within_s=300)

    assert servers.evacuations(guest.id) == ["completed", "completed"]
    said = host.run(h1, ["journalctl", "-b", "-u", "instance-ha-return-guard"]).stdout
    assert said.count("is started again: 1 records are left") == 1
    compute.wait_up([h1])
    scene.check_one_writer(guests)


def waiting(on):
    """Return the servers whose reports wait on disk, oldest first."""
    script = "cat /var/lib/instance-ha/instances/[0-9]*.json 2>/dev/null | sed 's/}/}\\n/g'"
    told = host.run(on, ["sh", "-c", script], check=False).stdout
    return [json.loads(line)["name"] for line in told.splitlines() if line.strip()]


def told_of(client, *, since_s):
    """Return the servers of which Masakari was told, in its order."""
    listed = deployment.instance_ha(client, "notification", "list")
    shown = [
        deployment.instance_ha(client, "notification", "show", each["uuid"]) for each in listed
    ]
    began = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since_s))
    servers_of = [
        (one["generated"], one["payload"]["instance_uuid"])
        for one in shown
        if one["type"] == "VM" and one["generated"] >= began
    ]
    return [uuid for _, uuid in sorted(servers_of)]


@pytest.fixture
def unit(h1):
    """The charm's unit on h1, and juju."""
    client = juju.client()
    principals = client.status().apps[deployment.HYPERVISOR].units.values()
    (beside,) = (each.subordinates for each in principals if each.machine == str(h1.number - 1))
    (name,) = (each for each in beside if each.startswith(f"{deployment.MONITORS}/"))
    return name, client


@pytest.mark.chaos
def test_a_death_while_the_network_was_away_is_told_when_it_is_back(h1, guest, scene):
    network.cut(h1.netns, off=network.MANAGEMENT)  # that one alone is no reason to recover h1
    old = kill_guest(h1, guest)
    process.wait_until(
        lambda: waiting(h1) == [guest.id], within_s=60, what="the report to wait on disk"
    )
    time.sleep(30)
    network.heal(h1.netns, to=network.MANAGEMENT)

    wait_back(h1, guest, than=old)
    assert scene.incident(h1) is None


@pytest.mark.chaos
def test_eight_at_once_wedge_nothing(h1):
    guests = servers.boot(8, on=h1, prefix="eight")
    try:
        old = {guest.id: emulator(h1, guest) for guest in guests}
        host.run(h1, ["kill", "-KILL", *(pid for pids in old.values() for pid in pids)])
        for guest in guests:
            wait_back(h1, guest, than=old[guest.id])

        once_more = kill_guest(h1, guests[0])
        wait_back(h1, guests[0], than=once_more)
    finally:
        servers.delete_all()


@pytest.mark.chaos
def test_reports_outlive_minutes_without_the_api_in_their_order(h1, scene):
    guests = servers.boot(3, on=h1, prefix="queued")
    ids = [guest.id for guest in guests]
    began_s = time.time()
    old = {}
    with faults.stopped(scene, faults.API):
        for number, guest in enumerate(guests, start=1):
            old[guest.id] = kill_guest(h1, guest)
            process.wait_until(
                lambda number=number: len(waiting(h1)) == number,
                within_s=60,
                what=f"{number} reports to wait on disk",
            )
            time.sleep(1.1)  # Masakari keeps whole seconds
        assert waiting(h1) == ids
        host.run(h1, ["systemctl", "kill", "--signal=KILL", MONITOR])
        time.sleep(OUTAGE_S)
        assert waiting(h1) == ids, "neither a crash of the monitor nor time loses one"
        assert report(h1, "instances")["masakari"].startswith("waiting: ")

    for guest in guests:
        wait_back(h1, guest, than=old[guest.id])
    assert told_of(scene.juju, since_s=began_s) == ids
    process.wait_until(lambda: not waiting(h1), within_s=60, what="the queue to be empty")


@pytest.mark.chaos
def test_a_server_that_dies_again_and_again_is_left_down_and_named(h1, guest, unit):
    _, client = unit
    client.config(deployment.MONITORS, {"restart-limit": 1})
    deployment.wait_active(client)
    try:
        wait_back(h1, guest, than=kill_guest(h1, guest))
        kill_guest(h1, guest)

        process.wait_until(
            lambda: report(h1, "instances").get("given_up") == guest.id,
            within_s=60,
            what="the monitor to give the server up",
        )
        assert emulator(h1, guest) == []
    finally:
        client.config(deployment.MONITORS, reset=["restart-limit"])
        deployment.wait_active(client)


@pytest.mark.chaos
def test_a_drill_kills_only_what_was_made_for_it(h1, guest, unit):
    name, client = unit
    (marked,) = servers.boot(
        1, on=h1, prefix="drill", metadata={**servers.HA_ENABLED, "instance_ha_drill": "true"}
    )
    with pytest.raises(jubilant.TaskError, match="not marked as a test server"):
        client.run(name, "run-instance-drill", {"server": guest.id, "confirm": True})
    with pytest.raises(jubilant.TaskError, match="confirm=true"):
        client.run(name, "run-instance-drill", {"server": marked.id})
    old = emulator(h1, marked)

    done = client.run(name, "run-instance-drill", {"server": marked.id, "confirm": True})

    assert done.results["killed"] == f"{marked.id} pid {old[0]}"
    wait_back(h1, marked, than=old)
    assert len(emulator(h1, guest)) == 1
