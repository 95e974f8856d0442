# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where a failed server goes next, in which order servers go, and which stay with their disk."""

from __future__ import annotations

import pytest

from instance_ha.order import Place
from masakari_instance_ha.evacuation import EndsAs, Outcome

from .evacuating import outcomes, states


def test_after_a_failure_the_next_try_goes_to_another_host(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts = {"h2"}

    move = evacuate()["a"]

    assert (move.outcome, move.destination) == (Outcome.SUCCEEDED, "h3")
    assert cloud.orders == [("a", None), ("a", "h3")]


def test_a_reserve_that_fails_is_tried_again_and_nothing_else(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts = {"h3"}

    assert evacuate(target="h3")["a"].outcome is Outcome.FAILED
    assert cloud.orders == [("a", "h3")] * 3


def test_where_no_other_host_is_left_the_scheduler_chooses(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.hosts["h3"].status = "disabled"
    cloud.broken_hosts = {"h2"}

    evacuate()

    assert cloud.orders == [("a", None)] * 3


def test_each_try_waits_twice_as_long_as_the_one_before(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.no_valid_host["a"] = 99

    evacuate()

    first, second, third = cloud.order_times_s
    assert second - first >= 5
    assert third - second >= 10


def test_orders_may_be_staggered(cloud, evacuate) -> None:
    for uuid in ("a", "b", "c"):
        cloud.boot(uuid)

    evacuate(stagger_s=4)

    first, second, third = cloud.order_times_s
    assert (second - first, third - second) == (4, 4)


def test_staggered_orders_of_one_look_keep_their_distance(cloud, clock, evacuate) -> None:
    for uuid in ("a", "b", "c", "d"):
        cloud.boot(uuid)
    pauses_s: list[float] = []
    sleep = clock.sleep

    def note(seconds: float) -> None:
        pauses_s.append(seconds)
        sleep(seconds)

    clock.sleep = note
    evacuate(stagger_s=0.25)

    assert pauses_s[:3] == [0.25] * 3, "one before each order but the first"
    assert pauses_s[3:] == [1.0] * len(pauses_s[3:]), "then only between looks"


def test_a_group_waits_until_its_higher_priorities_have_arrived(cloud, evacuate) -> None:
    for uuid in ("base", "other", "shop"):
        cloud.boot(uuid)
    places = {"base": Place(priority=2, group="g"), "shop": Place(priority=1, group="g")}

    evacuate(places=places)

    times = dict(zip((uuid for uuid, _ in cloud.orders), cloud.order_times_s, strict=True))
    assert times["other"] == times["base"]
    assert times["shop"] - times["base"] >= cloud.rebuild_s


def test_a_group_goes_on_without_a_member_that_cannot_move(cloud, evacuate) -> None:
    cloud.boot("base")
    cloud.boot("shop")
    cloud.no_valid_host["base"] = 99
    places = {"base": Place(priority=2, group="g"), "shop": Place(priority=1, group="g")}

    moves = evacuate(places=places)

    assert outcomes(moves) == {"base": Outcome.FAILED, "shop": Outcome.SUCCEEDED}


def test_a_server_whose_disk_is_lost_is_called_what_it_was_and_tried_once(cloud, evacuate) -> None:
    cloud.shared_disks = False
    cloud.boot("a", image="cirros")
    cloud.boot("b", image="cirros", vm_state="error")

    moves = evacuate(asks=True)

    assert set(outcomes(moves).values()) == {Outcome.IGNORED}
    assert states(cloud) == {"a": ("h1", "active"), "b": ("h1", "error")}
    assert sorted(cloud.orders) == [("a", None), ("b", None)]


def test_what_a_killed_engine_learnt_of_a_lost_disk_is_read_off_nova(
    cloud, clock, report, evacuate
) -> None:
    cloud.shared_disks = False
    cloud.boot("a", image="cirros")
    report.passes_left = 1
    with pytest.raises(InterruptedError):
        evacuate(asks=True)
    report.passes_left = 100
    clock.sleep(10)
    assert cloud.get("a").vm_state == "error"

    evacuate(asks=True, ends_as={"a": EndsAs.ACTIVE})

    assert states(cloud) == {"a": ("h1", "active")}
    assert len(cloud.orders) == 1
