# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instance_ha.debounce import Patience, Tracker
from instance_ha.errors import PolicyError
from instance_ha.model import Network, Reach

MANAGEMENT, TENANT, STORAGE = Network
UP, DOWN, LEFT, UNKNOWN = Reach.UP, Reach.DOWN, Reach.LEFT, Reach.UNKNOWN


def tracker(hold_s: float = 3.0, **changes) -> Tracker:
    """Return a tracker that counts seconds alone, but for *changes*."""
    usual = {"samples": 1, "partial_hold_s": 0.0, "flap_changes": 0}
    return Tracker(Patience(hold_s=hold_s, **{**usual, **changes}))


def seen(tracker: Tracker, *states: Reach, from_s: float = 0.0, every_s: float = 1.0):
    """Return what counts of h1's storage after each second."""
    return [
        tracker.update(from_s + k * every_s, {"h1": {STORAGE: state}})["h1"][STORAGE]
        for k, state in enumerate(states)
    ]


def test_a_change_counts_after_it_held():
    counted = seen(tracker(3.0), UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN)

    assert counted == [UNKNOWN] * 3 + [UP] * 4 + [DOWN]


def test_a_rumour_never_counts():
    calm = tracker(2.0)
    seen(calm, UP, UP, UP)

    assert seen(calm, DOWN, UP, DOWN, UP, DOWN, DOWN, from_s=3.0) == [UP] * 6


def test_unknown_counts_at_once_and_what_follows_must_hold_again():
    calm = tracker(2.0)
    seen(calm, DOWN, DOWN, DOWN)

    counted = seen(calm, UNKNOWN, DOWN, DOWN, DOWN, from_s=3.0)

    assert counted == [UNKNOWN] * 3 + [DOWN]


def test_a_host_that_nobody_names_any_more_is_forgotten():
    calm = tracker(1.0)
    seen(calm, UP, UP)

    assert calm.update(2.0, {}) == {}
    assert calm.since_s("h1", STORAGE) is None
    assert seen(calm, DOWN, from_s=3.0) == [UNKNOWN]


def test_it_knows_since_when():
    calm = tracker(3.0)
    seen(calm, UP, DOWN, DOWN)

    assert calm.since_s("h1", STORAGE) == 1.0


@given(states=st.lists(st.sampled_from(Reach), max_size=30), hold_s=st.integers(1, 5))
def test_nothing_but_unknown_counts_without_having_held(states: list[Reach], hold_s: int):
    changes = [UNKNOWN, *seen(tracker(hold_s), *states)]

    for s, (before, now) in enumerate(itertools.pairwise(changes)):
        if now is not before and now is not UNKNOWN:
            assert set(states[max(0, s - hold_s) : s + 1]) == {now}
            assert s >= hold_s


def test_slow_passes_must_see_a_change_often_enough():
    slow = tracker(3.0, samples=3)

    assert seen(slow, UP, UP, UP, DOWN, DOWN, DOWN, every_s=10.0) == [
        UNKNOWN, UNKNOWN, UP, UP, UP, DOWN,
    ]  # fmt: skip


def test_early_looks_do_not_shorten_the_time():
    quick = tracker(3.0, samples=3)

    counted = seen(quick, *[DOWN] * 8, every_s=0.5)

    assert counted == [UNKNOWN] * 6 + [DOWN] * 2


def history(tracker: Tracker, *, storage_down_s: float, others: Reach, every_s: float = 1.0):
    """Return what storage came to count as while it was down once, and the other two *others*."""
    counted = set()
    for s in range(30):
        tracker.update(float(s), {"h1": dict.fromkeys(Network, UP)})
    for k in range(int(60 / every_s)):
        now_s = 30 + k * every_s
        down = now_s - 30 < storage_down_s
        rest = others if down else UP
        reaches = {MANAGEMENT: rest, TENANT: rest, STORAGE: DOWN if down else UP}
        counted.add(tracker.update(now_s, {"h1": reaches})["h1"][STORAGE])
    return counted


