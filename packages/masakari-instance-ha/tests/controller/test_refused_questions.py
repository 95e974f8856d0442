# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Questions that the cloud declines: the controller waits for the answer and does not end."""

from __future__ import annotations

import pytest

from instance_ha.controller import Controller
from instance_ha.model import IncidentState
from instance_ha.simulation.gossip import SimObserver
from instance_ha.simulation.memory import LeaseRow, MemoryLease
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan
from masakari_instance_ha import assembly, connection
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.orphans import Orphans

REFUSED = [
    pytest.param(403, id="as a policy changed"),
    pytest.param(404, id="by what stands before the service"),
    pytest.param(429, id="as it is asked too often"),
]


class Attending:
    """A duty that asks how many servers are left."""

    name = "asking"
    every_s = 1.0

    def __init__(self, cloud: OpenStackCloud) -> None:
        self._cloud = cloud

    def attend(self, _) -> None:
        self._cloud.servers_on("h1")


@pytest.fixture
def world() -> SimWorld:
    hosts = tuple(HostPlan(name=name, servers=()) for name in ("h1", "h2", "h3"))
    return SimWorld(WorldPlan(hosts=hosts, controllers=()))


@pytest.fixture
def controller(world, openstack_cloud, configured, tmp_path):
    conf = configured()
    openstack_cloud.enrol("h1", "h2", "h3")
    cloud = OpenStackCloud(
        connection.connect(conf),
        clock=world.clock,
        orphans=Orphans(f"sqlite:///{tmp_path}/masakari.sqlite"),
        rules=assembly.rules(conf),
    )
    return Controller(
        clock=world.clock,
        observer=SimObserver(tuple(world.networks.values())),
        cloud=cloud,
        journal=world.journal,
        lease=MemoryLease(LeaseRow(), holder="me", clock=world.clock),
        policy=assembly.policy(conf),
        actor="controller@me",
        duties=[Attending(cloud)],
    )


@pytest.fixture
def play(world, controller):
    """Let seconds pass in which the controller ticks."""

    def seconds(number: int) -> None:
        for _ in range(number):
            controller.tick()
            world.advance()
            world.advance()

    return seconds


def asked(openstack_cloud, part: str) -> int:
    return sum(method == "GET" and part in path for method, path, _ in openstack_cloud.calls)


@pytest.mark.parametrize("status", REFUSED)
@pytest.mark.parametrize("question", ["/segments", "/notifications", "/os-services"])
def test_a_pass_goes_on_says_it_once_and_asks_again(
    world, play, openstack_cloud, caplog, question, status
):
    openstack_cloud.refusals["GET", question] = (status, "not for you")
    world.machines["h1"].power_off()

    play(25)

    told = [record.getMessage() for record in caplog.records if "not for you" in record.message]
    assert [text for text in told if text.startswith("pass: nothing is decided now")] == told
    assert len(told) == 1
    assert asked(openstack_cloud, question) > 10
    assert not world.journal.incidents()

    openstack_cloud.refusals.clear()
    play(1)

    assert world.journal.unclosed()["h1"].state is IncidentState.RECOVERING


@pytest.mark.parametrize("status", REFUSED)
def test_a_duty_that_is_declined_an_answer_keeps_nothing_else(
    world, play, openstack_cloud, caplog, status
):
    openstack_cloud.refusals["GET", "/servers/detail"] = (status, "not for you")
    world.machines["h2"].power_off()

    play(25)

    told = [record.getMessage() for record in caplog.records if "not for you" in record.message]
    assert told == ["the duty asking: waits: cannot list the servers on h1: not for you"]
    assert asked(openstack_cloud, "/servers/detail") > 10
    assert world.journal.unclosed()["h2"].state is IncidentState.RECOVERING
