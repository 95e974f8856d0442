# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How much may be lost at once, of which kind of scope, and how fast it is recovered."""

from __future__ import annotations

import dataclasses

import pytest

from instance_ha import guards
from instance_ha.model import IncidentState, NotificationStatus, Pause, PauseScope, Rulings
from instance_ha.survey import Survey

LOST, WELL = "down down down", "up up up"
RACKS = {f"h{n}": (f"rack-{(n - 1) // 3 + 1}",) for n in range(1, 10)}
"""Nine hosts of one segment in three racks."""


@pytest.fixture
def survey(ordinary):
    """Make a survey of the nine hosts of which some are lost."""

    def make(*lost: str, hosts=None, **changes) -> Survey:
        found = Survey(
            now_s=1010.0,
            verdicts={
                name: ordinary.verdict(name, states=LOST if name in lost else WELL)
                for name in RACKS
            },
            hosts={name: ordinary.host(name, aggregates=rack) for name, rack in RACKS.items()}
            | (hosts or {}),
            notifications={},
            incidents={},
        )
        return dataclasses.replace(found, **changes)

    return make


@pytest.fixture
def hold(ordinary):
    """Return what holds a host."""

    def ask(survey: Survey, host: str, **figures) -> guards.Hold | None:
        policy = dataclasses.replace(ordinary.policy, **figures)
        mass = guards.weigh(survey, mass_window_s=policy.mass_window_s)
        return guards.hold(survey, host=survey.hosts[host], mass=mass, policy=policy)

    return ask


@pytest.fixture
def held(hold):
    def ask(survey: Survey, host: str, **figures) -> str | None:
        found = hold(survey, host, **figures)
        return None if found is None else found.guard

    return ask


def sent(ordinary, *hosts: str, at_s: float):
    return {
        host: ordinary.notification(NotificationStatus.RUNNING, host=host, generated_at_s=at_s)
        for host in hosts
    }


def test_t21_two_thirds_of_an_aggregate_are_held_though_few_of_the_segment_fail(survey, hold):
    found = hold(survey("h1", "h2"), "h1")

    assert found is not None
    assert found.reason.startswith("2 of 3 hosts of aggregate rack-1 fail at once, more than 50%")
    assert found.reason.endswith("instance-ha incident approve --host h1")


@pytest.mark.parametrize(("lost", "guard"), [(29, None), (30, "failing-share")])
def test_as_many_may_fail_as_the_share_says_to_the_host(survey, held, ordinary, lost, guard):
    """In binary 0.58 of 50 hosts is a little less than 29."""
    names = [f"n{number}" for number in range(50)]
    verdicts = {
        name: ordinary.verdict(name, states=LOST if number < lost else WELL)
        for number, name in enumerate(names)
    }
    seen = survey(verdicts=verdicts)
    seen = dataclasses.replace(seen, hosts={name: ordinary.host(name) for name in names})

    assert held(seen, "n0", max_failing_share=0.58) == guard


def test_t21_a_zone_counts_as_an_aggregate_does(survey, held, ordinary):
    zoned = {n: ordinary.host(n, zone="az1" if n in ("h1", "h4", "h7") else "az2") for n in RACKS}

    assert held(survey("h1", "h4", hosts=zoned), "h1") == "failing-share"
    assert held(survey("h1", "h2", hosts=zoned), "h1") is None


@pytest.mark.parametrize("filtered", ["paused", "disabled"])
def test_t21_what_is_held_for_another_reason_counts_before_it_is_filtered(
    survey, held, ordinary, filtered
):
    """h2 itself is no candidate: paused, or of a disabled segment."""
    off = dataclasses.replace(ordinary.segment, uuid="segment-2", name="off", enabled=False)
    pause = Pause(
        id=1, scope=PauseScope.HOST, target="h2", name="h2", reason="work", author="ada",
        since_s=0.0,
    )  # fmt: skip
    changes = (
        {"rulings": Rulings(pauses=[pause])}
        if filtered == "paused"
        else {"hosts": {"h2": ordinary.host("h2", segment=off, aggregates=("rack-1",))}}
    )
    seen = survey("h1", "h2", **changes)

    assert held(seen, "h2") in {"pause", "segment"}
    assert held(seen, "h1") == "failing-share"


def test_t21_recoveries_under_way_count_in_their_aggregate(survey, held, ordinary):
    recovering = {"h2": ordinary.incident("h2", state=IncidentState.RECOVERING)}

    assert held(survey("h1", incidents=recovering), "h1") == "failing-share"


def test_a_single_host_is_never_too_many(survey, held, ordinary):
    alone = {"h1": ordinary.host("h1", aggregates=("gpu",))}

    assert held(survey("h1", hosts=alone), "h1") is None
    assert held(survey("h1"), "h1", max_failing_share=0.01, max_failing_domain_share=0.01) is None


