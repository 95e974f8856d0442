# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What other systems take for a loss, or sleep through."""

from __future__ import annotations

import pytest

from instance_ha.matrix import default_matrix
from instance_ha.model import Action, Network, Reach
from instance_ha.simulation import acts
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan


def cloud(*, hosts: int = 4, **changes) -> SimWorld:
    """Return hosts with a server each, half a minute after the start."""
    plans = changes.pop(
        "plans", tuple(HostPlan(name=f"h{k}", servers=(f"vm-{k}",)) for k in range(1, hosts + 1))
    )
    world = SimWorld(WorldPlan(hosts=plans, **changes))
    play(world, 30)
    return world


def play(world: SimWorld, seconds: float) -> None:
    end_s = world.clock.now_s() + seconds
    while world.clock.now_s() < end_s:
        world.advance()
    assert not world.witness.broken


@pytest.mark.parametrize("act", [acts.silence, acts.blind], ids=["dead", "blind"])
@pytest.mark.parametrize("network", Network)
def test_t01_one_consul_server_lost_acts_on_nobody(act, network: Network):
    world = cloud()

    act(world, f"{network}-1")
    play(world, 120)

    assert acts.incidents(world) == "0"


@pytest.mark.parametrize("network", Network)
def test_t01_all_consul_servers_of_a_network_lost_act_on_nobody(network: Network):
    world = cloud()

    for k in (1, 2, 3):
        acts.silence(world, f"{network}-{k}")
    play(world, 120)

    assert acts.incidents(world) == "0"


def test_t02_a_host_that_lost_its_storage_keeps_its_servers_until_its_power_is_proven_off():
    """It runs on, and may write as soon as the storage is back."""
    world = cloud()
    acts.maas(world, "lying")
    acts.cut(world, "h1", "storage")
    play(world, 60)
    assert acts.evacuated(world) == "0"
    assert acts.servers_on(world, "h1") == "vm-1"

    acts.maas(world, "well")
    play(world, 60)

    assert acts.state_of(world, "h1") == "recovered"
    assert acts.servers_on(world, "h1") == "nothing"
    assert not world.machines["h1"].powered


def test_t03_a_host_that_returns_is_put_back_to_work_only_after_its_recovery():
    world = cloud()
    acts.before(world, "evacuate", "boot", "h1")
    acts.power_off(world, "h1")
    play(world, 180)

    assert acts.state_of(world, "h1") == "closed"
    assert acts.servers_on(world, "h1") == "nothing"
    assert acts.evacuated(world) == "1"


def test_t04_a_planned_stop_is_no_failure_however_long_it_lasts():
    world = cloud()

    acts.leave(world, "h1")
    play(world, 300)

    assert acts.notifications(world) == "0"


def test_t05_a_host_that_is_down_when_the_controller_starts_is_recovered():
    world = cloud()
    acts.kill(world, "controller", "masakari-0")
    acts.power_off(world, "h1")
    play(world, 60)

    acts.start(world, "controller", "masakari-0")
    play(world, 60)

    assert acts.state_of(world, "h1") == "recovered"


def test_t05_a_notification_that_could_not_be_sent_is_sent_later():
    world = cloud()
    acts.api(world, "down")
    acts.power_off(world, "h1")
    play(world, 60)
    assert acts.notifications(world) == "0"

    acts.api(world, "up")
    play(world, 60)

    assert acts.state_of(world, "h1") == "recovered"


def test_t06_a_host_on_maintenance_is_held_and_not_forgotten():
    world = cloud()
    acts.maintenance(world, "h1", "on")
    acts.power_off(world, "h1")
    play(world, 60)
    assert acts.state_of(world, "h1") == "held"

    acts.maintenance(world, "h1", "off")
    play(world, 60)

    assert acts.state_of(world, "h1") == "recovered"


@pytest.mark.parametrize("away", [Network.STORAGE, Network.TENANT])
def test_t07_a_network_that_does_not_answer_flips_no_policy(away: Network):
    """Built from the networks that answer, the matrix would recover on management alone."""
    world = cloud()
    for k in (1, 2, 3):
        acts.silence(world, f"{away}-{k}")
    play(world, 30)

    acts.cut(world, "h1", "management")
    play(world, 120)

    assert acts.incidents(world) == "0"


@pytest.mark.parametrize("network", Network)
def test_t08_a_host_that_one_network_does_not_name_is_judged_by_the_others(network: Network):
    matrix = default_matrix(tuple(Network))
    others = {n: Reach.DOWN for n in Network if n is not network}

    lost = matrix.action(others)

    assert lost is (Action.NONE if network is Network.STORAGE else Action.RECOVERY)
    assert not matrix.alive(others)


def test_t09_a_host_whose_notification_is_refused_delays_no_other():
    world = cloud(hosts=6)
    acts.maintenance(world, "h1", "on")
    acts.power_off(world, "h1")
    play(world, 60)
    assert acts.state_of(world, "h1") == "held"

    acts.power_off(world, "h2")
    play(world, 25)

    assert acts.state_of(world, "h2") == "recovered"
    assert acts.state_of(world, "h1") == "held"
