# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The cloud that only remembers, asked by those that ask it in the lab."""

import threading
import time

import pytest

from hypervisor_instance_ha.cloud import Cloud, Recovery
from hypervisor_instance_ha.errors import CloudRefusedError
from hypervisor_instance_ha.keystone import Session
from hypervisor_instance_ha.settings import Login
from lab import recorder
from masakari_instance_ha import assembly
from masakari_instance_ha.clock import StoppableClock
from masakari_instance_ha.connection import connect
from masakari_instance_ha.ring import monitor
from masakari_instance_ha.ring.cloud import RingCloud


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Where a cloud with h1 and h2 is served."""
    monkeypatch.setattr(recorder, "FILE", tmp_path / "cloud.json")
    server = recorder.server(0)
    url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(recorder, "URL", url)
    thread = threading.Thread(target=server.serve_forever, args=[0.05])
    thread.start()
    recorder.enrol(["h1", "h2"])
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hypervisor(url):
    """Hypervisor -> the way by which its monitors speak to the cloud."""
    login = Login(
        auth_url=url, username="u", password="p", project="s", user_domain="d", project_domain="d"
    )
    return lambda name: Cloud(Session(login), nova_host=name)


def test_what_masakari_is_told_is_remembered_in_its_order(hypervisor):
    for uuid in ("b", "a"):
        hypervisor("h1").notify_server(uuid, recovery=Recovery.DIED, at_s=time.time())

    told = recorder.notifications("VM")

    assert [each["payload"]["instance_uuid"] for each in told] == ["b", "a"]
    assert {each["hostname"] for each in told} == {"h1"}


def test_a_host_that_nobody_enrolled_is_declined(hypervisor):
    with pytest.raises(CloudRefusedError, match="h9 could not be found"):
        hypervisor("h9").notify_server("a", recovery=Recovery.DIED, at_s=time.time())


def test_servers_are_found_where_they_are(hypervisor):
    recorder.add_server("a", host="h1")

    found = hypervisor("h1").server("a")

    assert found is not None
    assert (found.host, found.vm_state, found.task) == ("h1", "active", None)
    assert [each.uuid for each in hypervisor("h1").servers()] == ["a"]
    assert hypervisor("h2").servers() == []
    assert hypervisor("h1").server("b") is None


def test_a_loss_is_what_the_return_guard_sees(hypervisor):
    assert hypervisor("h1").standing(now_s=time.time()).notification is None

    recorder.tell_loss("h1", status="running")
    assert hypervisor("h1").standing(now_s=time.time()).notification == "running"

    recorder.forget()
    assert hypervisor("h1").standing(now_s=time.time()).notification is None


OPTIONS = """
[instance_ha]
connection = sqlite:///{place}/store.sqlite
unit = ring-monitors/0
networks = management
[instance_ha_api]
auth_url = {url}/v3
username = u
password = p
project_name = s
user_domain_name = d
project_domain_name = d
region_name = RegionOne
"""


def test_the_host_monitor_of_a_ring_reads_it_and_tells_it(url, tmp_path):
    file = tmp_path / "host-monitor.conf"
    file.write_text(OPTIONS.format(place=tmp_path, url=url))
    conf = monitor.read_options(file)
    cloud = RingCloud(
        connect(conf), clock=StoppableClock(threading.Event()), rules=assembly.rules(conf)
    )

    seen = {each.name: each for each in cloud.hosts()}
    told = cloud.notify("h1", at_s=time.time())

    assert seen.keys() == {"h1", "h2"}
    assert seen["h1"].service is not None
    assert recorder.is_forced_down("h1")
    assert not recorder.is_forced_down("h2")
    (kept,) = recorder.notifications("COMPUTE_HOST")
    assert (kept["hostname"], kept["notification_uuid"]) == ("h1", told.uuid)
    assert kept["told_by"] == "127.0.0.1"
    assert cloud.servers_on("h1") == 0
    assert cloud.notifications()["h1"].uuid == told.uuid
