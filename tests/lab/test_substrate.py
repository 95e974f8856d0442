# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's own promises: hosts fail as hosts do, and come back with their disks."""

import os
import pathlib
import time

import pytest

from lab import consul, errors, host, maas, network, process
from tests.lab_units.maas_client import MaasClient

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces and mounts"),
]

EVERYBODY = [server for wire in network.HOST_NETWORKS for server in consul.servers(wire)]
UNIT = """[Service]
ExecStart=/bin/sleep infinity
[Install]
WantedBy=multi-user.target
"""


@pytest.fixture(scope="module")
def hosts():
    wanted = host.hosts(3)
    host.ensure_up(wanted)
    consul.ensure_up(wanted)
    maas.ensure_up()
    return wanted


@pytest.fixture
def h1(hosts):
    """A host that the test may break; it is whole again afterwards."""
    yield hosts[0]
    maas.clear()
    network.heal_all()
    if host.is_on(hosts[0]):
        host.thaw(hosts[0])
    host.boot(hosts[0])
    consul.ensure_up(hosts)


def reaches(each, address, *, port=22222):
    """Say whether a host reaches the control plane; a refusal is an answer too."""
    said = host.run(
        each,
        ["timeout", "1", "bash", "-c", f"exec 3<>/dev/tcp/{address}/{port}"],
        check=False,
    )
    return said.returncode != 124


def everybody_says(name, status, *, servers=EVERYBODY):
    return all(consul.members(server).get(name) == status for server in servers)


def awaited(name, status, *, servers=EVERYBODY):
    process.wait_until(
        lambda: everybody_says(name, status, servers=servers),
        within_s=30,
        what=f"every Consul server to call {name} {status}",
    )


def test_a_host_is_a_machine_of_its_own(hosts):
    for each in hosts:
        said = host.run(each, ["sh", "-c", "hostname; cat /etc/machine-id; cat /proc/1/comm"])
        assert said.stdout.split() == [each.name, each.uuid.replace("-", ""), "systemd"]
        assert each.uuid.startswith(str(each.number))
        assert host.system_state(each) == "running"


def test_a_power_cut_is_quick_and_ends_everything(h1):
    inside = host.init_pid(h1)
    begin = time.monotonic()
    host.kill(h1)

    assert time.monotonic() - begin < process.deadline(1)
    assert not host.is_on(h1)
    assert not pathlib.Path(f"/proc/{inside}/root/etc").exists()
    assert h1.netns not in network.namespaces(), "its sockets could still send"
    with pytest.raises(errors.LabError, match="boot h1"):
        host.run(h1, ["true"])


def test_the_disk_survives_a_power_cut(h1):
    host.run(h1, ["sh", "-c", "echo kept >/etc/kept; rm -rf /etc/lost; sync"])
    host.install_unit(h1, "toy.service", UNIT)
    host.kill(h1)

    assert host.write(h1, "/etc/lost/found", "written while off\n", mode=0o600)
    assert not host.write(h1, "/etc/lost/found", "written while off\n", mode=0o600)
    host.boot(h1)

    said = host.run(h1, ["sh", "-c", "cat /etc/kept /etc/lost/found; stat -c %a /etc/lost/found"])
    assert said.stdout.splitlines() == ["kept", "written while off", "600"]
    assert host.run(h1, ["systemctl", "is-active", "toy.service"]).stdout.strip() == "active"


def test_a_unit_installed_while_off_runs_after_the_boot(h1):
    host.kill(h1)
    host.install_unit(h1, "later.service", UNIT)
    host.boot(h1)
    assert host.run(h1, ["systemctl", "is-active", "later.service"]).stdout.strip() == "active"


def test_a_frozen_host_can_be_killed(h1):
    host.freeze(h1)
    assert host.is_on(h1)
    host.kill(h1)
    assert not host.is_on(h1)


def test_a_frozen_host_goes_on_when_thawed(h1):
    host.freeze(h1)
    awaited("h1", "failed")
    host.thaw(h1)
    awaited("h1", "alive")


@pytest.mark.parametrize("silent", [True, False], ids=["silent", "carrier"])
def test_one_cable_can_be_cut(h1, silent):
    storage = network.STORAGE
    assert reaches(h1, storage.router)

    network.cut(h1.netns, off=storage, silent=silent)

    assert not reaches(h1, storage.router)
    assert reaches(h1, network.MANAGEMENT.router)
    carrier = host.run(h1, ["cat", f"/sys/class/net/{storage.interface}/carrier"]).stdout.strip()
    assert carrier == ("1" if silent else "0")
    network.heal(h1.netns, to=storage)
    process.wait_until(lambda: reaches(h1, storage.router), within_s=10, what="the cable")


def test_a_cut_cable_stays_cut_over_a_power_cut(h1):
    network.cut(h1.netns, off=network.TENANT)
    host.kill(h1)
    host.boot(h1)
    assert not reaches(h1, network.TENANT.router)
    assert reaches(h1, network.STORAGE.router)


def test_consul_sees_a_power_cut_on_all_networks_and_the_return(h1):
    host.kill(h1)
    awaited("h1", "failed")
    host.boot(h1)
    awaited("h1", "alive")


def test_consul_sees_one_cut_network_only(h1):
    storage = consul.servers(network.STORAGE)
    network.cut(h1.netns, off=network.STORAGE)
    awaited("h1", "failed", servers=storage)
    awaited("h1", "alive", servers=[s for s in EVERYBODY if s not in storage])


def test_a_host_that_is_shut_down_says_goodbye(h1):
    host.shutdown(h1)
    awaited("h1", "left")


def test_a_blind_server_answers_without_a_leader(h1, hosts):
    blind, *others = consul.servers(network.STORAGE)
    consul.blind_server(blind)
    try:
        process.wait_until(lambda: not consul.leader(blind), within_s=30, what="it to go blind")
        assert everybody_says("h1", "alive", servers=others)
    finally:
        consul.heal_server(blind)
        consul.ensure_up(hosts)


def test_maas_cuts_the_power_and_reports_it(h1):
    client = MaasClient(network.MANAGEMENT.router, maas.PORT, key=maas.API_KEY, netns="iha")
    assert client.ask("POST", "/machines/sys-h1/op-power_off")[0] == 200
    process.wait_until(lambda: client.state("h1") == "off", within_s=10, what="h1 to be off")
    assert not host.is_on(h1)

    assert client.ask("POST", "/machines/sys-h1/op-power_on")[0] == 200
    process.wait_until(lambda: client.state("h1") == "on", within_s=10, what="h1 to be on")
    host.wait_booted(h1)


def test_maas_refuses_a_wrong_key_and_the_host_runs_on(h1):
    stranger = MaasClient(
        network.MANAGEMENT.router, maas.PORT, key="lab-consumer:lab-token:guess", netns="iha"
    )
    answer = stranger.ask("POST", "/machines/sys-h1/op-power_off")
    assert answer == (401, "Authorization Error: Invalid API key.")
    assert host.is_on(h1)
