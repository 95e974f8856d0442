# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha import guards
from instance_ha.errors import PolicyError
from instance_ha.survey import Survey

LOST, TENANT_UP = "down down down", "down up down"
OPENED_S = 1000.0


@pytest.fixture
def policy(ordinary):
    return dataclasses.replace(
        ordinary.policy, kdump=True, kdump_wait_s=20.0, kdump_timeout_s=300.0
    )


@pytest.fixture
def held(ordinary, policy):
    """Return what holds h1 at a second, when its newest message came at another."""

    def ask(now_s: float, heard_s: float | None, *, states: str = LOST, **changes):
        incident = ordinary.incident(opened_at_s=OPENED_S)
        survey = Survey(
            now_s=now_s,
            verdicts={"h1": ordinary.verdict(states=states)},
            hosts={"h1": ordinary.host()},
            notifications={},
            incidents={"h1": incident},
            dumps={} if heard_s is None else {"h1": heard_s},
        )
        survey = dataclasses.replace(survey, **changes)
        mass = guards.weigh(survey, mass_window_s=60.0)
        return guards.hold(survey, host=survey.hosts["h1"], mass=mass, policy=policy)

    return ask


@pytest.mark.parametrize(
    ("now_s", "heard_s", "until_s"),
    [
        pytest.param(1000.0, None, 1020.0, id="its first message may be on its way"),
        pytest.param(1019.0, None, 1020.0, id="and still may be"),
        pytest.param(1020.0, None, None, id="there was none"),
        pytest.param(1001.0, 900.0, 1020.0, id="the messages are of an older dump"),
        pytest.param(1001.0, 995.0, 1300.0, id="it spoke before it was judged lost"),
        pytest.param(1039.0, 1010.0, 1300.0, id="it spoke a moment ago"),
        pytest.param(1040.0, 1010.0, None, id="it fell silent"),
        pytest.param(1299.0, 1295.0, 1300.0, id="it dumps and dumps"),
        pytest.param(1300.0, 1295.0, None, id="its time is over"),
    ],
)
def test_a_lost_host_has_time_to_write_its_dump(held, now_s, heard_s, until_s):
    hold = held(now_s, heard_s)

    assert (None if hold is None else hold.until_s) == until_s


def test_the_guard_says_what_it_waits_for_and_how_to_go_on_at_once(held):
    assert str(held(1001.0, None)) == (
        "held by kernel-dump: it may be about to write a kernel dump, and has time to say so; "
        "or recover it at once: instance-ha incident approve --host h1"
    )
    assert "until its fence_kdump messages stop for 30 s" in held(1011.0, 1010.0).reason


def test_a_host_that_is_up_on_a_network_dumps_nothing(held):
    assert held(1001.0, None, states=TENANT_UP) is None


def test_what_a_person_approved_goes_on(held, ordinary):
    rulings = dataclasses.replace(
        Survey(now_s=0.0, verdicts={}, hosts={}, notifications={}, incidents={}).rulings,
        approved=(1,),
    )

    assert held(1011.0, 1010.0, rulings=rulings) is None


def test_a_loss_that_was_never_judged_before_begins_its_time_now(held):
    assert held(1000.0, None, incidents={}).until_s == 1020.0


def test_without_the_option_nobody_waits(held, ordinary, policy):
    survey = Survey(
        now_s=1000.0,
        verdicts={"h1": ordinary.verdict(states=LOST)},
        hosts={"h1": ordinary.host()},
        notifications={},
        incidents={},
        dumps={"h1": 999.0},
    )
    mass = guards.weigh(survey, mass_window_s=60.0)
    off = dataclasses.replace(policy, kdump=False)

    assert guards.hold(survey, host=survey.hosts["h1"], mass=mass, policy=off) is None


@pytest.mark.parametrize(
    "figures",
    [{"kdump_wait_s": -1.0}, {"kdump_wait_s": 301.0}],
    ids=["before the loss", "longer than the whole dump may take"],
)
def test_a_wait_that_makes_no_sense_is_refused(policy, figures):
    with pytest.raises(PolicyError, match=r"kdump_wait_s: .* correct one of the two"):
        dataclasses.replace(policy, **figures)
