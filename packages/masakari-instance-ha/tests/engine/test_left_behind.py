# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Rebuilds that Nova calls failed: some of them have left a guest, all of them end late."""

from __future__ import annotations

import pytest

from masakari_instance_ha.evacuation import Outcome

from .nova_cloud import FakeMigration


def test_a_rebuild_that_failed_with_its_guest_running_is_ordered_nowhere_else(
    cloud, evacuate
) -> None:
    cloud.boot("a")
    cloud.unwritten.add("a")

    moves = [evacuate()["a"], evacuate(target="h3")["a"]]

    assert cloud.runs_on == {"a": "h2"}
    assert {move.outcome for move in moves} == {Outcome.FAILED}
    assert {host for _, host in cloud.orders[1:]} == {"h2"}
    for move in moves:
        assert "it may run on h2: look there (virsh list --all)" in move.problem


def test_it_moves_on_once_the_host_with_the_guest_is_fenced(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.unwritten.add("a")
    evacuate()
    cloud.hosts["h2"].forced_down = True

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")


def test_of_two_hosts_that_may_run_it_none_gets_an_order(cloud, clock, evacuate) -> None:
    began_s = clock.now_s()
    cloud.boot("a", launched_at_s=began_s, vm_state="error")
    cloud.migrated += [
        FakeMigration(n, "a", "h1", to, began_s, "active", status="failed", failed_at_s=began_s)
        for n, to in enumerate(["h2", "h3"])
    ]

    move = evacuate()["a"]

    assert move.outcome is Outcome.FAILED
    assert "it may run on h2 or h3: look there" in move.problem
    assert cloud.orders == []


def test_a_hypervisor_that_has_the_server_is_the_only_one_that_is_asked_again(
    cloud, clock, evacuate
) -> None:
    cloud.boot("a", vm_state="error", fault="Instance a already exists.")
    cloud.migrated.append(
        FakeMigration(0, "a", "h1", "h2", 500.0, "active", status="failed", failed_at_s=501.0)
    )

    evacuate()

    assert {host for _, host in cloud.orders} == {"h2"}


def test_nothing_is_ordered_while_nova_takes_back_what_failed(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts = {"h2"}
    cloud.tells_late_s = 20

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")
    first, second = cloud.order_times_s
    assert second - first >= 20


@pytest.mark.parametrize(("fails_in", "goal"), [("rebuild_spawning", "h2"), ("rebuilding", "h3")])
def test_what_nova_never_takes_back_is_ordered_again_where_no_twin_can_be(
    cloud, evacuate, fails_in, goal
) -> None:
    cloud.boot("a")
    cloud.broken_hosts = {"h2"}
    cloud.fails_in, cloud.tells_late_s = fails_in, 10_000

    evacuate()

    first, second, *_ = cloud.order_times_s
    assert second - first >= 90
    assert cloud.orders[1] == ("a", goal)


def test_after_a_slow_failure_too_the_next_try_goes_to_another_host(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts, cloud.fails_after_s = {"h2"}, 305

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")
    assert cloud.orders == [("a", None), ("a", "h3")]


def test_each_order_has_the_whole_deadline(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts, cloud.fails_after_s = {"h2", "h3"}, 305

    move = evacuate()["a"]

    assert move.outcome is Outcome.FAILED
    assert len(cloud.orders) == 3
    assert "Build of instance aborted" in move.problem, "it failed, and did not hang"
