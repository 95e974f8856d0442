# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instance_ha.guards import Hold
from instance_ha.model import (
    Action,
    ComputeService,
    IncidentState,
    NotificationStatus,
    Reach,
)
from instance_ha.steps import UNFINISHED, Act, Step, next_step

HOLD = Hold(guard="segment", reason="it is disabled", look_again_s=1.0)
CLOSED, HELD, OPEN, RECOVERED, RECOVERING = (
    IncidentState.CLOSED,
    IncidentState.HELD,
    IncidentState.OPEN,
    IncidentState.RECOVERED,
    IncidentState.RECOVERING,
)
WELL, LOST, UNCLEAR = "up up up", "down down down", "unknown unknown unknown"
BACK = ComputeService(up=False, enabled=False, forced_down=True)
WORKING = ComputeService(up=True, enabled=True, forced_down=False)


@pytest.fixture
def step(ordinary):
    def ask(*, state=OPEN, known=None, status=None, reason="storage down", **changes):
        notification = changes.pop("notification", None)
        if status is not None:
            notification = ordinary.notification(status)
        incident = ordinary.incident(state=state, notification=known, reason=reason)
        case = ordinary.case(incident=incident, notification=notification, **changes)
        return next_step(case, policy=ordinary.policy)

    return ask


def following(step, status: str, **changes) -> Step | None:
    return step(state=RECOVERING, known="n-1", status=NotificationStatus(status), **changes)


def test_a_lost_host_is_notified(step):
    assert step().act is Act.NOTIFY
    assert step(state=HELD).act is Act.NOTIFY, "a hold that is over"


def test_a_held_host_is_not(step):
    held = step(hold=HOLD)

    assert (held.act, held.state) == (Act.NOTHING, HELD)
    assert held.reason == "held by segment: it is disabled"


@pytest.mark.parametrize("state", [OPEN, HELD])
def test_a_host_that_comes_back_before_anything_was_never_lost(step, state):
    closed = step(state=state, states=WELL)

    assert (closed.act, closed.state) == (Act.NOTHING, CLOSED)
    assert closed.reason == "was never lost: management, tenant and storage up"


@pytest.mark.parametrize("states", [UNCLEAR, "left left left"])
def test_while_it_is_unclear_nothing_is_done(step, states):
    assert step(states=states) is None


def test_what_a_dead_controller_sent_is_taken_over(step):
    for status in NotificationStatus:
        adopted = step(status=status)

        assert (adopted.act, adopted.state, adopted.notification) == (
            Act.NOTHING,
            RECOVERING,
            "n-1",
        )


def test_a_notification_of_an_earlier_loss_is_not_taken_over(step, ordinary):
    old = ordinary.notification(NotificationStatus.FINISHED, generated_at_s=900.0)

    assert step(notification=old).act is Act.NOTIFY


def test_an_unfinished_notification_is_followed_however_old(step, ordinary):
    old = ordinary.notification(NotificationStatus.RUNNING, generated_at_s=900.0)

    assert step(notification=old).notification == "n-1"


@pytest.mark.parametrize("state", [OPEN, HELD])
def test_a_recovery_that_was_lost_sight_of_is_over_all_the_same(step, state):
    """Who begins to act may know Masakari's list from before the notification."""
    out_of_sight = {"state": state, "known": "n-1", "status": NotificationStatus.FINISHED}

    assert step(**out_of_sight, hold=HOLD).state is RECOVERED
    assert step(**out_of_sight, hold=HOLD, servers_left=1).state is HELD


def test_a_new_notification_waits_and_then_says_so(step):
    assert following(step, "new") is None
    assert "check that masakari-engine runs" in following(step, "new", now_s=1030.0).reason


@pytest.mark.parametrize(
    ("now_s", "last_beat_s", "act"),
    [
        pytest.param(1030.9, None, Act.NOTHING, id="it has just begun"),
        pytest.param(1031.0, None, Act.RELEASE, id="silent since it began"),
        pytest.param(1060.0, 1040.0, Act.NOTHING, id="beats"),
        pytest.param(1070.0, 1040.0, Act.RELEASE, id="stopped beating"),
    ],
)
def test_an_orphan_is_given_back(step, now_s, last_beat_s, act):
    taken = following(step, "running", now_s=now_s, last_beat_s=last_beat_s)

    assert (taken.act, taken.state) == (act, RECOVERING)


