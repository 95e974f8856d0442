# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What one pass of the controller costs with 1,000 hosts on three networks."""

from __future__ import annotations

import resource
import statistics
import time

import pytest

from instance_ha.model import IncidentState
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

HOSTS = 1000
PER_SEGMENT = 20
SERVERS_A_HOST = 5
TICKS = 20

pytestmark = pytest.mark.bench


def cloud() -> SimWorld:
    """Return a cloud with its controller, all well."""
    hosts = tuple(
        HostPlan(
            name=f"node-{k:04}",
            segment=f"rack-{k // PER_SEGMENT:02}",
            servers=tuple(f"vm-{k:04}-{n}" for n in range(SERVERS_A_HOST)),
        )
        for k in range(HOSTS)
    )
    world = SimWorld(WorldPlan(hosts=hosts))
    run(world, until_s=10.0)
    return world


def run(world: SimWorld, *, until_s: float) -> None:
    while world.clock.now_s() < until_s:
        world.advance()


def tick_cpu_s(world: SimWorld) -> float:
    """Return the median CPU time of a pass, the agreement of nine Consul servers included."""
    controller = world.controllers["masakari-0"]
    spent: list[float] = []
    for _ in range(TICKS):
        began_s = time.process_time()
        controller.tick()
        spent.append(time.process_time() - began_s)
    return statistics.median(spent)


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(0, id="all well"),
        pytest.param(10, id="ten hosts lost"),
        pytest.param(HOSTS * 2 // 5, id="two fifths lost"),
    ],
)
def test_a_pass_over_a_thousand_hosts(lost: int, capsys: pytest.CaptureFixture[str]):
    world = cloud()
    step = HOSTS // lost if lost else 0
    for k in range(lost):
        world.machines[f"node-{k * step:04}"].power_off()
    run(world, until_s=22.0)

    cpu_s = tick_cpu_s(world)

    incidents = world.journal.unclosed().values()
    with capsys.disabled():
        print(f"\ntick  {HOSTS} hosts, {lost} lost: {1000 * cpu_s:.0f} ms CPU", end=" ")  # noqa: T201
    assert len(incidents) == lost
    assert all(incident.state is not IncidentState.OPEN for incident in incidents)


def test_the_memory_of_a_thousand_hosts(capsys: pytest.CaptureFixture[str]):
    cloud()

    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    with capsys.disabled():
        print(  # noqa: T201
            f"\nmemory  {HOSTS} hosts: {peak_mb:.0f} MB for Python, pytest, the simulated cloud "
            "and the controller",
            end=" ",
        )
    assert peak_mb > 0
