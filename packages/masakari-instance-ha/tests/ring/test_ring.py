# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The controller on a ring: who speaks, on what proof, and how a host comes back."""

from __future__ import annotations

import pytest

from instance_ha.model import IncidentState


def test_a_ring_without_a_quorum_acts_on_nobody(cloud):
    cloud.ring.quorate = False
    cloud.lose("h1")

    cloud.play(60)

    assert cloud.told() == []


def test_a_host_that_was_lost_before_anybody_watched_is_told_of(cloud):
    cloud.lose("h1")
    cloud.world.clock.sleep(300)

    cloud.play(10)

    assert cloud.told() == ["h1"]


def test_tools_that_hang_make_the_member_blind_and_nothing_else(cloud):
    cloud.play(10)
    cloud.ring.hangs = True
    cloud.lose("h1")

    cloud.play(60)

    assert cloud.told() == []
    assert cloud.watches["c1"].view is None
    assert cloud.watches["c1"].trouble == "it hangs"


def test_an_old_proof_of_a_host_that_runs_again_counts_no_more(cloud):
    cloud.lose("h1")
    cloud.world.machines["h1"].power_on()  # by hand, and its pacemaker_remote does not start
    cloud.world.clock.sleep(100)

    cloud.play(60)

    assert cloud.told() == []
    assert "nova has heard of its nova-compute since" in cloud.incident("h1").reason


def test_a_host_that_comes_back_is_put_to_work(recovering):
    recovering.lose("h1")
    recovering.play(60)
    assert recovering.incident("h1").state is IncidentState.RECOVERED

    recovering.world.machines["h1"].power_on()
    recovering.ring.rejoin("h1")
    recovering.play(60)

    assert recovering.incident("h1") is None
    assert recovering.told() == ["h1"]
    (back,) = [host for host in recovering.world.masakari.hosts() if host.name == "h1"]
    assert not back.on_maintenance
    assert back.service.enabled
    assert not back.service.forced_down


@pytest.mark.parametrize(
    "after_s",
    [pytest.param(7, id="while it recovers"), pytest.param(60, id="when it is recovered")],
)
def test_another_member_takes_over_and_tells_nobody_again(recovering, after_s):
    recovering.lose("h1")
    recovering.play(after_s)
    assert recovering.told() == ["h1"]

    recovering.ring.lost_members.add("c1")
    recovering.ring.dc = "c2"
    recovering.play(300)

    assert recovering.told() == ["h1"]
    assert recovering.incident("h1").state is IncidentState.RECOVERED

    recovering.world.machines["h1"].power_on()
    recovering.ring.rejoin("h1")
    recovering.play(60)

    assert recovering.incident("h1") is None
    (back,) = [host for host in recovering.world.masakari.hosts() if host.name == "h1"]
    assert not back.on_maintenance


@pytest.fixture
def returned_by_another(recovering):
    """c1 saw h1 lost and recovered; c2 took over and put it back to work."""
    recovering.lose("h1")
    recovering.play(60)
    recovering.decide("c2", lost=["c1"])
    recovering.play(30)
    recovering.return_of("h1")
    recovering.play(60)
    assert recovering.incident("h1") is None
    return recovering


def test_the_next_loss_is_recovered_by_the_member_that_saw_the_first_one(returned_by_another):
    ring = returned_by_another
    ring.world.nova.place("new-1", "h1")
    ring.decide("c1", lost=["c2"])
    ring.lose("h1")

    ring.play(120)

    assert ring.told() == ["h1", "h1"]
    assert not ring.world.nova.servers_on("h1")
    assert ring.incident("h1").state is IncidentState.RECOVERED


def test_an_operators_maintenance_outlasts_a_change_of_the_member_that_decides(
    returned_by_another,
):
    ring = returned_by_another
    ring.world.masakari.set_maintenance("h1", on=True)
    ring.decide("c1")

    ring.play(60)

    assert ring.host("h1").on_maintenance
    assert ring.incident("h1") is None


@pytest.mark.parametrize("back_first", [False, True], ids=["still away", "back already"])
def test_a_host_returns_though_the_member_that_decides_changed_twice(recovering, back_first):
    recovering.lose("h1")
    recovering.play(60)
    recovering.decide("c2", lost=["c1"])
    recovering.play(2)
    if back_first:
        recovering.return_of("h1")
    recovering.decide("c1")
    recovering.play(30)
    recovering.return_of("h1")

    recovering.play(60)

    back = recovering.host("h1")
    assert recovering.told() == ["h1"]
    assert not back.on_maintenance
    assert back.service.enabled


def test_a_member_that_cannot_ask_masakari_waits_with_what_it_left(returned_by_another):
    ring = returned_by_another
    ring.world.masakari.set_maintenance("h1", on=True)
    ring.decide("c1", lost=["c2"])
    ring.world.masakari.reachable = False
    ring.play(30)
    assert ring.incident("h1").state is IncidentState.RECOVERED, "nothing is decided yet"

    ring.world.masakari.reachable = True
    ring.play(30)

    assert ring.incident("h1") is None
    assert ring.host("h1").on_maintenance
