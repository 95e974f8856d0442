# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Real charm processes, a real Pebble and a real systemd, driven by jubilant from start to end."""

import os
import time
from pathlib import Path

import jubilant
import pytest

from lab import disk, host, juju, pod, process

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces and mounts"),
]

TOYS = Path(__file__).with_name("toys")
HYPERVISOR = Path(__file__).parents[2] / "partners" / "openstack-hypervisor"
LAST = host.Host(number=host.MOST_HOSTS)
MACHINE = str(LAST.number - 1)


@pytest.fixture(scope="module")
def client():
    """A model with a pod, a host and a subordinate on it, all related and at rest."""
    if process.pid(juju.AGENT):
        pytest.skip("a lab is up; take it down first: python -m lab down")
    host.ensure_up([LAST])
    client = juju.ensure_up()
    client.deploy(TOYS / "store", "store", resources={"page-image": "base"})
    client.deploy(HYPERVISOR, "hypervisor", to=MACHINE)
    client.deploy(TOYS / "reader", "reader")
    client.integrate("hypervisor:juju-info", "reader:juju-info")
    client.integrate("store", "reader")
    settle(client)
    yield client
    juju.down()
    host.kill(LAST)
    disk.remove(LAST.name)


def settle(client: jubilant.Juju) -> jubilant.Status:
    return client.wait(
        lambda status: jubilant.all_active(status) and jubilant.all_agents_idle(status),
        error=jubilant.any_error,
        delay=0.3,
        successes=2,
        timeout=process.deadline(90),
    )


def password(client: jubilant.Juju) -> str:
    return client.ssh("reader/0", "cat", "/etc/toy-password")


def page(client: jubilant.Juju) -> str:
    return client.ssh("store/0", "cat", "/srv/index.html", container="page")


def store_pod() -> pod.Pod:
    return pod.Pod(name="store-0", containers=(("page", "base"),))


def test_a_secret_crosses_from_the_pod_to_the_hosts_service(client):
    shown = client.ssh("reader/0", "systemctl show -p Environment --value toyreader")
    assert shown.strip() == f"PASSWORD={password(client)}"


def test_pebble_serves_over_the_pod_network(client):
    address = client.status().apps["store"].units["store/0"].address
    ask = f"import urllib.request as u; print(u.urlopen('http://{address}:8080').read().decode())"
    assert client.ssh("reader/0", f'python3 -c "{ask}"').strip() == "hello"


def test_a_container_sees_nothing_of_this_machine(client):
    seen = client.ssh("store/0", "ls /root /home /etc", container="page").split()
    assert "shadow" not in seen
    assert client.ssh("store/0", "ls -A /root /home | grep -v :", container="page").split() == []


def test_an_action_rotates_the_secret_and_the_subordinate_follows(client):
    before = password(client)
    task = client.run("store/leader", "rotate", {"length": 12})
    assert task.results == {"password": {"length": "12"}}
    assert task.log == ["rotated"]
    process.wait_until(
        lambda: password(client) != before, within_s=20, what="the new password on the host"
    )
    assert len(password(client)) == 12


def test_a_crashed_action_leaves_nothing(client):
    with pytest.raises(jubilant.TaskError) as caught:
        client.run("store/0", "crash")
    assert "as asked" in caught.value.task.stderr
    (peers,) = [
        r for r in client.show_unit("store/0").relation_info if r.endpoint == "store-peers"
    ]
    assert peers.local_unit
    assert "lost" not in peers.local_unit.data


def test_a_secret_of_the_operator_reaches_the_page_and_its_update_too(client):
    uri = client.add_secret("word", {"word": "one"})
    client.grant_secret("word", "store")
    client.config("store", {"extra": str(uri)})
    process.wait_until(lambda: page(client) == "hello one", within_s=20, what="the first word")
    client.update_secret("word", {"word": "two"})
    process.wait_until(lambda: page(client) == "hello two", within_s=20, what="the second word")
    client.config("store", reset="extra")
    settle(client)


def test_a_killed_container_is_filled_again(client):
    client.ssh("store/0", "touch /srv/mine", container="page")
    pod.kill_container(store_pod(), "page")
    process.wait_until(
        lambda: "index.html" in client.ssh("store/0", "ls /srv", container="page"),
        within_s=20,
        what="the page in the new container",
    )
    assert "mine" not in client.ssh("store/0", "ls /srv", container="page")
    settle(client)


def test_a_failing_check_is_told(client):
    client.ssh("store/0", "touch /srv/sick", container="page")
    client.wait(
        lambda status: jubilant.all_blocked(status, "store"), delay=0.3, successes=1, timeout=60
    )
    client.ssh("store/0", "rm /srv/sick", container="page")
    client.config("store", {"greeting": "well"})
    settle(client)


def test_a_power_cut_loses_only_the_units_of_that_host(client):
    host.kill(LAST)
    client.wait(
        lambda status: (
            status.apps["hypervisor"].units["hypervisor/0"].juju_status.current == "lost"
        ),
        delay=0.3,
        successes=1,
        timeout=30,
    )
    assert client.run("store/leader", "rotate", {"length": 16}).success
    ran = len(juju.trace())
    host.boot(LAST)
    settle(client)
    process.wait_until(
        lambda: len(password(client)) == 16, within_s=20, what="the secret after the boot"
    )
    hooks = [line["hook"] for line in juju.trace()[ran:] if line["unit"] == "reader/0"]
    assert hooks[0] == "start"
    assert client.ssh("reader/0", "systemctl is-active toyreader").strip() == "active"


def test_the_agent_may_die_and_go_on(client):
    process.kill(juju.AGENT)
    juju.ensure_up()
    client.config("store", {"greeting": "again"})
    process.wait_until(lambda: page(client) == "again", within_s=20, what="the new greeting")
    settle(client)


def test_a_refresh_rolls_the_pod(client):
    ran = len(juju.trace())
    client.refresh("store", path=TOYS / "store")
    process.wait_until(
        lambda: "page-pebble-ready" in [line["hook"] for line in juju.trace()[ran:]],
        within_s=30,
        what="pebble-ready after the refresh",
    )
    settle(client)
    hooks = [line["hook"] for line in juju.trace()[ran:] if line["unit"] == "store/0"]
    assert [hook for hook in hooks if hook != "page-pebble-ready"][:4] == [
        "stop",
        "upgrade-charm",
        "config-changed",
        "start",
    ]


def test_removal_leaves_no_process_and_no_service(client):
    begin = time.monotonic()
    client.remove_application("reader", "store")
    client.wait(
        lambda status: set(status.apps) == {"hypervisor"}, delay=0.3, successes=1, timeout=60
    )
    assert time.monotonic() - begin < process.deadline(60)
    assert not store_pod().directory.exists()
    assert host.run(LAST, ["systemctl", "is-active", "toyreader"], check=False).returncode
