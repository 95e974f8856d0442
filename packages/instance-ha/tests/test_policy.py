# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.errors import PolicyError
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import Policy
from instance_ha.simulation.masakari import DUPLICATE_WINDOW_S

ALL = tuple(Network)


def policy(**changes) -> Policy:
    return Policy(**{"networks": ALL, "matrix": default_matrix(ALL), **changes})


@pytest.mark.parametrize("name", ["return_after_s", "storm_cooldown_s", "kdump_wait_s"])
def test_what_need_not_be_waited_for_may_be_nothing(name: str):
    assert getattr(policy(**{name: 0.0}), name) == 0.0


def test_defaults_are_sound():
    assert policy().renotify_after_s > DUPLICATE_WINDOW_S, "it must be over by then"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param({"networks": ALL[:2]}, "give a matrix", id="another matrix"),
        pytest.param({"orphan_after_s": 0.0}, "0.0 s is no time; give more", id="no time"),
        pytest.param({"return_after_s": -1.0}, "return_after_s: -1.0 .* 0 or more", id="negative"),
        pytest.param({"max_failing_share": 1.5}, "1.5 is no share", id="too large a share"),
        pytest.param({"blind_share": 0.0}, "0.0 is no share", id="no share"),
        pytest.param({"storm_cooldown_s": -1.0}, "give 0 or more", id="negative calm"),
        pytest.param({"max_hosts_per_minute": 0}, "at least 1 and 0", id="no host a minute"),
        pytest.param({"domain_hosts_per_minute": -1}, "at least 1 and 0", id="less than none"),
        pytest.param(
            {"domain_hosts_per_minute": 11},
            "domain_hosts_per_minute: 11 is never reached, as max_hosts_per_minute is 10",
            id="a domain faster than the cloud",
        ),
        pytest.param(
            {"approval": True, "approval_segments": frozenset({"rack-1"})},
            "approval: every segment needs it, yet approval_segments names rack-1",
            id="approval of all and of one",
        ),
        pytest.param({"tick_s": 10.0}, "give at least 20.0", id="lease shorter than two ticks"),
    ],
)
def test_contradictions_are_refused(changes, says: str):
    with pytest.raises(PolicyError, match=says):
        policy(**changes)