@pytest.mark.parametrize("down_s", range(1, 11))
def test_a_flap_of_1_to_10_s_of_a_host_that_is_up_elsewhere_never_counts(down_s: int):
    assert history(Tracker(), storage_down_s=down_s, others=UP) == {UP}


def test_a_lasting_loss_of_a_host_that_is_up_elsewhere_counts():
    assert DOWN in history(Tracker(), storage_down_s=12, others=UP)


@pytest.mark.parametrize("others", [DOWN, UNKNOWN])
def test_a_host_that_is_up_nowhere_is_lost_after_the_short_hold(others: Reach):
    assert DOWN in history(Tracker(), storage_down_s=4, others=others)
    assert history(Tracker(), storage_down_s=2, others=others) == {UP}


def flap(tracker: Tracker, *, period_s: float, times: int, network: Network = STORAGE) -> float:
    """Have *network* go down and up *times*, each for half of *period_s*; return when it ends."""
    now_s = 0.0
    for k in range(int(times * period_s)):
        now_s = float(k)
        state = DOWN if (now_s % period_s) < period_s / 2 else UP
        reaches = {**dict.fromkeys(Network, UP), network: state}
        tracker.update(now_s, {"h1": reaches})
    return now_s + 1


def down_after_s(tracker: Tracker, *, from_s: float) -> float:
    """Return how long it takes until a host that is lost whole counts as down on storage."""
    for s in range(120):
        reaches = dict.fromkeys(Network, DOWN)
        if tracker.update(from_s + s, {"h1": reaches})["h1"][STORAGE] is DOWN:
            return float(s)
    raise AssertionError("never")


@pytest.mark.parametrize("period_s", [2, 4, 8, 16, 20])
@pytest.mark.parametrize("network", Network)
def test_a_flapping_host_needs_longer_evidence(period_s: int, network: Network):
    nervous = Tracker()
    end_s = flap(nervous, period_s=period_s, times=3, network=network)

    assert nervous.flapping(end_s) == {"h1": network}
    assert down_after_s(nervous, from_s=end_s) == 30.0


def test_flapping_is_over_with_its_window():
    nervous = Tracker()
    end_s = flap(nervous, period_s=4, times=3)

    assert nervous.flapping(end_s + 301) == {}
    assert down_after_s(nervous, from_s=end_s + 301) == 3.0


def test_a_loss_and_a_return_are_no_flapping():
    calm = Tracker()
    end_s = flap(calm, period_s=40, times=1)

    assert calm.flapping(end_s) == {}
    assert down_after_s(calm, from_s=end_s) == 3.0


def test_a_host_is_not_steady_while_a_change_is_under_way():
    calm = Tracker()
    flap(calm, period_s=40, times=1)
    assert calm.is_steady("h1")

    calm.update(41.0, {"h1": {**dict.fromkeys(Network, UP), STORAGE: DOWN}})

    assert not calm.is_steady("h1")


def test_a_blind_observer_makes_nobody_flap():
    calm = Tracker()
    for k in range(40):
        calm.update(float(k), {"h1": {STORAGE: UP if k % 2 else UNKNOWN}})

    assert calm.flapping(40.0) == {}


def test_hysteresis_can_be_switched_off():
    plain = Tracker(Patience(flap_changes=0))
    end_s = flap(plain, period_s=4, times=5)

    assert plain.flapping(end_s) == {}
    assert down_after_s(plain, from_s=end_s) == 3.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"hold_s": -1.0}, "hold_s: -1.0 s is no time", id="time"),
        pytest.param({"samples": 0}, "samples: 0 is no number", id="samples"),
        pytest.param({"flap_changes": 1}, "give at least 2, or 0 for never", id="flaps"),
        pytest.param({"flap_changes": -2}, "flap_changes: -2", id="fewer than none"),
    ],
)
def test_figures_that_mean_nothing_are_refused(changes, says: str):
    with pytest.raises(PolicyError, match=says):
        Patience(**changes)
