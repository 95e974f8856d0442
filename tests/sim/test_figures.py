# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How often hosts that are well are acted upon: never."""

from __future__ import annotations

import random

from instance_ha.simulation import acts
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

FLAPS = 200
RETURNS = 50
HOSTS = tuple(HostPlan(name=f"h{k}", servers=(f"a-{k}",)) for k in range(1, 6))


def let_pass(world: SimWorld, seconds: float) -> None:
    until_s = world.clock.now_s() + seconds
    while world.clock.now_s() < until_s:
        world.advance()


def test_no_flap_of_one_to_ten_seconds_is_acted_upon():
    """The storage network of a live host comes and goes: the one loss that asks for recovery."""
    chance = random.Random(20)
    world = SimWorld(WorldPlan(hosts=HOSTS))
    let_pass(world, 20.0)

    for _ in range(FLAPS):
        host = chance.choice(HOSTS).name
        acts.cut(world, host, "storage")
        let_pass(world, chance.randint(2, 20) / 2)
        acts.heal(world, host, "storage")
        let_pass(world, chance.randint(2, 60) / 2)

    assert not world.masakari.all_notifications()
    assert not world.witness.broken


def test_no_return_of_an_isolated_host_is_acted_upon():
    """A host that comes back spreads rumours: members that are well are failed, for a moment."""
    chance = random.Random(21)
    world = SimWorld(WorldPlan(hosts=HOSTS))
    let_pass(world, 20.0)

    for _ in range(RETURNS):
        host, network = chance.choice(HOSTS).name, chance.choice(["management", "tenant"])
        acts.cut(world, host, network)
        let_pass(world, 20.0)
        acts.heal(world, host, network)
        for other in HOSTS:
            for rumoured in ("management", "tenant", "storage"):
                acts.rumour(world, other.name, rumoured, str(chance.uniform(0.02, 1.3)))
        let_pass(world, 15.0)

    assert not world.masakari.all_notifications()
    assert not world.witness.broken
