# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha import homecoming
from instance_ha.model import ComputeService, Event, Role, Segment
from instance_ha.past import DISABLED_BEFORE, RETURN_ASKED, SPENT_RESERVE, Past, recall

FENCED_S = 1000.0
MASAKARI = "Masakari detected host failed."
UP = ComputeService(
    up=True, enabled=False, forced_down=False, disabled_reason=MASAKARI, updated_at_s=1095.0
)
FORCED = dataclasses.replace(UP, up=False, forced_down=True)
NEVER_FENCED = Past()
FENCED = Past(settled_at_s=FENCED_S, touched_at_s=FENCED_S)


def event(kind: str, at_s: float, **detail: str) -> Event:
    return Event(at_s=at_s, actor="controller", kind=kind, text="", detail=detail)


@pytest.fixture
def waits(ordinary):
    def ask(service, *, past=FENCED, now_s=1100.0, well_since_s=1020.0, **policy):
        return homecoming.waits_for(
            ordinary.host(service=service, on_maintenance=True),
            past=past,
            now_s=now_s,
            well_since_s=well_since_s,
            policy=dataclasses.replace(ordinary.policy, **policy),
        )

    return ask


@pytest.fixture
def choose(ordinary):
    def ask(service=FORCED, *, past=FENCED, method="auto", reserved=False, **policy):
        segment = Segment(uuid="s", name="rack-1", recovery_method=method)
        host = ordinary.host(service=service, segment=segment, reserved=reserved)
        return homecoming.choose(
            host, past=past, policy=dataclasses.replace(ordinary.policy, **policy)
        )

    return ask


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({}, None, id="well for long and heard of since the fence"),
        pytest.param({"service": FORCED}, None, id="forced down, as every fenced host is"),
        pytest.param({"well_since_s": 1041.0}, "60 s", id="well, but not for long"),
        pytest.param(
            {"well_since_s": 1100.0, "return_after_s": 0.0}, None, id="it need not be long"
        ),
        pytest.param(
            {"well_since_s": 900.0, "past": Past(settled_at_s=1050.0)},
            "60 s",
            id="what was seen before the fence does not count",
        ),
        pytest.param(
            {"now_s": 900.0, "well_since_s": 850.0},
            "60 s",
            id="by a clock that is a little ahead of ours it has not been long",
        ),
        pytest.param(
            {"now_s": -2500.0, "well_since_s": -2561.0},
            None,
            id="a clock far ahead of ours holds nobody for hours",
        ),
        pytest.param(
            {
                "now_s": 4700.0,
                "well_since_s": 4630.0,
                "past": Past(settled_at_s=4600.0, touched_at_s=FENCED_S),
            },
            None,
            id="nor does ours that is far ahead of Nova's",
        ),
        pytest.param({"service": None}, "nova-compute", id="nova does not know it"),
        pytest.param(
            {"service": dataclasses.replace(FORCED, forced_down=False)},
            "nova-compute",
            id="nova sees it down",
        ),
        pytest.param(
            {"service": dataclasses.replace(FORCED, updated_at_s=1005.0)},
            "since the fence",
            id="nova's row was last written by the recovery itself",
        ),
        pytest.param(
            {"service": dataclasses.replace(FORCED, updated_at_s=None)},
            "since the fence",
            id="nova never heard of it",
        ),
        pytest.param(
            {"service": dataclasses.replace(UP, updated_at_s=None), "past": NEVER_FENCED},
            None,
            id="never fenced, so there is nothing to be later than",
        ),
        pytest.param(
            {"returns_by_itself": False}, "instance-ha host return h1", id="a person has to ask"
        ),
        pytest.param(
            {"returns_by_itself": False, "past": Past(settled_at_s=1000.0, return_asked_by="jo")},
            None,
            id="a person has asked",
        ),
    ],
)
def test_what_a_host_waits_for(waits, changes, word):
    reason = waits(**{"service": UP, **changes})

    assert reason is None if word is None else word in reason


@pytest.mark.parametrize(
    ("service", "maintenance", "back"),
    [
        pytest.param(dataclasses.replace(UP, enabled=True), False, True, id="at work"),
        pytest.param(UP, False, False, id="still disabled by masakari"),
        pytest.param(
            dataclasses.replace(UP, disabled_reason="disk swap"), False, True, id="by a person"
        ),
        pytest.param(dataclasses.replace(UP, enabled=True), True, False, id="on maintenance"),
        pytest.param(FORCED, False, False, id="forced down"),
        pytest.param(None, False, False, id="unknown to nova"),
        pytest.param(
            dataclasses.replace(UP, enabled=True, updated_at_s=990.0), False, False, id="stale"
        ),
    ],
)
def test_who_was_put_back_by_somebody_else(ordinary, service, maintenance, back):
    host = ordinary.host(service=service, on_maintenance=maintenance)

    assert homecoming.is_back(host, past=FENCED, policy=ordinary.policy) is back


