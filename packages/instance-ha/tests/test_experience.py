# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest

from instance_ha.experience import Expected, Times, expect, times
from instance_ha.model import Event, Incident, IncidentState

INCIDENT = Incident(id=1, host="h1", segment="s", state=IncidentState.RECOVERED, opened_at_s=100.0)


def event(at_s: float, kind: str, **detail: str) -> Event:
    return Event(at_s=at_s, actor="engine@u", kind=kind, text="", detail=detail)


def test_times_count_from_the_first_sign():
    took = times(
        INCIDENT,
        [
            event(99.0, "evidence"),
            event(109.0, "proof"),
            event(110.0, "evacuate", server="a"),
            event(111.0, "evacuate"),
            event(112.0, "proof"),
            event(114.0, "evacuate", server="a"),
            event(118.0, "active", server="a"),
            event(119.0, "active", server="b"),
            event(119.5, "active"),
            event(129.0, "recovered"),
        ],
    )

    assert took == Times(proof_s=10.0, recovered_s=30.0, servers={"a": 8.0, "b": 0.0})


def test_what_did_not_come_so_far_has_no_time():
    assert times(INCIDENT, []) == Times(proof_s=None, recovered_s=None, servers={})


@pytest.mark.parametrize(
    ("past", "servers", "recovered_s"),
    [
        pytest.param([(10.0, 40.0, [8.0])], 10, 18.0, id="one-round"),
        pytest.param([(10.0, 40.0, [8.0])], 11, 26.0, id="two-rounds"),
        pytest.param([(10.0, 40.0, [8.0, 4.0]), (20.0, 60.0, [])], 0, 15.0, id="empty-host"),
        pytest.param([(10.0, 40.0, []), (20.0, 60.0, [])], 5, 50.0, id="by-the-whole"),
        pytest.param([], 5, None, id="no-past"),
        pytest.param([(10.0, None, [8.0])], 5, None, id="none-that-ended"),
    ],
)
def test_expects_the_median(past, servers: int, recovered_s):
    known = [
        Times(proof_s=proof, recovered_s=recovered, servers={
            f"s{number}": took for number, took in enumerate(took)
        })
        for proof, recovered, took in past
    ]  # fmt: skip

    assert expect(known, servers=servers, at_once=10).recovered_s == recovered_s


def test_says_how_much_it_is_known_from():
    known = [Times(proof_s=None, recovered_s=5.0, servers={})]

    assert expect(known, servers=1, at_once=1) == Expected(
        recoveries=1, proof_s=None, recovered_s=5.0, server_s=None
    )