def test_an_error_waits_for_the_engine(step):
    assert following(step, "error").act is Act.NOTHING


@pytest.mark.parametrize("status", ["failed", "ignored"])
def test_what_masakari_gave_up_begins_again(step, ordinary, status):
    again = following(step, status, host=ordinary.host(on_maintenance=True))

    assert (again.act, again.state) == (Act.END_MAINTENANCE, OPEN)
    assert following(step, status).act is Act.END_MAINTENANCE, "the flag may not show yet"


def test_finished_is_recovered_only_once_no_server_is_left(step):
    assert following(step, "finished").state is RECOVERED
    assert following(step, "finished", servers_left=2).state is OPEN


def test_a_host_that_returns_while_it_is_recovered_waits(step):
    assert "wait for the end" in following(step, "running", states=WELL).reason


def test_a_notification_that_masakari_lost_begins_again(step, ordinary):
    assert step(state=RECOVERING, known="n-1").state is OPEN
    newer = ordinary.notification(NotificationStatus.NEW, uuid="n-2")
    assert step(state=RECOVERING, known="n-1", notification=newer).notification == "n-2"
    older = ordinary.notification(NotificationStatus.FAILED, uuid="n-0", generated_at_s=900.0)
    assert step(state=RECOVERING, known="n-1", notification=older).state is OPEN


@pytest.mark.parametrize(
    ("enabled", "servers_left"),
    [
        pytest.param(False, 0, id="nobody put it to work"),
        pytest.param(False, 1, id="a server that nova had under way to it"),
        pytest.param(True, 0, id="enabled, and nothing is placed on it"),
    ],
)
def test_a_recovered_host_that_stays_away_is_left_alone(step, ordinary, enabled, servers_left):
    service = ComputeService(up=False, enabled=enabled, forced_down=True)
    away = {"host": ordinary.host(service=service), "servers_left": servers_left}

    assert step(state=RECOVERED, known="n-1", **away) is None
    assert step(state=RECOVERED, known="n-1", states=UNCLEAR, **away) is None


@pytest.mark.parametrize(
    ("on_maintenance", "act"), [(True, Act.END_MAINTENANCE), (False, Act.NOTHING)]
)
def test_a_host_that_got_servers_and_is_lost_again_is_another_loss(
    step, ordinary, on_maintenance, act
):
    again = {
        "state": RECOVERED,
        "known": "n-1",
        "host": ordinary.host(on_maintenance=on_maintenance),
        "servers_left": 2,
    }

    closed = step(**again)

    assert (closed.act, closed.state) == (act, CLOSED)
    assert "lost again" in closed.reason
    assert step(**again, states=UNCLEAR) is None


@pytest.mark.parametrize(("state", "known"), [(RECOVERED, "n-1"), (OPEN, "n-1"), (HELD, "n-1")])
def test_a_host_returns_once_it_was_well_for_long(step, ordinary, state, known):
    host = ordinary.host(on_maintenance=True, service=BACK)
    back = {"state": state, "known": known, "states": WELL, "host": host, "well_since_s": 1000.0}

    early, due = step(**back, now_s=1059.0), step(**back, now_s=1060.0)

    assert (early.act, early.state) == (Act.NOTHING, state)
    assert (due.act, due.state) == (Act.RETURN, CLOSED)


@pytest.mark.parametrize(
    "service",
    [None, ComputeService(up=False, enabled=False, forced_down=False)],
    ids=["unknown to nova", "down"],
)
def test_a_host_without_a_running_compute_service_waits(step, ordinary, service):
    host = ordinary.host(on_maintenance=True, service=service)

    waits = step(state=RECOVERED, states=WELL, host=host, well_since_s=1000.0, now_s=1100.0)

    assert (waits.act, waits.state) == (Act.NOTHING, RECOVERED)
    assert "nova-compute" in waits.reason


