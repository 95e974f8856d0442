# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.enrolling import Enrolling
from instance_ha.enrolment import EnrolPolicy, Hypervisor, Rule, Watch, plan
from instance_ha.errors import CloudUnreachableError, PolicyError
from instance_ha.model import Host, Segment
from instance_ha.simulation.fleet import SimRoll
from instance_ha.survey import Survey

NEW = Hypervisor(name="h1", up=True, zone="az1", aggregates=("rack-1",))
EVERY = EnrolPolicy(rule=Rule.SEGMENT, segment="cloud")
BY_HAND = Host(name="h7", uuid="u7", segment=Segment(uuid="s", name="s", recovery_method="auto"))
OURS = dataclasses.replace(BY_HAND, name="h8", uuid="u8", automatic=True)


def survey(*hosts: Host, now_s: float = 1000.0, **known) -> Survey:
    parts = {"verdicts": {}, "notifications": {}, "incidents": {}}
    return Survey(now_s=now_s, hosts={h.name: h for h in hosts}, **{**parts, **known})


def planned(*hypervisors, hosts=(), policy=EVERY, roll=(), now_s=1000.0, since_s=0.0, **known):
    seen = survey(*hosts, now_s=now_s, **known)
    watch = Watch().look(hypervisors, seen.hosts, now_s=since_s)
    return plan(hypervisors, survey=seen, roll=roll, watch=watch, policy=policy)


@pytest.mark.parametrize(
    ("changes", "segment"),
    [
        pytest.param({}, "cloud", id="one segment for all"),
        pytest.param({"policy": EnrolPolicy()}, "instance-ha", id="nothing chosen, nobody there"),
        pytest.param(
            {"policy": EnrolPolicy(), "hosts": [OURS]}, "instance-ha", id="only ours are there"
        ),
        pytest.param({"hosts": [BY_HAND]}, "cloud", id="chosen beside hosts placed by hand"),
        pytest.param({"policy": EnrolPolicy(rule=Rule.ZONE)}, "az1", id="by zone"),
        pytest.param({"policy": EnrolPolicy(rule=Rule.AGGREGATE)}, "rack-1", id="by aggregate"),
        pytest.param({"since_s": 700.0}, "cloud", id="new for just as long as it has to be"),
    ],
)
def test_a_new_hypervisor_is_enrolled(changes, segment):
    due = planned(NEW, **changes)

    assert due.add == {"h1": segment}
    assert "h1" not in due.left


@pytest.mark.parametrize(
    ("hypervisor", "changes", "word"),
    [
        pytest.param(NEW, {"since_s": 701.0}, "in 1 s unless a person", id="too new"),
        pytest.param(NEW, {"policy": EnrolPolicy(rule=Rule.OFF)}, "enrolment is off", id="off"),
        pytest.param(NEW, {"roll": {"h1"}}, "a person took it out", id="taken out by hand"),
        pytest.param(
            NEW,
            {"policy": EnrolPolicy(), "hosts": [BY_HAND]},
            "enrolled by hand here",
            id="nothing chosen, and people enrol by hand",
        ),
        pytest.param(dataclasses.replace(NEW, up=False), {}, "is down", id="down"),
        pytest.param(
            dataclasses.replace(NEW, moves_servers=False), {}, "bare metal", id="bare metal"
        ),
        pytest.param(
            dataclasses.replace(NEW, aggregates=()),
            {"policy": EnrolPolicy(rule=Rule.AGGREGATE)},
            "in no host aggregate",
            id="no aggregate",
        ),
        pytest.param(
            dataclasses.replace(NEW, zone=""),
            {"policy": EnrolPolicy(rule=Rule.ZONE)},
            "in no availability zone",
            id="no zone",
        ),
        pytest.param(
            dataclasses.replace(NEW, aggregates=("a", "b")),
            {"policy": EnrolPolicy(rule=Rule.AGGREGATE)},
            "--property instance-ha:segment=false",
            id="two aggregates",
        ),
    ],
)
def test_what_is_left_out_is_named_with_the_reason(hypervisor, changes, word):
    due = planned(hypervisor, **changes)

    assert not due.add
    assert word in due.left["h1"]


def test_who_has_a_segment_is_left_where_it_is():
    due = planned(dataclasses.replace(NEW, name="h7"), hosts=[BY_HAND])

    assert (due.add, due.drop, due.left) == ({}, (), {})


@pytest.mark.parametrize("since_s", [0.0, 400.0])
def test_a_retired_host_that_was_enrolled_by_rule_leaves(since_s):
    assert planned(NEW, hosts=[OURS], since_s=since_s).drop == ("h8",)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({"since_s": 401.0}, "leaves its segment in 1 s", id="gone just now"),
        pytest.param({"hosts": [BY_HAND]}, "instance-ha host remove h7", id="placed by hand"),
        pytest.param({"policy": EnrolPolicy(rule=Rule.OFF)}, "enrolment is off", id="rule off"),
        pytest.param({"alive": True}, "the machine is there", id="still seen on a network"),
        pytest.param({"lost": True}, "has an incident", id="under recovery"),
        pytest.param(
            {"hosts": [OURS, BY_HAND]}, "lost 2 of 2 hosts at once", id="too many at once"
        ),
    ],
)
def test_who_does_not_leave_is_named_with_the_reason(ordinary, changes, word):
    known = {"hosts": [OURS], **changes}
    name = known["hosts"][0].name
    if known.pop("alive", False):
        known["verdicts"] = {name: ordinary.verdict(states="down up down", host=name)}
    if known.pop("lost", False):
        known["incidents"] = {name: ordinary.incident(name)}

    due = planned(NEW, **known)

    assert not due.drop
    assert word in due.left[name]


