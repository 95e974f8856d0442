# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from instance_ha.debounce import Tracker
from instance_ha.model import Network, Reach

STORAGE = Network.STORAGE


def seen(tracker: Tracker, *states: Reach, from_s: float = 0.0) -> list[Reach]:
    """Return what counts of h1's storage after each second."""
    return [
        tracker.update(from_s + s, {"h1": {STORAGE: state}})["h1"][STORAGE]
        for s, state in enumerate(states)
    ]


def test_a_change_counts_after_it_held():
    up, down = Reach.UP, Reach.DOWN

    counted = seen(Tracker(3.0), up, up, up, up, down, down, down, down)

    assert counted == [Reach.UNKNOWN] * 3 + [up] * 4 + [down]


def test_a_rumour_never_counts():
    up, down = Reach.UP, Reach.DOWN
    tracker = Tracker(2.0)
    seen(tracker, up, up, up)

    assert seen(tracker, down, up, down, up, down, down, from_s=3.0) == [up] * 6


def test_unknown_counts_at_once_and_what_follows_must_hold_again():
    tracker = Tracker(2.0)
    seen(tracker, Reach.DOWN, Reach.DOWN, Reach.DOWN)

    counted = seen(tracker, Reach.UNKNOWN, Reach.DOWN, Reach.DOWN, Reach.DOWN, from_s=3.0)

    assert counted == [Reach.UNKNOWN] * 3 + [Reach.DOWN]


def test_a_host_that_nobody_names_any_more_is_forgotten():
    tracker = Tracker(1.0)
    seen(tracker, Reach.UP, Reach.UP)

    assert tracker.update(2.0, {}) == {}
    assert tracker.since_s("h1", STORAGE) is None
    assert seen(tracker, Reach.DOWN, from_s=3.0) == [Reach.UNKNOWN]


def test_it_knows_since_when():
    tracker = Tracker(3.0)
    seen(tracker, Reach.UP, Reach.DOWN, Reach.DOWN)

    assert tracker.since_s("h1", STORAGE) == 1.0


@given(states=st.lists(st.sampled_from(Reach), max_size=30), hold_s=st.integers(1, 5))
def test_nothing_but_unknown_counts_without_having_held(states: list[Reach], hold_s: int):
    changes = [Reach.UNKNOWN, *seen(Tracker(hold_s), *states)]

    for s, (before, now) in enumerate(itertools.pairwise(changes)):
        if now is not before and now is not Reach.UNKNOWN:
            assert set(states[max(0, s - hold_s) : s + 1]) == {now}
            assert s >= hold_s
