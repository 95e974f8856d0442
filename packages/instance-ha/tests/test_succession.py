# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.model import ComputeService, NotificationStatus
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.memory import LeaseRow, MemoryJournal, MemoryLease
from instance_ha.succession import Succession, still_counts

WORKING = ComputeService(up=True, enabled=True, forced_down=False)
FINISHED, RUNNING = NotificationStatus.FINISHED, NotificationStatus.RUNNING


def service(reason: str, *, forced_down: bool = False) -> ComputeService:
    return ComputeService(up=False, enabled=False, forced_down=forced_down, disabled_reason=reason)


OUT = service("Masakari detected host failed.", forced_down=True)


@pytest.mark.parametrize(
    ("known", "newest", "found", "counts"),
    [
        pytest.param("n-1", FINISHED, OUT, True, id="recovered, and out ever since"),
        pytest.param("n-1", None, OUT, True, id="for longer than masakari was asked for"),
        pytest.param("n-1", FINISHED, service(OUT.disabled_reason), True, id="returned by half"),
        pytest.param(
            "n-1", FINISHED, service("broken", forced_down=True), True, id="by another reason"
        ),
        pytest.param("n-1", RUNNING, WORKING, True, id="its recovery has just begun"),
        pytest.param("n-1", FINISHED, WORKING, False, id="back at work"),
        pytest.param("n-1", FINISHED, service("disk swap"), False, id="back as its operator has"),
        pytest.param(
            "n-1", FINISHED, service("instance-ha: reserved host"), False, id="back as a reserve"
        ),
        pytest.param("n-1", FINISHED, None, False, id="nova does not know it"),
        pytest.param("n-0", FINISHED, OUT, False, id="lost anew, and told of by another"),
        pytest.param(None, None, OUT, False, id="nobody was told of it"),
    ],
)
def test_what_another_ended_meanwhile_counts_no_more(ordinary, known, newest, found, counts):
    said = still_counts(
        ordinary.incident(notification=known),
        host=ordinary.host(service=found),
        newest=None if newest is None else ordinary.notification(newest),
        policy=ordinary.policy,
    )

    assert said is counts


class OneHost:
    """A Masakari that knows h1, at work."""

    def __init__(self, host) -> None:
        self.known = [host]
        self.asked = 0

    def hosts(self):
        self.asked += 1
        return self.known

    def notifications(self):
        return {}


@pytest.fixture
def clock():
    return SimClock()


@pytest.fixture
def journal():
    made = MemoryJournal()
    made.open("h1", segment="rack-1", at_s=0.0, reason="lost")
    return made


@pytest.fixture
def cloud(ordinary):
    return OneHost(ordinary.host(service=WORKING))


@pytest.fixture
def make(cloud, journal, clock, ordinary):
    row = LeaseRow()

    def one(name):
        return Succession(
            MemoryLease(row, holder=name, clock=clock),
            cloud=cloud,
            journal=journal,
            clock=clock,
            policy=ordinary.policy,
            actor=f"controller@{name}",
        )

    return one


def test_only_who_begins_to_act_looks_at_what_is_left(make, journal, cloud, clock):
    me = make("me")

    assert me.take(ttl_s=7.0)
    assert journal.unclosed() == {}
    (event,) = journal.events(journal.incidents()[-1])
    assert (event.kind, event.actor) == ("closed", "controller@me")

    journal.open("h1", segment="rack-1", at_s=1.0, reason="lost again")
    clock.sleep(1.0)
    assert me.take(ttl_s=7.0)
    assert set(journal.unclosed()) == {"h1"}, "it is its own"
    assert cloud.asked == 1


def test_who_stands_by_closes_nothing(make, journal):
    other, me = make("other"), make("me")
    other.take(ttl_s=7.0)
    journal.open("h1", segment="rack-1", at_s=1.0, reason="lost again")

    assert not me.take(ttl_s=7.0)
    assert set(journal.unclosed()) == {"h1"}

    other.give_up()
    assert me.take(ttl_s=7.0)
    assert journal.unclosed() == {}


def test_who_slept_for_longer_than_its_lease_looks_again(make, journal, clock):
    me = make("me")
    me.take(ttl_s=7.0)
    journal.open("h1", segment="rack-1", at_s=1.0, reason="lost again")
    clock.sleep(7.0)

    assert me.take(ttl_s=7.0)
    assert journal.unclosed() == {}


def test_a_host_that_is_not_enrolled_is_left_to_the_controller(make, journal, cloud):
    cloud.known = []

    make("me").take(ttl_s=7.0)

    assert set(journal.unclosed()) == {"h1"}


def test_where_nothing_is_left_nobody_is_asked(make, journal, cloud, clock):
    me = make("me")
    me.take(ttl_s=7.0)
    clock.sleep(10.0)

    me.take(ttl_s=7.0)

    assert cloud.asked == 1