def test_a_host_that_nobody_sees_any_more_leaves(ordinary):
    verdicts = {"h8": ordinary.verdict(states="down down down", host="h8")}

    assert planned(NEW, hosts=[OURS], verdicts=verdicts).drop == ("h8",)


def test_times_are_counted_from_the_first_look():
    first = Watch().look([NEW], ["h8"], now_s=10.0)
    again = first.look([NEW], ["h8"], now_s=20.0)

    assert (again.new_since_s, again.gone_since_s) == ({"h1": 10.0}, {"h8": 10.0})
    assert again.look([], [], now_s=30.0) == Watch(), "who is enrolled or gone is forgotten"


@pytest.mark.parametrize("wrong", [{"segment": ""}, {"rule": "rack"}])
def test_a_choice_that_means_nothing_is_refused(wrong):
    with pytest.raises(PolicyError, match=r"^enrol"):
        EnrolPolicy(**wrong)


class Fleet:
    """A fleet that remembers what was asked of it."""

    def __init__(self, *hypervisors: Hypervisor) -> None:
        self.present = list(hypervisors)
        self.enrolled: list[tuple[str, str]] = []
        self.dismissed: list[str] = []
        self.declines: set[str] = set()

    def hypervisors(self) -> list[Hypervisor]:
        return self.present

    def enrol(self, host: str, *, segment: str) -> None:
        self._ask(host)
        self.enrolled.append((host, segment))

    def dismiss(self, host: Host) -> None:
        self._ask(host.name)
        self.dismissed.append(host.name)

    def _ask(self, host: str) -> None:
        if host in self.declines:
            raise CloudUnreachableError(f"masakari declines {host}")


def fleet_of(number: int) -> Fleet:
    return Fleet(*(dataclasses.replace(NEW, name=f"h{k:02}") for k in range(number)))


@pytest.fixture
def roll():
    return SimRoll()


@pytest.fixture
def duty(roll):
    def make(fleet: Fleet, **changes) -> Enrolling:
        policy = dataclasses.replace(EVERY, wait_s=0.0, gone_after_s=0.0, **changes)
        return Enrolling(fleet=fleet, roll=roll, policy=policy)

    return make


def test_a_few_are_enrolled_in_each_turn(duty, roll):
    fleet = fleet_of(7)
    enrolling = duty(fleet)

    enrolling.attend(survey())
    assert len(fleet.enrolled) == 5, "no host is looked at meanwhile"
    enrolling.attend(survey(now_s=1010.0))

    assert [name for name, _ in fleet.enrolled] == [f"h{k:02}" for k in range(7)]
    assert roll.names() == {f"h{k:02}" for k in range(7)}


def test_an_old_survey_leads_to_no_second_change_nor_to_a_false_word(duty, caplog):
    fleet = Fleet(NEW)
    enrolling = duty(fleet)

    enrolling.attend(survey())
    enrolling.attend(survey(now_s=1010.0))

    assert fleet.enrolled == [("h1", "cloud")]
    assert "took it out" not in caplog.text


def test_one_that_is_declined_keeps_no_other_waiting(duty):
    fleet = fleet_of(2)
    fleet.declines = {"h00"}
    enrolling = duty(fleet)

    with pytest.raises(CloudUnreachableError):
        enrolling.attend(survey())
    enrolling.attend(survey(now_s=1010.0))
    assert fleet.enrolled == [("h01", "cloud")]

    fleet.declines.clear()
    enrolling.attend(survey(now_s=1060.0))
    assert ("h00", "cloud") in fleet.enrolled, "it is tried again after a while"


def test_who_leaves_may_come_back_as_somebody_new(duty, roll):
    fleet = Fleet(NEW)
    roll.add("h8")
    enrolling = duty(fleet)

    enrolling.attend(survey(OURS))

    assert fleet.dismissed == ["h8"]
    assert "h8" not in roll.names()


def test_the_roll_is_completed_and_cleared(duty, roll):
    enrolling = duty(Fleet(NEW, dataclasses.replace(NEW, name="h8")))
    roll.add("h9")

    enrolling.attend(survey(OURS))

    assert roll.names() == {"h1", "h8"}, "h8 was enrolled and not written down; h9 is gone"


def test_nobody_is_struck_off_the_roll_while_nova_shows_nothing(duty, roll):
    roll.add("h9")

    duty(Fleet()).attend(survey())

    assert roll.names() == {"h9"}


def test_a_reason_is_said_as_it_begins_and_not_at_every_look(caplog):
    enrolling = Enrolling(fleet=Fleet(NEW), roll=SimRoll(), policy=EVERY)

    for second in (1000.0, 1010.0, 1020.0):
        enrolling.attend(survey(now_s=second))

    assert caplog.text.count("it is new") == 1
