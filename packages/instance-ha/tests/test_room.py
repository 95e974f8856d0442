# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from instance_ha.order import Place
from instance_ha.room import MEMORY, Guest, Offer, Room, stages


def offer(host: str, memory: int = 4) -> Offer:
    return Offer(host=host, takes={host: {MEMORY: memory, "VCPU": 1}})


def guest(name: str, *hosts: str, memory: int = 4, priority: int = 0) -> Guest:
    return Guest(
        server=f"uuid-{name}",
        name=name,
        source="h1",
        needs={"VCPU": 1, MEMORY: memory},
        offers=[offer(host, memory) for host in hosts],
        place=Place(priority=priority),
    )


def free(**hosts: int) -> dict[str, dict[str, int]]:
    return {host: {MEMORY: memory, "VCPU": 8} for host, memory in hosts.items()}


def seated(room: Room, *guests: Guest, tried) -> dict[str, str]:
    return {seat.guest.name: seat.host for seat in room.seat(guests, tried=tried)}


def test_most_memory_left_is_chosen_and_spent():
    room = Room(free(h2=8, h3=10))

    went = seated(room, guest("a", "h2", "h3"), guest("b", "h2", "h3"), tried=[{"h2", "h3"}])

    assert went == {"a": "h3", "b": "h2"}


def test_room_goes_to_the_priority_first():
    room = Room(free(h2=4))

    went = seated(room, guest("a", "h2"), guest("b", "h2", priority=5), tried=[{"h2"}])

    assert went == {"b": "h2", "a": ""}


def test_what_was_taken_is_taken_for_later_guests_too():
    room = Room(free(h2=4))
    seated(room, guest("a", "h2"), tried=[{"h2"}])

    assert seated(room, guest("b", "h2"), tried=[{"h2"}]) == {"b": ""}


@pytest.mark.parametrize(
    ("offers", "tried", "why"),
    [
        pytest.param(["h2"], [{"h2"}], "h2 would be full by then", id="full"),
        pytest.param(
            [], [{"h2"}], "none of the hosts that would take over has 4 MEMORY_MB, 1 VCPU",
            id="unfit",
        ),
        pytest.param(["h2"], [set()], "no host is left that could take over", id="nobody"),
        pytest.param(["h2"], [], "no host is left that could take over", id="no-stage"),
    ],
)  # fmt: skip
def test_says_why_there_is_no_room(offers, tried, why):
    (seat,) = Room(free(h2=3)).seat([guest("a", *offers)], tried=tried)

    assert (seat.host, seat.why) == ("", why)


def test_a_provider_that_nobody_knows_has_no_room():
    (seat,) = Room({}).seat([guest("a", "h2")], tried=[{"h2"}])

    assert seat.host == ""


def test_later_stage_takes_what_the_first_has_no_room_for():
    room = Room(free(r1=4, h2=4))

    went = seated(room, guest("a", "r1", "h2"), guest("b", "r1", "h2"), tried=[{"r1"}, {"h2"}])

    assert went == {"a": "r1", "b": "h2"}


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("auto", [{"h2", "h3"}]),
        ("reserved_host", [{"r1"}, {"r2"}]),
        ("auto_priority", [{"h2", "h3"}, {"r1"}, {"r2"}]),
        ("rh_priority", [{"r1"}, {"r2"}, {"h2", "h3"}]),
    ],
)
def test_methods_try_hosts_in_masakari_order(method: str, expected):
    assert stages(method, others={"h2", "h3"}, reserves=["r1", "r2"]) == expected
