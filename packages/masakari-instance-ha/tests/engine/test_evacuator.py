# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.evacuation import EndsAs, Outcome

from .evacuating import outcomes, states


def test_every_server_is_ordered_once_and_followed_until_it_has_arrived(
    cloud, clock, report, evacuate
) -> None:
    for uuid in ("a", "b", "c", "d"):
        cloud.boot(uuid)

    moves = evacuate()

    assert states(cloud) == dict.fromkeys("abcd", ("h2", "active"))
    assert set(outcomes(moves).values()) == {Outcome.SUCCEEDED}
    assert {move.destination for move in moves.values()} == {"h2"}
    assert sorted(cloud.orders) == [(uuid, None) for uuid in "abcd"]
    assert sorted(report.ordered_servers) == sorted(report.ended_servers) == list("abcd")
    assert clock.now_s() - 1000 <= cloud.rebuild_s + 3, "a pass or two after Nova is done"


def test_all_go_to_the_target_if_there_is_one(cloud, evacuate) -> None:
    cloud.boot("a")

    assert evacuate(target="h3")["a"].destination == "h3"
    assert cloud.orders == [("a", "h3")]


def test_no_more_than_allowed_are_moved_at_once(cloud, evacuate) -> None:
    for number in range(7):
        cloud.boot(f"s{number}")

    moves = evacuate(at_once=2)

    assert set(outcomes(moves).values()) == {Outcome.SUCCEEDED}
    assert cloud.most_at_once == 2


def test_nor_more_when_one_of_them_is_tried_again(cloud, evacuate) -> None:
    for uuid in ("a", "b", "c"):
        cloud.boot(uuid)
    cloud.no_valid_host["a"] = 1
    cloud.rebuild_s = 30

    moves = evacuate(at_once=2)

    assert set(outcomes(moves).values()) == {Outcome.SUCCEEDED}
    assert cloud.most_at_once == 2


def test_nova_is_asked_for_little(cloud, evacuate) -> None:
    cloud.rebuild_s = 30
    for number in range(12):
        cloud.boot(f"s{number}")

    moves = evacuate(at_once=4)

    assert set(outcomes(moves).values()) == {Outcome.SUCCEEDED}
    assert cloud.times_listed == 1
    in_the_test, before_the_order, once_it_is_done = 1, 1, 1
    most = max(cloud.times_read.values())
    assert most <= in_the_test + before_the_order + once_it_is_done


def test_the_end_of_an_evacuation_is_looked_at_at_once(cloud, clock, evacuate) -> None:
    cloud.boot("a")

    evacuate()

    told_s = cloud.rebuild_s + 1  # Nova calls it active, and done one look later
    assert clock.now_s() - 1000 == told_s, "no pause between the record and the server"


def test_a_server_that_waits_for_its_turn_may_be_gone_by_then(cloud, report, evacuate) -> None:
    for uuid in ("a", "b"):
        cloud.boot(uuid)
    passes = report.going_on

    def delete() -> None:
        passes()
        if cloud.orders:
            cloud.known.pop("b", None)

    report.going_on = delete
    moves = evacuate(at_once=1)

    assert outcomes(moves) == {"a": Outcome.SUCCEEDED, "b": Outcome.IGNORED}
    assert [uuid for uuid, _ in cloud.orders] == ["a"]


def test_what_a_killed_engine_left_is_followed_and_not_ordered_again(
    cloud, report, evacuate
) -> None:
    cloud.boot("a")
    cloud.boot("b")
    report.passes_left = 2
    with pytest.raises(InterruptedError):
        evacuate()
    report.passes_left = 100

    moves = evacuate()

    assert set(outcomes(moves).values()) == {Outcome.SUCCEEDED}
    assert sorted(cloud.orders) == [("a", None), ("b", None)]


