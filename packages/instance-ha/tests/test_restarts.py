# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.restarts import Patience, Remedy, Restart, remedy

NOW_S = 10_000.0


def a_restart(ago_s: float, done: Remedy = Remedy.RESTART) -> Restart:
    return Restart(
        server="s", name="web", host="h1", notification="n", at_s=NOW_S - ago_s, remedy=done,
        outcome="runs again",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("past", "then", "expected"),
    [
        pytest.param([], Remedy.MOVE, Remedy.RESTART, id="the first time"),
        pytest.param([a_restart(60)] * 2, Remedy.MOVE, Remedy.RESTART, id="within the number"),
        pytest.param([a_restart(60)] * 3, Remedy.MOVE, Remedy.MOVE, id="once too often"),
        pytest.param([a_restart(60)] * 3, Remedy.STOP, Remedy.STOP, id="stopped, if so wanted"),
        pytest.param(
            [a_restart(60)] * 3, Remedy.RESTART, Remedy.RESTART, id="for ever, if so wanted"
        ),
        pytest.param([a_restart(3600)] * 9, Remedy.MOVE, Remedy.RESTART, id="long ago"),
        pytest.param(
            [a_restart(60)] * 3 + [a_restart(30, Remedy.MOVE)],
            Remedy.MOVE,
            Remedy.STOP,
            id="moving did not help",
        ),
    ],
)
def test_what_is_done(past, then, expected) -> None:
    patience = Patience(most=3, window_s=3600, then=then)

    assert remedy(past, now_s=NOW_S, patience=patience) is expected
