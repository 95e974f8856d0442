# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from instance_ha.errors import CloudUnreachableError
from instance_ha.order import Place
from masakari_instance_ha.evacuation import EndsAs, Move, Outcome
from masakari_instance_ha.evacuator import Evacuator, Limits
from masakari_instance_ha.nova import Nova


class Report:
    """Remembers what it hears, and may be told to end the work."""

    def __init__(self) -> None:
        self.ordered_servers: list[str] = []
        self.ended_servers: list[str] = []
        self.passes_left = 10_000

    def ordered(self, move: Move) -> None:
        self.ordered_servers.append(move.server)

    def ended(self, move: Move) -> None:
        self.ended_servers.append(move.server)

    def going_on(self) -> None:
        self.passes_left -= 1
        if self.passes_left < 0:
            raise InterruptedError


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def evacuate(cloud, clock, report):
    """Evacuate h1, and return server -> its move."""
    cloud.hosts["h1"].forced_down = True

    def run(
        *,
        target: str | None = None,
        at_once: int = 10,
        stagger_s: float = 0.0,
        ends_as=None,
        places=None,
        asks: bool = False,
    ) -> dict[str, Move]:
        nova = Nova(None)
        ends_as = ends_as or {}
        moves = [
            Move(
                server=s.uuid,
                name=s.name,
                ends_as=ends_as.get(s.uuid) or EndsAs.of(s),
                place=(places or {}).get(s.uuid, Place()),
                asks=asks,
            )
            for s in map(nova.server, sorted(cloud.known))
            if s is not None
        ]
        Evacuator(
            nova=nova, clock=clock, source="h1", target=target, report=report,
            limits=Limits(
                at_once=at_once, tries=3, poll_s=1, pause_s=5, untouched_s=90, deadline_s=600,
                stagger_s=stagger_s,
            ),
        ).run(moves)  # fmt: skip
        return {move.server: move for move in moves}

    return run


def outcomes(moves: dict[str, Move]) -> dict[str, Any]:
    return {server: move.outcome for server, move in moves.items()}


def states(cloud) -> dict[str, tuple[str, str]]:
    return {server.id: (server.host, server.vm_state) for server in cloud.known.values()}


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


def test_a_server_that_is_deleted_meanwhile_had_not_to_move(cloud, evacuate, report) -> None:
    cloud.boot("a")
    cloud.boot("b")
    report.going_on = lambda: cloud.known.pop("a", None)

    moves = evacuate()

    assert outcomes(moves) == {"a": Outcome.IGNORED, "b": Outcome.SUCCEEDED}


def test_an_order_that_no_compute_took_is_given_again(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="accepted")

    assert evacuate()["a"].outcome is Outcome.SUCCEEDED
    assert len(cloud.orders) == 2
    assert clock.now_s() - 1000 >= 90, "not before a compute had time to take it"


def test_a_rebuild_that_hangs_on_a_living_host_is_never_doubled(cloud, clock, evacuate) -> None:
    cloud.boot("a")
    cloud.stick("a", at="pre-migrating")

    move = evacuate()["a"]

    assert move.outcome is Outcome.FAILED
    assert "evacuation 1 to h2 is pre-migrating" in move.problem
    assert len(cloud.orders) == 1, "the guest may run on h2 already"
    assert clock.now_s() - 1000 >= 600


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