def test_an_order_whose_answer_is_lost_is_not_given_again(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.lost_answers["a"] = 1

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert cloud.orders == [("a", None)]


def test_an_order_that_never_arrived_is_given_again(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.lost_orders["a"] = 5

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert cloud.orders == [("a", None)]


def test_a_try_that_fails_is_followed_by_another(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.no_valid_host["a"] = 2

    move = evacuate()["a"]

    assert (move.outcome, move.tries, move.problem) == (Outcome.SUCCEEDED, 3, "")
    assert states(cloud) == {"a": ("h2", "active")}, "active before, so active again"
    assert cloud.stopped == []


def test_a_server_that_cannot_move_is_given_up_with_the_words_of_nova(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.boot("b")
    cloud.no_valid_host["a"] = 99

    moves = evacuate()

    assert outcomes(moves) == {"a": Outcome.FAILED, "b": Outcome.SUCCEEDED}
    assert "No valid host was found." in moves["a"].problem
    assert [uuid for uuid, _ in cloud.orders].count("a") == 3


def test_a_nova_that_believes_the_host_alive_is_quoted(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.hosts["h1"].forced_down = False

    move = evacuate()["a"]

    assert move.outcome is Outcome.FAILED
    assert "still in use" in move.problem
    assert cloud.orders == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param({"vm_state": "active"}, "active", id="active"),
        pytest.param({"task_state": "rebooting"}, "active", id="active, rebooting"),
        pytest.param({"vm_state": "stopped"}, "stopped", id="stopped"),
        pytest.param(
            {"vm_state": "stopped", "task_state": "powering-on"}, "stopped", id="being started"
        ),
        pytest.param({"vm_state": "error"}, "error", id="error"),
        pytest.param({"vm_state": "paused"}, "stopped", id="paused"),
        pytest.param({"vm_state": "rescued"}, "stopped", id="rescued"),
        pytest.param({"vm_state": "resized"}, "active", id="resized"),
        pytest.param({"vm_state": "resized", "power_state": 4}, "stopped", id="resized, off"),
        pytest.param({"vm_state": "building", "task_state": "spawning"}, "stopped", id="building"),
        pytest.param({"task_state": "rebuild_spawning"}, "active", id="its owner's rebuild"),
    ],
)
def test_a_server_is_left_as_it_was(cloud, evacuate, before, after) -> None:
    cloud.boot("a", **before)

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert states(cloud) == {"a": ("h2", after)}
    assert len(cloud.orders) == 1


def test_a_server_that_was_active_before_the_first_try_ends_active(cloud, evacuate) -> None:
    cloud.boot("a", vm_state="error", fault="No valid host was found.")

    evacuate(ends_as={"a": EndsAs.ACTIVE})

    assert states(cloud) == {"a": ("h2", "active")}


def test_what_the_owner_does_after_the_arrival_is_left_alone(cloud, evacuate) -> None:
    cloud.boot("a", "h2", vm_state="paused")

    assert evacuate(ends_as={"a": EndsAs.ACTIVE})["a"].outcome is Outcome.SUCCEEDED
    assert states(cloud) == {"a": ("h2", "paused")}
    assert cloud.orders == []


def test_a_server_that_breaks_on_arrival_is_reported(cloud, evacuate) -> None:
    cloud.boot("a", "h2", vm_state="error", fault="no such image")

    move = evacuate(ends_as={"a": EndsAs.ACTIVE})["a"]

    assert (move.outcome, move.destination) == (Outcome.FAILED, "h2")
    assert "no such image" in move.problem


def test_the_reason_is_awaited_that_nova_tells_after_the_failure(cloud, evacuate) -> None:
    cloud.boot("a")
    cloud.broken_hosts, cloud.tells_late_s = {"h2", "h3"}, 3.0

    move = evacuate()["a"]

    assert (move.outcome, move.tries) == (Outcome.FAILED, 3)
    assert "is failed: Build of instance aborted" in move.problem


def test_a_server_that_is_deleted_meanwhile_had_not_to_move(cloud, evacuate, report) -> None:
    cloud.boot("a")
    cloud.boot("b")
    report.going_on = lambda: cloud.known.pop("a", None)

    moves = evacuate()

    assert outcomes(moves) == {"a": Outcome.IGNORED, "b": Outcome.SUCCEEDED}


def test_a_nova_that_is_away_for_a_while_costs_only_that_while(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.rebuild_s = 10
    real_sleep = clock.sleep

    def cut_once(seconds: float) -> None:
        if cloud.orders and not cloud.silent_until_s:
            cloud.silent_until_s = clock.now_s() + 60
        real_sleep(seconds)

    clock.sleep = cut_once
    moves = evacuate()

    assert moves["a"].outcome is Outcome.SUCCEEDED
    assert len(cloud.orders) == 1
    assert 60 <= clock.now_s() - 1000 < 75


def test_a_nova_that_stays_away_ends_the_work(cloud, clock, evacuate, report) -> None:
    cloud.boot("a")
    report.going_on = lambda: setattr(cloud, "silent_until_s", 1e9)

    with pytest.raises(CloudUnreachableError, match="nova-api is away"):
        evacuate()
    assert clock.now_s() - 1000 >= 600


def test_t10_a_slow_rebuild_is_followed_past_masakaris_patience(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.rebuild_s = 400

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert len(cloud.orders) == 1
    assert clock.now_s() - 1000 >= 400