def test_a_rack_lost_as_one_is_let_through(survey, held):
    rack = survey("h4", "h5", "h6")

    assert held(rack, "h4", max_failing_share=0.25) is None
    assert held(rack, "h6", max_failing_share=0.25) is None


def test_a_rack_lost_as_one_is_let_through_at_its_rate(survey, hold, ordinary):
    earlier = sent(ordinary, "h4", at_s=1000.0)
    rack = survey("h4", "h5", "h6", notifications=earlier).after_notifying("h5")

    found = hold(rack, "h6", domain_hosts_per_minute=2)

    assert found is not None
    assert (found.guard, found.until_s) == ("whole-domain", 1060.0)
    assert hold(rack, "h6", domain_hosts_per_minute=3) is None


@pytest.mark.parametrize(
    ("lost", "figures"),
    [
        pytest.param(("h1", "h4", "h7"), {"max_failing_share": 0.25}, id="scattered"),
        pytest.param(("h1", "h2", "h3", "h4"), {"max_failing_share": 0.25}, id="one more"),
        pytest.param(("h1", "h2"), {}, id="not the whole rack"),
        pytest.param(("h1", "h2", "h3"), {"domain_hosts_per_minute": 0}, id="no such rule"),
    ],
)
def test_anything_else_is_held(survey, held, lost, figures):
    assert held(survey(*lost), "h1", **figures) == "failing-share"


def test_a_domain_is_let_through_only_where_as_many_hosts_are_well(survey, held, ordinary):
    half = {n: ordinary.host(n, zone="az1" if int(n[1]) < 6 else "az2") for n in RACKS}

    assert held(survey("h1", "h2", "h3", "h4", "h5", hosts=half), "h1") == "failing-share"
    assert held(survey("h6", "h7", "h8", "h9", hosts=half), "h6") is None


def test_a_host_that_its_operator_took_out_is_gone_with_its_rack(survey, held, ordinary):
    out = {"h3": ordinary.host("h3", on_maintenance=True, aggregates=("rack-1",))}

    assert held(survey("h1", "h2", hosts=out), "h1") is None


def test_hosts_under_recovery_are_gone_with_their_rack(survey, held, ordinary):
    recovering = {"h3": ordinary.incident("h3", state=IncidentState.RECOVERING)}

    assert held(survey("h1", "h2", incidents=recovering), "h1") is None


@pytest.mark.parametrize(
    ("last_s", "figures", "guard"),
    [
        pytest.param(1000.0, {}, "cool-down", id="ten seconds ago"),
        pytest.param(950.0, {}, None, id="a minute ago"),
        pytest.param(1000.0, {"storm_cooldown_s": 0.0}, None, id="no calm asked for"),
    ],
)
@pytest.mark.parametrize("scope", ["segment rack-1", "aggregate rack-1"])
def test_after_a_storm_there_must_be_calm(survey, held, last_s, figures, guard, scope):
    calming = survey("h1", rulings=Rulings(storms={scope: last_s}))

    assert held(calming, "h1", **figures) == guard


def test_a_storm_elsewhere_is_no_storm_here(survey, held):
    assert held(survey("h1", rulings=Rulings(storms={"aggregate rack-2": 1009.0})), "h1") is None


def test_a_rack_lost_as_one_waits_for_no_calm(survey, held):
    """It was a storm while its losses came in one by one."""
    rulings = Rulings(storms={"aggregate rack-1": 1005.0, "segment rack-1": 1005.0})

    assert held(survey("h1", "h2", "h3", rulings=rulings), "h1") is None


def test_storms_are_what_is_over_and_not_lost_as_one(survey, ordinary):
    def storms(*lost: str) -> list[str]:
        mass = guards.weigh(survey(*lost), mass_window_s=60.0)
        return sorted(map(str, mass.storms(policy=ordinary.policy)))

    assert storms("h1") == []
    assert storms("h1", "h2") == ["aggregate rack-1"]
    assert storms("h1", "h2", "h3") == []
    assert storms("h1", "h2", "h4", "h5", "h7") == [
        "aggregate rack-1",
        "aggregate rack-2",
        "segment rack-1",
    ]


def test_the_whole_cloud_has_a_rate(survey, hold, ordinary):
    earlier = sent(ordinary, "h7", at_s=960.0) | sent(ordinary, "h8", at_s=940.0)
    seen = survey("h1", notifications=earlier)

    found = hold(seen, "h1", max_hosts_per_minute=1, domain_hosts_per_minute=1)

    assert found is not None
    assert (found.guard, found.until_s) == ("rate", 1020.0)
    assert hold(seen, "h1", max_hosts_per_minute=2, domain_hosts_per_minute=1) is None


def test_hosts_of_the_same_pass_count_too(survey, held):
    seen = survey("h1").after_notifying("h9")

    assert held(seen, "h1", max_hosts_per_minute=1, domain_hosts_per_minute=1) == "rate"
