# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from instance_ha.errors import FenceError
from instance_ha.model import FenceProof
from masakari_instance_ha import heartbeat
from masakari_instance_ha.fencing.patience import FenceWatch, fence_patiently

PROOF = FenceProof(
    host="h1", method="maas", target="sys-h1", answer="off",
    ordered_at_s=1000, confirmed_at_s=1000, by="engine@test",
)  # fmt: skip


class Script:
    """A fencer that fails with each reason in turn, then succeeds; it answers what it is told."""

    def __init__(self, *reasons: str, answers: tuple[str, ...] = ()) -> None:
        self.reasons = [*reasons]
        self.answers = [*answers]
        self.checked = 0

    def fence(self, host: str) -> FenceProof:
        if self.reasons:
            raise FenceError(host, self.reasons.pop(0), hint="Look at it")
        return PROOF

    def check(self, host: str) -> str:
        self.checked += 1
        answer = self.answers.pop(0)
        if answer == "silence":
            raise FenceError(host, "no answer", hint="Ask again")
        return answer


def test_a_fencer_that_fails_for_a_while_is_tried_until_it_proves(clock) -> None:
    told: list[str] = []
    fencer = Script("busy", "busy", "busy", "away", "busy")

    proof = fence_patiently(
        fencer, "h1", clock=clock, patience_s=300, tell=lambda error: told.append(error.reason)
    )

    assert proof == PROOF
    assert told == ["busy", "away", "busy"], "a reason is told when it changes, not each time"
    assert clock.now_s() == 1025


def test_patience_ends_with_the_newest_reason(clock) -> None:
    fencer = Script(*["busy"] * 1000)

    with pytest.raises(FenceError, match="busy"):
        fence_patiently(fencer, "h1", clock=clock, patience_s=60, tell=lambda _: None)
    assert clock.now_s() == 1060


def test_no_patience_is_one_try(clock) -> None:
    with pytest.raises(FenceError):
        fence_patiently(Script("busy"), "h1", clock=clock, patience_s=0, tell=lambda _: None)
    assert clock.now_s() == 1000


def looked(watch: FenceWatch, clock, *, seconds: int) -> None:
    """Look once a second; an answer of the fake is there by the next look."""
    for _ in range(seconds):
        watch.look()
        while not watch.answered:
            time.sleep(0.001)
        clock.sleep(1)
    watch.close()


@pytest.mark.parametrize(
    ("answers", "fenced_again"),
    [
        pytest.param(("off", "off"), 0, id="stays off"),
        pytest.param(("off", "on"), 1, id="comes back"),
        pytest.param(("silence", "off"), 0, id="nobody answers"),
        pytest.param(("unknown", "error"), 0, id="not known any more"),
    ],
)
def test_a_host_is_watched_while_its_servers_move(clock, answers, fenced_again: int) -> None:
    again: list[float] = []
    fencer = Script(answers=answers)
    watch = FenceWatch(
        fencer, PROOF, clock=clock, interval_s=15, again=lambda: again.append(clock.now_s())
    )

    looked(watch, clock, seconds=40)

    assert fencer.checked == 2
    assert len(again) == fenced_again


def test_a_recovery_that_is_over_soon_asks_nothing(clock) -> None:
    fencer = Script()

    looked(FenceWatch(fencer, PROOF, clock=clock, interval_s=15, again=list), clock, seconds=14)

    assert fencer.checked == 0


def test_a_fence_that_cannot_be_renewed_ends_the_recovery(clock) -> None:
    def again() -> None:
        raise FenceError("h1", "the BMC is away", hint="Look at it")

    fencer = Script(answers=("on",))
    watch = FenceWatch(fencer, PROOF, clock=clock, interval_s=15, again=again)

    with pytest.raises(FenceError, match="the BMC is away"):
        looked(watch, clock, seconds=40)


def test_an_engine_gives_signs_of_life_while_one_question_takes_long(journal, eventually) -> None:
    beats: list[str] = []
    real = journal.beat
    journal.beat = lambda notification, *, by: (beats.append(by), real(notification, by=by))

    with heartbeat.beating(journal, notification="n1", by="engine@a", every_s=0.05):
        eventually(lambda: len(beats) >= 3, "signs of life")
    so_far = len(beats)
    time.sleep(0.2)

    assert len(beats) == so_far, "no sign of life after the work"
    del journal.beat
    assert journal.last_beat_s("n1") is not None
