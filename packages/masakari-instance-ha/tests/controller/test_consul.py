# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time

import pytest

from instance_ha.agreement import MemberState, disbelief
from instance_ha.model import Network
from masakari_instance_ha import consul


@pytest.fixture
def server(consul_cluster):
    return consul_cluster.servers[0]


def ask(server, *, budget_s=1.5):
    with consul.open_session() as session:
        return consul.ask(
            session,
            address=consul.parse_address(server.url),
            network=Network.STORAGE,
            budget_s=budget_s,
        )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("10.0.0.1:8501", "10.0.0.1:8501", id="host-and-port"),
        pytest.param(' "consul-lb.ns.svc:8500" ', "consul-lb.ns.svc:8500", id="quoted"),
        pytest.param("http://10.0.0.1:8500/", "10.0.0.1:8500", id="a-url"),
        pytest.param("10.0.0.1", "10.0.0.1:8500", id="default-port"),
        pytest.param("[fd00::1]:8501", "[fd00::1]:8501", id="ipv6-with-port"),
        pytest.param("[fd00::1]", "[fd00::1]:8500", id="ipv6-in-brackets"),
        pytest.param("fd00::1", "[fd00::1]:8500", id="bare-ipv6"),
    ],
)
def test_addresses_are_read_as_people_and_charms_write_them(text, expected):
    assert str(consul.parse_address(text)) == expected


@pytest.mark.parametrize("text", ["", "null", '"null"', "None", '""'])
def test_nothing_is_no_address(text):
    assert consul.parse_address(text) is None


def test_a_port_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="is no host:port"):
        consul.parse_address("10.0.0.1:http")


def test_a_healthy_server_says_who_is_there(server, consul_cluster):
    consul_cluster.hosts.update(h2=4, h3=3)

    answer = ask(server)

    assert answer.view.server == "consul-1"
    assert answer.view.members == {
        "h1": MemberState.ALIVE,
        "h2": MemberState.FAILED,
        "h3": MemberState.LEFT,
    }
    assert (answer.view.servers_alive, answer.view.servers_total) == (3, 3)
    assert answer.view.agents_alive == 1
    assert answer.servers == {f"consul-{n}": f"127.0.1.{n}" for n in (1, 2, 3)}
    assert disbelief(answer.view) is None


def test_servers_are_never_hosts(server):
    server.believes["consul-2"] = 4

    answer = ask(server)

    assert not answer.view.members.keys() & answer.servers.keys()


def test_a_server_that_left_is_off_the_roll_and_a_failed_one_is_on_it(server):
    server.believes.update({"consul-2": 3, "consul-3": 4})

    answer = ask(server)

    assert set(answer.servers) == {"consul-1", "consul-3"}
    assert (answer.view.servers_alive, answer.view.servers_total) == (1, 2)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        pytest.param({"score": 4}, "health score 4", id="blind"),
        pytest.param({"leader": False}, "knows no leader", id="leaderless"),
        pytest.param({"last_contact_ms": 4001}, "silent for 4001 ms", id="stale"),
    ],
)
def test_the_signs_of_a_blind_server_reach_the_rules(server, fault, reason):
    for name, value in fault.items():
        setattr(server, name, value)

    assert reason in (disbelief(ask(server).view) or "")


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        pytest.param("failing", "answered 500", id="error"),
        pytest.param("filtered", "empty member list", id="token-without-rights"),
        pytest.param("garbled", "is not understood", id="malformed"),
    ],
)
def test_what_is_no_evidence_is_an_error(server, mood, words):
    server.mood = mood

    with pytest.raises(consul.ConsulSilentError, match=words):
        ask(server)


def test_a_hanging_server_is_given_its_budget_and_no_more(server):
    server.mood = "hanging"
    asked_s = time.monotonic()

    with pytest.raises(consul.ConsulSilentError, match="silent"):
        ask(server, budget_s=0.3)

    assert time.monotonic() - asked_s < server.hang_s


def test_nobody_listening_is_silence(free_port):
    with consul.open_session() as session, pytest.raises(consul.ConsulSilentError, match="silent"):
        consul.ask(
            session,
            address=consul.Address(host="127.0.0.1", port=free_port),
            network=Network.TENANT,
            budget_s=0.5,
        )


def test_a_proxy_in_the_environment_is_not_asked(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert ask(server).view.server == "consul-1"
