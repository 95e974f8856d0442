# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.judge import describe, judge
from instance_ha.matrix import default_matrix
from instance_ha.model import Action, Network, Reach

ALL = tuple(Network)


@pytest.mark.parametrize(
    ("states", "words"),
    [
        ("up up up", "management, tenant and storage up"),
        ("up up down", "storage down, management and tenant up"),
        ("down left unknown", "management down, tenant left, storage unknown"),
    ],
)
def test_evidence_in_words(states: str, words: str):
    reach = dict(zip(ALL, map(Reach, states.split()), strict=True))

    assert describe(reach) == words


def test_what_nobody_speaks_of_is_unknown():
    verdict = judge("h1", reach={Network.STORAGE: Reach.UP}, matrix=default_matrix(ALL))

    assert verdict.action is Action.NONE
    assert verdict.alive, "storage decides, and it is up"
    assert verdict.reason == "management and tenant unknown, storage up"


def test_a_host_is_neither_lost_nor_alive_while_it_is_unclear():
    verdict = judge("h1", reach={}, matrix=default_matrix(ALL))

    assert verdict.action is Action.NONE
    assert not verdict.alive
