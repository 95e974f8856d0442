# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from instance_ha.model import Network, Reach
from masakari_instance_ha import consul
from masakari_instance_ha.observer import Cluster, ConsulObserver
from masakari_instance_ha.reader import Pace

QUICK = Pace(alert_s=0.05, budget_s=0.8, wait_s=0)

UP, DOWN, LEFT, UNKNOWN = Reach.UP, Reach.DOWN, Reach.LEFT, Reach.UNKNOWN


@pytest.fixture
def watch():
    """Observe a cluster, quickly; every reader ends with the test."""
    running = []

    def start(*servers, network=Network.STORAGE, **options):
        cluster = Cluster(
            network,
            [consul.parse_address(server.url) for server in servers],
            **{"pace": QUICK, **options},
        )
        running.append(cluster)
        return cluster

    yield start
    for cluster in running:
        cluster.stop()


def test_the_other_servers_are_found_from_one(consul_cluster, watch, eventually):
    cluster = watch(consul_cluster.servers[0])

    eventually(lambda: cluster.judge() == dict.fromkeys(("h1", "h2", "h3"), UP), "all up")

    assert cluster.size() == 3


def test_without_discovery_only_the_configured_are_asked(consul_cluster, watch, eventually):
    cluster = watch(consul_cluster.servers[0], discover=False)

    eventually(lambda: bool(cluster.judge()), "an answer")
    time.sleep(0.2)

    assert not consul_cluster.servers[1].asked
    assert set(cluster.judge().values()) == {UNKNOWN}, "one of three is no majority"


def test_a_failed_host_is_down(consul_cluster, watch, eventually):
    cluster = watch(*consul_cluster.servers)
    consul_cluster.hosts["h2"] = 4

    eventually(lambda: cluster.judge() == {"h1": UP, "h2": DOWN, "h3": UP}, "h2 down")


def test_one_server_that_says_alive_holds_everything(consul_cluster, watch, eventually):
    cluster = watch(*consul_cluster.servers)
    consul_cluster.hosts["h2"] = 4
    consul_cluster.servers[2].believes["h2"] = 1

    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    eventually(lambda: cluster.judge()["h2"] is UNKNOWN, "the one that says alive is heard")


def test_blind_servers_bring_nobody_down(consul_cluster, watch, eventually, caplog):
    for server in consul_cluster.servers:
        server.score, server.believes = 7, dict.fromkeys(("h1", "h2"), 4)
    cluster = watch(*consul_cluster.servers)

    eventually(lambda: len(cluster.judge()) == 3, "an answer")
    time.sleep(0.3)

    assert set(cluster.judge().values()) == {UNKNOWN}
    assert "is not believed: its gossip is ill: health score 7" in caplog.text

    for server in consul_cluster.servers:
        server.score = 0

    eventually(lambda: cluster.judge() == {"h1": DOWN, "h2": DOWN, "h3": UP}, "believed again")


@pytest.mark.parametrize("mood", ["hanging", "failing", "filtered", "garbled"])
def test_t01_losing_one_server_neither_acts_nor_blinds(consul_cluster, watch, eventually, mood):
    cluster = watch(*consul_cluster.servers)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    consul_cluster.servers[0].mood = mood
    consul_cluster.hosts["h3"] = 4

    eventually(lambda: cluster.judge().get("h3") is DOWN, "h3 down, by two of three")


def test_losing_the_majority_of_servers_makes_everything_unknown(
    consul_cluster, watch, eventually
):
    cluster = watch(*consul_cluster.servers)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")
    consul_cluster.hosts["h1"] = 4

    for server in consul_cluster.servers[:2]:
        server.mood = "failing"

    eventually(lambda: set(cluster.judge().values()) == {UNKNOWN}, "nothing known")
    time.sleep(0.5)
    assert set(cluster.judge().values()) == {UNKNOWN}
    assert cluster.size() == 3


def test_a_server_that_never_answered_counts_for_the_majority(consul_cluster, watch, eventually):
    for server in consul_cluster.servers[1:]:
        server.mood = "failing"
    alone = consul_cluster.servers[0]
    alone.believes.update({"consul-2": 3, "consul-3": 3, "h1": 4})  # as if it had none
    cluster = watch(*consul_cluster.servers)

    eventually(lambda: bool(cluster.judge()), "an answer")

    assert cluster.size() == 3
    assert cluster.judge()["h1"] is UNKNOWN


def nobody_at(server):
    """Return an address of the cluster where no server listens."""
    return Absent(url=f"127.0.1.99:{server.cluster.port}")


@dataclass(frozen=True, kw_only=True)
class Absent:
    url: str


def test_an_address_dead_from_the_start_costs_no_spare_server_for_ever(
    consul_cluster, watch, eventually, caplog
):
    first = consul_cluster.servers[0]
    cluster = watch(nobody_at(first), first, strike_after_s=1.0)
    eventually(lambda: bool(cluster.judge()) and cluster.size() == 4, "it counts at first")

    eventually(lambda: bool(cluster.judge()) and cluster.size() == 3, "the dead one struck off")
    consul_cluster.servers[2].mood = "failing"
    consul_cluster.hosts["h2"] = 4

    eventually(lambda: cluster.judge().get("h2") is DOWN, "h2 down, by two of three")
    assert "nobody has ever answered at 127.0.1.99" in caplog.text
    assert "correct [instance_ha_consul] storage" in caplog.text


