# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.restarts import Patience, Remedy, Restart, remedy

NOW_S = 10_000.0


def a_restart(
    ago_s: float,
    done: Remedy = Remedy.RESTART,
    *,
    notification: str = "n",
    outcome: str = "runs again",
) -> Restart:
    return Restart(
        server="s", name="web", host="h1", notification=notification, at_s=NOW_S - ago_s,
        remedy=done, outcome=outcome,
    )  # fmt: skip


def deaths(number: int, *, ago_s: float = 60) -> list[Restart]:
    return [a_restart(ago_s, notification=f"n-{death}") for death in range(number)]


@pytest.mark.parametrize(
    ("past", "then", "expected"),
    [
        pytest.param([], Remedy.MOVE, Remedy.RESTART, id="the first time"),
        pytest.param(deaths(2), Remedy.MOVE, Remedy.RESTART, id="within the number"),
        pytest.param(
            [a_restart(60)] * 9, Remedy.MOVE, Remedy.RESTART, id="one death that was tried again"
        ),
        pytest.param(deaths(3), Remedy.MOVE, Remedy.MOVE, id="once too often"),
        pytest.param(deaths(3), Remedy.STOP, Remedy.STOP, id="stopped, if so wanted"),
        pytest.param(deaths(3), Remedy.RESTART, Remedy.RESTART, id="for ever, if so wanted"),
        pytest.param(deaths(9, ago_s=3600), Remedy.MOVE, Remedy.RESTART, id="long ago"),
        pytest.param(
            [*deaths(3), a_restart(30, Remedy.MOVE)],
            Remedy.MOVE,
            Remedy.STOP,
            id="moving did not help",
        ),
    ],
)
def test_what_is_done(past, then, expected) -> None:
    patience = Patience(most=3, window_s=3600, then=then)

    assert remedy(past, now_s=NOW_S, patience=patience) is expected


@pytest.mark.parametrize(
    ("outcome", "in_vain"),
    [
        ("runs again on h1", False),
        ("runs again on h1; it could not be moved: No valid host was found.", False),
        ("died too often, so it stays stopped; start it when its fault is found", False),
        ("failed: it is active, doing powering-off, after 10 s", True),
        ("interrupted", True),
    ],
)
def test_which_tries_leave_a_server_as_it_was(outcome, in_vain) -> None:
    assert a_restart(60, outcome=outcome).in_vain is in_vain
