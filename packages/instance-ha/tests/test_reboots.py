# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.errors import StoreUnreachableError
from instance_ha.muster import Muster
from instance_ha.names import Finding
from instance_ha.reboots import SHOWN_S, Boot, Reboots
from instance_ha.survey import Survey

NOW_S = 10_000.0


class Book:
    """Keeps boots in memory, and knows which hosts were recovered, and when they were lost."""

    def __init__(self) -> None:
        self.known: dict[str, Boot] = {}
        self.losses: dict[str, float] = {}

    def boots(self):
        return dict(self.known)

    def note(self, host: str, boot: Boot) -> None:
        self.known[host] = boot

    def was_recovered(self, host: str, *, since_s: float) -> bool:
        return self.losses.get(host, float("-inf")) >= since_s


class Board:
    """Keeps what is up, with the time since when, as the store does."""

    def __init__(self) -> None:
        self.up: list[tuple[Finding, float]] = []
        self.reachable = True

    def post(self, findings, *, at_s: float) -> None:
        if not self.reachable:
            raise StoreUnreachableError("the store is away")
        since = dict(self.up)
        self.up = [(finding, since.get(finding, at_s)) for finding in findings]

    def found(self):
        return self.up

    def told(self) -> list[tuple[str, str]]:
        return [(finding.about, finding.kind) for finding, _ in self.up]


class Nobody:
    """A fleet and an observer that know no host, so that nothing else is found."""

    def hypervisors(self):
        return []

    def observe(self):
        return {}


class Machines:
    """Hosts that published the ids of their boots, and the duty that reads them."""

    def __init__(self, ordinary) -> None:
        self.boots = {"h1": "a", "h2": "a"}
        self.book = Book()
        self.board = Board()
        self._ordinary = ordinary
        self.on_maintenance = False
        self.restart_controller()

    def restart_controller(self) -> None:
        self._duty = Muster(
            fleet=Nobody(),
            observer=Nobody(),
            board=self.board,
            targets=lambda: None,
            reboots=Reboots(published=lambda: self.boots, book=self.book, board=self.board),
        )

    def look(self, now_s: float = NOW_S, *, enrolled: bool = True) -> list[tuple[str, str]]:
        host = self._ordinary.host("h1", on_maintenance=self.on_maintenance)
        survey = Survey(
            now_s=now_s,
            verdicts={},
            hosts={"h1": host} if enrolled else {},
            notifications={},
            incidents={},
        )
        self._duty.attend(survey)
        return [(about, kind) for about, kind in self.board.told() if kind == REBOOTED]


REBOOTED = "rebooted-unnoticed"


@pytest.fixture
def machines(ordinary) -> Machines:
    made = Machines(ordinary)
    made.look(NOW_S - 100)
    return made


def test_a_reboot_that_no_network_noticed_is_found(machines):
    assert machines.look() == [], "the first boot that is seen is none"
    machines.boots["h1"] = "b"

    assert machines.look() == [("h1", REBOOTED)]

    ((found, since_s),) = [up for up in machines.board.up if up[0].kind == REBOOTED]
    assert since_s == NOW_S
    assert str(found) == (
        "h1: it rebooted unnoticed, shortly before 1970-01-01 02:46:40 UTC; its servers may be "
        "down; see: openstack server list --all-projects --host h1, and start those that are "
        "SHUTOFF"
    )


def test_it_stays_up_for_a_day_and_outlives_the_controller(machines):
    machines.boots["h1"] = "b"
    machines.look()
    machines.restart_controller()

    assert machines.look(NOW_S + 15) == [("h1", REBOOTED)]
    assert machines.look(NOW_S + SHOWN_S - 1) == [("h1", REBOOTED)]
    assert machines.look(NOW_S + SHOWN_S) == []


def test_a_second_reboot_takes_the_place_of_the_first(machines):
    machines.boots["h1"] = "b"
    machines.look()
    machines.boots["h1"] = "c"

    assert machines.look(NOW_S + 60) == [("h1", REBOOTED)]
    assert "02:47:40" in machines.board.up[0][0].fact


def test_what_could_not_be_posted_is_found_again(machines):
    machines.boots["h1"] = "b"
    machines.board.reachable = False
    with pytest.raises(StoreUnreachableError):
        machines.look()
    machines.board.reachable = True

    assert machines.look() == [("h1", REBOOTED)]


@pytest.mark.parametrize(
    ("lost_s", "found"),
    [
        pytest.param(NOW_S - 50, [], id="a loss since the last boot explains it"),
        pytest.param(NOW_S - 500, [("h1", REBOOTED)], id="an older one does not"),
    ],
)
def test_a_recovery_explains_a_reboot(machines, lost_s, found):
    machines.book.losses["h1"] = lost_s
    machines.boots["h1"] = "b"

    assert machines.look() == found
    assert machines.book.known["h1"] == Boot(id="b", since_s=NOW_S)


def test_a_host_on_maintenance_reboots_as_it_likes(machines):
    machines.on_maintenance = True
    machines.boots["h1"] = "b"

    assert machines.look() == []


def test_a_host_that_is_not_enrolled_is_nobodys_concern(machines):
    machines.boots["h2"] = "b"

    assert machines.look() == []
    assert machines.look(enrolled=False) == []


def test_other_findings_are_not_kept_up_for_a_day(machines):
    other = Finding(kind="stranger", about="h9", fact="f", consequence="c", advice="a")
    machines.board.post([dataclasses.replace(other)], at_s=NOW_S)
    machines.boots["h1"] = "b"

    machines.look()

    assert ("h9", "stranger") not in machines.board.told()