def test_a_lone_server_with_one_dead_address_beside_it_decides_in_the_end(
    consul_cluster, watch, eventually
):
    lone = consul_cluster.servers[0]
    lone.believes.update({"consul-2": 3, "consul-3": 3, "h1": 4})
    cluster = watch(nobody_at(lone), lone, strike_after_s=0.3)
    eventually(lambda: bool(cluster.judge()), "an answer")
    assert cluster.judge()["h1"] is UNKNOWN

    eventually(lambda: cluster.judge().get("h1") is DOWN, "h1 down")


def test_t01_a_lone_server_never_stands_for_a_majority_that_is_away(
    consul_cluster, watch, eventually
):
    for server in consul_cluster.servers[1:]:
        server.mood = "failing"
    alone = consul_cluster.servers[0]
    alone.believes.update({"consul-2": 3, "consul-3": 3, "h1": 4})  # as if it had none
    cluster = watch(*consul_cluster.servers, strike_after_s=0.1)
    eventually(lambda: bool(cluster.judge()), "an answer")

    for _ in range(8):
        time.sleep(0.1)
        assert cluster.judge()["h1"] is UNKNOWN


def test_a_server_that_comes_late_is_met_where_it_was_configured(
    consul_cluster, watch, eventually
):
    late = consul_cluster.servers[2]
    late.mood = "failing"
    for server in consul_cluster.servers[:2]:
        server.believes["consul-3"] = 3
    cluster = watch(*consul_cluster.servers, discover=False, strike_after_s=0.2)
    eventually(lambda: bool(cluster.judge()) and cluster.size() == 2, "struck off")

    late.mood = "well"
    for server in consul_cluster.servers[:2]:
        server.believes.clear()

    eventually(lambda: bool(cluster.judge()) and cluster.size() == 3, "met")


def test_a_planned_smaller_cluster_still_decides(consul_cluster, watch, eventually):
    cluster = watch(*consul_cluster.servers)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    consul_cluster.servers[2].mood = "failing"
    for server in consul_cluster.servers[:2]:
        server.believes["consul-3"] = 3
    consul_cluster.hosts["h1"] = 4

    eventually(lambda: cluster.judge().get("h1") is DOWN and cluster.size() == 2, "h1 down")


def test_two_addresses_of_one_server_are_one_voice(consul_cluster, watch, eventually):
    lone = consul_cluster.servers[0]
    cluster = watch(lone, lone, discover=False)
    consul_cluster.hosts["h1"] = 4

    eventually(lambda: bool(cluster.judge()), "an answer")

    assert cluster.judge()["h1"] is UNKNOWN


def test_an_old_answer_is_no_answer(consul_cluster, watch, eventually):
    cluster = watch(*consul_cluster.servers)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    for server in consul_cluster.servers:
        server.mood = "hanging"

    eventually(lambda: not cluster.judge(), "no voice left")


def test_t09_a_pass_never_waits_for_a_server(consul_cluster, watch, eventually):
    storage = watch(*consul_cluster.servers)
    observer = ConsulObserver([storage])
    for server in consul_cluster.servers:
        server.mood = "hanging"
    time.sleep(0.1)

    began_s = time.monotonic()
    observer.observe()

    assert time.monotonic() - began_s < server.hang_s / 2


def test_networks_are_told_apart(consul_cluster, watch, eventually):
    observer = ConsulObserver(
        [
            watch(*consul_cluster.servers, network=Network.MANAGEMENT),
            watch(consul_cluster.servers[0], network=Network.STORAGE, discover=False),
        ]
    )

    eventually(
        lambda: observer.observe().get("h1") == {Network.MANAGEMENT: UP, Network.STORAGE: UNKNOWN},
        "management up, storage unknown",
    )


def test_a_server_that_moved_is_read_where_it_is_now(consul_cluster, watch, eventually):
    first, _, third = consul_cluster.servers
    cluster = watch(first)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    for server in consul_cluster.servers:
        server.believes["consul-3"] = 3
    eventually(lambda: bool(cluster.judge()) and cluster.size() == 2, "the third struck off")
    time.sleep(0.3)
    before = third.asked
    time.sleep(0.3)
    assert third.asked == before, "nobody asks it any more"

    for server in consul_cluster.servers:
        server.believes.clear()
    eventually(lambda: bool(cluster.judge()) and third.asked > before, "asked again")


def test_an_error_that_nobody_expects_does_not_blind_in_silence(
    consul_cluster, watch, eventually, monkeypatch
):
    def broken(*_, **__):
        raise LookupError("a bug")

    monkeypatch.setattr(consul, "ask", broken)
    cluster = watch(*consul_cluster.servers)
    time.sleep(0.1)

    with pytest.raises(LookupError, match="a bug"):
        cluster.judge()


def test_readers_end_when_told(consul_cluster, watch, eventually):
    cluster = watch(*consul_cluster.servers)
    eventually(lambda: cluster.judge().get("h1") is UP and len(cluster.heard()) == 3, "all voices")

    ConsulObserver([cluster]).stop()
    time.sleep(0.3)
    asked = [server.asked for server in consul_cluster.servers]
    time.sleep(0.3)

    assert [server.asked for server in consul_cluster.servers] == asked