@pytest.mark.parametrize(
    ("changes", "role", "shown"),
    [
        pytest.param({}, Role.WORK, "", id="as any host"),
        pytest.param({"service": None}, Role.WORK, "", id="nova says nothing of it"),
        pytest.param(
            {"past": Past(disabled_before="disk swap")},
            Role.DISABLED,
            "disk swap",
            id="disabled before it was lost",
        ),
        pytest.param(
            {"past": Past(disabled_before="")}, Role.DISABLED, "", id="disabled without a word"
        ),
        pytest.param(
            {"service": dataclasses.replace(FORCED, disabled_reason="keep off")},
            Role.DISABLED,
            "keep off",
            id="disabled by a person while it was away",
        ),
        pytest.param(
            {"reserved": True, "past": Past(disabled_before="spare")},
            Role.RESERVE,
            "instance-ha: reserved host",
            id="a reserve stays one",
        ),
        pytest.param(
            {"past": Past(reserved_before=True)},
            Role.RESERVE,
            "instance-ha: reserved host",
            id="a reserve whose flag masakari took away",
        ),
        pytest.param(
            {
                "service": dataclasses.replace(UP, disabled_reason="spare"),
                "past": Past(reserved_before=True, disabled_before="spare"),
            },
            Role.RESERVE,
            "instance-ha: reserved host",
            id="a reserve whose recovery did not get as far as nova",
        ),
        pytest.param(
            {
                "service": dataclasses.replace(FORCED, disabled_reason="keep off"),
                "past": Past(reserved_before=True, disabled_before="spare"),
            },
            Role.DISABLED,
            "keep off",
            id="a reserve of which a person has said something else since",
        ),
        pytest.param(
            {"past": Past(spent_reserve="h9"), "method": "reserved_host"},
            Role.RESERVE,
            "instance-ha: reserved host",
            id="takes the place of the reserve that took over",
        ),
        pytest.param(
            {"past": Past(spent_reserve="h9"), "method": "auto"},
            Role.WORK,
            "",
            id="the segment has no use for reserves any more",
        ),
        pytest.param(
            {
                "past": Past(spent_reserve="h9"),
                "method": "rh_priority",
                "refills_reserve": False,
            },
            Role.WORK,
            "",
            id="the operator refills the pool by hand",
        ),
    ],
)
def test_as_what_a_host_comes_back(choose, changes, role, shown):
    back = choose(**changes)

    assert (back.role, back.disabled_for) == (role, shown)
    assert back.reason.startswith("back")


@pytest.mark.parametrize(
    ("service", "back"),
    [
        pytest.param(
            dataclasses.replace(UP, disabled_reason="spare"), False, id="disabled as it was"
        ),
        pytest.param(
            dataclasses.replace(UP, disabled_reason="instance-ha: reserved host"),
            False,
            id="disabled as we had it",
        ),
        pytest.param(
            dataclasses.replace(UP, disabled_reason="keep off"), True, id="disabled anew"
        ),
        pytest.param(dataclasses.replace(UP, enabled=True), True, id="put to work"),
    ],
)
def test_a_reserve_is_not_back_before_it_is_a_reserve_again(ordinary, service, back):
    past = dataclasses.replace(FENCED, reserved_before=True, disabled_before="spare")
    host = ordinary.host(service=service)

    assert homecoming.is_back(host, past=past, policy=ordinary.policy) is back


def test_a_service_that_we_disabled_ourselves_is_no_persons_doing(choose):
    half_way = dataclasses.replace(UP, disabled_reason="instance-ha: about to be enabled")

    assert choose(half_way).role is Role.WORK


def test_the_past_is_read_off_the_timeline():
    past = recall(
        [
            event("before", 10.0, **{DISABLED_BEFORE: "disk swap"}),
            event("proof", 20.0, method="maas"),
            event("force-down", 21.0),
            event("reserve", 22.0, **{SPENT_RESERVE: "h9"}),
            event("evacuate", 23.0),
            event("active", 25.0),
            event("recovered", 30.0),
            event("return", 40.0, **{RETURN_ASKED: "jo"}),
        ]
    )

    assert past == Past(
        settled_at_s=30.0,
        touched_at_s=25.0,
        disabled_before="disk swap",
        return_asked_by="jo",
        spent_reserve="h9",
    )


def test_a_recovery_of_which_no_engine_told_counts_from_its_end():
    assert recall([event("recovered", 30.0)]) == Past(settled_at_s=30.0, touched_at_s=30.0)


def test_who_is_fenced_again_has_to_be_asked_for_again():
    past = recall([event("return", 40.0, **{RETURN_ASKED: "jo"}), event("proof", 50.0)])

    assert (past.settled_at_s, past.return_asked_by) == (50.0, "")


def test_a_timeline_that_nothing_happened_in():
    assert recall([event("verdict", 1.0)]) == Past()