def test_a_host_that_its_operator_put_back_is_done(step, ordinary):
    back = step(
        state=RECOVERED, states=WELL, host=ordinary.host(service=WORKING), well_since_s=1009.0
    )

    assert (back.act, back.state) == (Act.OPEN_STORAGE, CLOSED)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        pytest.param("up down up", "tenant down, management and storage up", id="down"),
        pytest.param("up unknown up", "of an unknown network nobody can speak", id="blind"),
    ],
)
def test_a_host_that_is_not_up_on_every_network_waits_and_says_so(step, ordinary, states, said):
    back = {"state": RECOVERED, "states": states, "now_s": 2000.0, "well_since_s": None}

    waits = step(**back, host=ordinary.host(on_maintenance=True, service=BACK))

    assert (waits.act, waits.state) == (Act.NOTHING, RECOVERED)
    assert said in waits.reason
    assert step(**back, host=ordinary.host(service=WORKING)).state is CLOSED, "its operator's"


def test_a_host_whose_networks_are_about_to_change_is_not_put_back(step, ordinary):
    host = ordinary.host(on_maintenance=True, service=BACK)

    assert step(state=RECOVERED, states=WELL, host=host, well_since_s=None, now_s=2000.0) is None


def test_a_host_that_is_not_enrolled_any_more_is_let_go(step):
    assert step(host=None).state is CLOSED
    assert step(host=None, status=NotificationStatus.RUNNING) is None
    assert step(host=None, status=NotificationStatus.FINISHED).state is CLOSED


@pytest.fixture(scope="session")
def cases(ordinary):
    """Return a strategy of everything that can be known of one host."""
    incidents = st.builds(
        ordinary.incident,
        state=st.sampled_from([OPEN, HELD, RECOVERING, RECOVERED]),
        notification=st.sampled_from([None, "n-1"]),
    )
    notifications = st.builds(
        ordinary.notification,
        st.sampled_from(NotificationStatus),
        generated_at_s=st.sampled_from([500.0, 1005.0]),
        uuid=st.sampled_from(["n-1", "n-2"]),
    )
    services = st.builds(
        ComputeService, up=st.booleans(), enabled=st.booleans(), forced_down=st.booleans()
    )
    return st.builds(
        ordinary.case,
        states=st.sampled_from([WELL, LOST, UNCLEAR])
        | st.lists(st.sampled_from(Reach), min_size=3, max_size=3).map(" ".join),
        now_s=st.integers(1000, 1300).map(float),
        incident=incidents,
        host=st.none() | st.builds(ordinary.host, on_maintenance=st.booleans(), service=services),
        notification=st.none() | notifications,
        hold=st.sampled_from([None, HOLD]),
        servers_left=st.integers(0, 2),
        last_beat_s=st.sampled_from([None, 1000.0, 1200.0]),
        well_since_s=st.sampled_from([None, 1000.0, 1200.0]),
    )


@settings(max_examples=300)
@given(data=st.data())
def test_nobody_is_notified_but_lost_hosts_that_no_guard_holds(ordinary, cases, data):
    case = data.draw(cases)
    step = next_step(case, policy=ordinary.policy)

    if step is not None and step.act is Act.NOTIFY:
        assert case.verdict.action is Action.RECOVERY
        assert case.hold is None
        assert case.host is not None
        assert case.incident.state in {OPEN, HELD}
        assert case.notification is None or case.notification.status not in UNFINISHED


@settings(max_examples=300)
@given(data=st.data())
def test_nothing_is_put_back_to_work_that_was_not_well_for_long(ordinary, cases, data):
    case = data.draw(cases)
    step = next_step(case, policy=ordinary.policy)

    if step is not None and step.act is Act.RETURN:
        assert set(case.verdict.reach.values()) == {Reach.UP}
        assert case.now_s - case.well_since_s >= ordinary.policy.return_after_s
        assert case.incident.state is not RECOVERING


@settings(max_examples=300)
@given(data=st.data())
def test_only_a_host_that_is_well_or_gone_or_lost_at_work_is_closed(ordinary, cases, data):
    case = data.draw(cases)
    step = next_step(case, policy=ordinary.policy)

    if step is not None and step.state is CLOSED:
        lost_at_work = case.incident.state is RECOVERED and case.servers_left > 0
        assert case.host is None or case.verdict.alive or lost_at_work


@settings(max_examples=300)
@given(data=st.data())
def test_a_step_that_changes_nothing_asks_for_nothing_new(ordinary, cases, data):
    """A notification or a return always moves the incident on, so neither can be repeated."""
    case = data.draw(cases)
    step = next_step(case, policy=ordinary.policy)

    if step is not None and step.act in {Act.NOTIFY, Act.RETURN}:
        assert step.state is not case.incident.state
