# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instance_ha.agreement import MemberState, ServerView, agree, believed, disbelief
from instance_ha.model import Network, Reach

ALIVE, LEAVING, LEFT, FAILED = MemberState


def view(*, server: str = "s1", h1: MemberState | None = ALIVE, **changes) -> ServerView:
    members = {"h2": ALIVE} if h1 is None else {"h1": h1, "h2": ALIVE}
    well = ServerView(
        server=server,
        network=Network.STORAGE,
        members=members,
        health_score=0,
        known_leader=True,
        last_contact_ms=20,
        servers_alive=3,
        servers_total=3,
        agents_alive=2,
    )
    return dataclasses.replace(well, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"members": {}}, "names no member", id="empty answer"),
        pytest.param({"health_score": None}, "does not say", id="no score"),
        pytest.param({"health_score": 4}, "health score 4", id="blind by its own score"),
        pytest.param({"known_leader": False}, "no leader", id="no leader"),
        pytest.param({"last_contact_ms": 4001}, "silent for 4001 ms", id="stale"),
        pytest.param({"servers_alive": 1, "servers_total": 2}, "sees 1 of 2", id="no majority"),
        pytest.param({"agents_alive": 0}, "no agent alive", id="everybody lost"),
    ],
)
def test_an_ill_server_is_not_believed(changes, reason: str):
    assert reason in (disbelief(view(**changes)) or "")
    assert not believed(view(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="well"),
        pytest.param({"health_score": 3}, id="a real mass failure"),
        pytest.param({"last_contact_ms": 4000}, id="just fresh"),
        pytest.param({"servers_alive": 2, "servers_total": 3}, id="one server lost"),
    ],
)
def test_a_well_server_is_believed(changes):
    assert believed(view(**changes))


@pytest.mark.parametrize(
    ("states", "reach"),
    [
        pytest.param([FAILED, FAILED, FAILED], Reach.DOWN, id="all failed"),
        pytest.param([FAILED, FAILED], Reach.DOWN, id="two of three, one server silent"),
        pytest.param([FAILED], Reach.UNKNOWN, id="one of three"),
        pytest.param([FAILED, FAILED, ALIVE], Reach.UNKNOWN, id="somebody says alive"),
        pytest.param([FAILED, FAILED, LEAVING], Reach.DOWN, id="leaving is no contradiction"),
        pytest.param([LEFT, LEFT, FAILED], Reach.LEFT, id="planned stop"),
        pytest.param([LEFT, FAILED, None], Reach.UNKNOWN, id="no majority of anything"),
        pytest.param([ALIVE, ALIVE, FAILED], Reach.UP, id="up"),
        pytest.param([ALIVE], Reach.UNKNOWN, id="alive for one only"),
        pytest.param([None, None, FAILED], Reach.UNKNOWN, id="absent is unknown"),
    ],
)
def test_three_servers_agree(states: list[MemberState | None], reach: Reach):
    views = [view(server=f"s{k}", h1=state) for k, state in enumerate(states)]

    assert agree(views, 3)["h1"] is reach


def test_a_lone_server_is_its_own_majority():
    assert agree([view(h1=FAILED, servers_alive=1, servers_total=1)], 1)["h1"] is Reach.DOWN


def test_hosts_that_only_a_blind_server_names_are_unknown():
    blind = view(h1=FAILED, health_score=7)

    assert agree([blind, view(server="s2", h1=None)], 2) == {"h1": Reach.UNKNOWN,
                                                            "h2": Reach.UNKNOWN}  # fmt: skip


views = st.lists(
    st.builds(
        view,
        h1=st.sampled_from([*MemberState, None]),
        health_score=st.sampled_from([None, 0, 3, 4, 7]),
        known_leader=st.booleans(),
        last_contact_ms=st.sampled_from([0, 4000, 9000]),
        servers_alive=st.integers(1, 3),
        agents_alive=st.integers(0, 3),
    ),
    max_size=5,
)


@given(views=views)
def test_never_down_while_a_believed_server_says_alive(views):
    said = {v.members.get("h1") for v in views if believed(v)}

    assert agree(views, 3).get("h1") is not Reach.DOWN or ALIVE not in said


@given(views=views, configured=st.integers(1, 5))
def test_never_down_without_a_majority_of_the_configured_servers(views, configured):
    failed = sum(v.members.get("h1") is FAILED for v in views if believed(v))

    assert agree(views, configured).get("h1") is not Reach.DOWN or 2 * failed > configured


@given(views=views)
def test_who_is_not_believed_changes_nothing(views):
    with_liars = agree(views, 3)
    without = agree([v for v in views if believed(v)], 3)

    assert all(with_liars[host] is without.get(host, Reach.UNKNOWN) for host in with_liars)
