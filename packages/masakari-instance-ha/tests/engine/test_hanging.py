# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Evacuations that Nova forgot, lost sight of, or works on without end."""

from __future__ import annotations

import pytest

from masakari_instance_ha.evacuation import Outcome


def test_an_order_that_no_compute_took_is_given_again(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="accepted")

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert len(cloud.orders) == 2
    assert clock.now_s() - 1000 >= 90, "not before a compute had time to take it"


@pytest.mark.parametrize("target", [None, "h3"])
def test_a_rebuild_that_hangs_on_a_living_host_is_ordered_there_alone(
    cloud, clock, evacuate, target
) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    began_on = target or "h2"

    move = evacuate(target=target)["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, began_on)
    assert cloud.orders == [("a", target), ("a", began_on)], "the guest may run there already"
    assert 600 <= clock.now_s() - 1000 < 640


def test_a_reserve_does_not_get_what_hangs_elsewhere(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    cloud.left_there.add(("a", "h2"))
    evacuate()
    cloud.left_there.clear()

    move = evacuate(target="h3")["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h2")


def test_an_older_order_that_began_late_is_not_disturbed(cloud, clock, evacuate, report) -> None:
    """Nova works by the oldest record that is accepted, whichever order it was."""
    a = cloud.boot("a")
    cloud.stick("a", at="accepted")
    order = cloud.evacuate

    def begin_the_first(uuid, **how) -> None:
        order(uuid, **how)
        first, *more = cloud.migrated
        for newer in more:
            newer.ordered_at_s = 1e9  # nobody comes to it
            first.status, first.dest_compute = "pre-migrating", "h2"

    def end_it_late() -> None:
        if clock.now_s() - 1000 > 400:
            cloud.migrated[0].status, a.host = "done", "h2"
            a.vm_state, a.task_state = "active", None

    cloud.evacuate, report.going_on = begin_the_first, end_it_late

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h2")
    assert len(cloud.orders) == 2, "the first, and the one with which Nova began"


def test_a_server_that_arrives_by_an_older_order_is_seen_at_once(
    cloud, clock, evacuate, report
) -> None:
    server = cloud.boot("a")
    cloud.no_valid_host["a"] = 1
    cloud.rebuild_s = 1000  # the second order's record tells of nothing
    passes = report.going_on

    def arrive() -> None:
        passes()
        if len(cloud.orders) == 2:
            server.host, server.vm_state, server.task_state = "h2", "active", None

    report.going_on = arrive

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert clock.now_s() - cloud.order_times_s[1] <= 2


def test_a_claim_that_a_forgotten_rebuild_left_is_released_first(cloud, evacuate) -> None:
    cloud.boot("a", image="cirros")
    cloud.stick("a", at="pre-migrating")

    move = evacuate(asks=True)["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h2")
    assert [migration.status for migration in cloud.migrated] == ["pre-migrating", "done"]
    assert cloud.placement.claimed["a"] == {"h2"}


def test_a_claim_that_is_not_released_leaves_the_server_where_it_is(cloud, evacuate) -> None:
    cloud.boot("a", image="cirros")
    cloud.stick("a", at="pre-migrating")
    cloud.placement.refuses = 403

    move = evacuate(asks=True)["a"]

    assert move.outcome is Outcome.FAILED
    assert "placement does not GET /resource_providers?name=h2: HTTP 403" in move.problem
    assert len(cloud.orders) == 1


def test_a_server_that_a_hypervisor_has_already_is_ordered_nowhere_else(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    cloud.left_there.add(("a", "h2"))

    moves = [evacuate()["a"], evacuate()["a"]]

    assert {move.outcome for move in moves} == {Outcome.FAILED}
    for move in moves:
        assert "Instance a already exists" in move.problem
        assert "it may run on h2: look there (virsh list --all)" in move.problem
    assert {host for _, host in cloud.orders[1:]} == {"h2"}


def test_a_server_that_may_be_on_a_host_moves_on_once_that_is_fenced(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    cloud.left_there.add(("a", "h2"))
    evacuate()
    cloud.hosts["h2"].forced_down = True

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")


def test_a_rebuild_that_hangs_again_is_reported(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    cloud.rebuild_s = 10_000

    move = evacuate()["a"]

    assert move.outcome is Outcome.FAILED
    assert "evacuation 2 to h2 is pre-migrating" in move.problem
    assert len(cloud.orders) == 2
    assert 1200 <= clock.now_s() - 1000 < 1240


def test_a_rebuild_on_a_host_that_was_fenced_meanwhile_is_ordered_again(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")
    real = cloud.list_services

    def fence_h2(**query):
        cloud.hosts["h2"].forced_down = True
        return real(**query)

    cloud.list_services = fence_h2

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")
