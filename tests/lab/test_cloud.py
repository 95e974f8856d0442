# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's cloud: what the product will be tried on, tried without it."""

import datetime
import http.client
import os

import pytest

from lab import compute, errors, host, network, openstack, oracle, process, servers
from lab.openstack import database, messaging, novalog, services

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces and mounts"),
]


@pytest.fixture(scope="module")
def profile():
    """The profile of the lab that is up already, or the one that the stories need."""
    try:
        return openstack.current_profile()
    except errors.LabError:
        return "full"


@pytest.fixture(scope="module")
def hosts(profile):
    openstack.ensure_up(profile)
    wanted = host.hosts(3)
    compute.ensure_up(wanted, profile=profile)
    return wanted


@pytest.fixture
def h1(hosts):
    """A hypervisor that the test may lose; it is in service again afterwards."""
    yield hosts[0]
    host.boot(hosts[0])
    compute.ensure_in_service(hosts[0])
    servers.delete_all()


def active_elsewhere(server_id, *, than):
    now = servers.server(server_id)
    return now if now.status == "ACTIVE" and now.host != than.name else None


def test_a_cloud_that_is_up_stays_as_it_is(hosts, profile):
    before = list(openstack.status())
    assert all(pid for _, pid in before)

    openstack.ensure_up(profile)
    compute.ensure_up(hosts, profile=profile)

    assert list(openstack.status()) == before


def test_a_cloud_has_one_profile(profile):
    other = {"light": "full", "full": "light"}[profile]

    with pytest.raises(errors.LabError, match="lab down"):
        openstack.ensure_up(other)


def test_a_server_of_a_dead_host_is_evacuated_once_nova_may_believe_it(h1, profile):
    began = datetime.datetime.now(datetime.UTC)
    (server,) = servers.boot(1, on=h1)
    if profile == "full":
        servers.wait_first_write(server.id, on=h1)

    host.kill(h1)
    with pytest.raises(errors.LabError, match="still in use"):
        servers.evacuate(server.id)
    compute.force_down(h1)
    servers.evacuate(server.id)

    moved = process.wait_until(
        lambda: active_elsewhere(server.id, than=h1), within_s=120, what="the server elsewhere"
    )
    calls = novalog.evacuate_calls(since=began)
    assert [call.server for call in calls] == [server.id] * 2, "a refused call is a call too"
    assert calls[0].at < calls[1].at
    if profile == "full":
        where = host.host(moved.host)
        servers.wait_first_write(server.id, on=where)
        assert oracle.examine(server.id, ran_on=[h1, where]).sound


def test_a_host_that_boots_is_a_hypervisor_again(h1):
    host.kill(h1)
    host.boot(h1)

    compute.wait_up([h1])
    assert servers.boot(1, on=h1, within_s=60)[0].host == h1.name


def test_who_is_related_gets_a_database_an_account_and_an_endpoint(hosts):
    database.ensure_database("guestbook", user="guest", password="pass-word")
    messaging.ensure_user("guest", password="word", vhost="guest/book")
    openstack.ensure_service_user("guest", password="word")
    openstack.ensure_service_user("guest", password="other")
    for url in ("http://10.70.0.1:1", "http://10.70.0.1:2"):
        openstack.ensure_endpoint("guestbook", type="guestbook", urls={"public": url})

    assert "guestbook" in database.execute("SHOW DATABASES").split()
    with openstack.cloud() as connection:
        assert connection.endpoint_for("guestbook") == "http://10.70.0.1:2"


def test_pods_reach_the_control_plane_at_their_own_router(hosts):
    network.attach(f"{network.SWITCH}-visitor", to=network.POD, address=network.POD.address(99))
    try:
        with network.inside(f"{network.SWITCH}-visitor"):
            connection = http.client.HTTPConnection(
                network.POD.router, services.KEYSTONE.port, timeout=10
            )
            connection.request("GET", "/v3")
            assert connection.getresponse().status == 200
            connection.close()
    finally:
        network.remove(f"{network.SWITCH}-visitor")
