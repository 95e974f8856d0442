# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.enrolment import Hypervisor
from instance_ha.errors import StoreUnreachableError
from instance_ha.model import Network, Reach
from instance_ha.muster import Muster
from instance_ha.names import Finding, Names, compare
from instance_ha.survey import Survey

MANAGEMENT, TENANT, STORAGE = Network


def names(*, nova: str = "h1 h2", enrolled: str = "h1 h2", targets: str | None = None, **observed):
    """Return names; a network that is not said is observed as Nova has it."""
    seen = {n: set(observed.get(n.value, nova).split()) for n in Network}
    listed = None if targets is None else dict.fromkeys(targets.split(), "")
    return Names(
        nova=set(nova.split()), enrolled=set(enrolled.split()), observed=seen, targets=listed
    )


def told(found: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.about, finding.kind) for finding in found]


def test_a_fence_path_that_failed_its_test_leaves_a_host_without_protection():
    hosts = {"h1", "h2"}
    said = {"h1": "", "h2": "maas: the power state is error: check its BMC"}
    found = compare(Names(nova=hosts, enrolled=hosts, observed={}, targets=said))

    assert told(found) == [("h2", "broken-fence-path")]
    assert "the power state is error" in str(found[0])


def test_names_that_agree_lead_to_nothing():
    assert compare(names(targets="h1 h2")) == []


@pytest.mark.parametrize(
    ("said", "finds"),
    [
        pytest.param(names(enrolled="h1"), [("h2", "not-enrolled")], id="not enrolled"),
        pytest.param(
            names(nova="h1 h2.maas", enrolled="h1 h2"),
            [("h2", "misnamed"), ("h2.maas", "misnamed")],
            id="nova has the FQDN, masakari the short name",
        ),
        pytest.param(
            names(nova="h1 H2", enrolled="h1 h2"),
            [("H2", "misnamed"), ("h2", "misnamed")],
            id="case",
        ),
        pytest.param(
            names(nova="h1", enrolled="h1 h2", storage="h1 h2", tenant="h1 h2",
                  management="h1 h2"),
            [("h2", "unknown-to-nova")],
            id="nova lacks it",
        ),
        pytest.param(names(storage="h1 h2.maas"), [("h2", "misnamed")], id="one consul differs"),
        pytest.param(names(tenant="h1"), [("h2", "unobserved")], id="one consul lacks it"),
        pytest.param(names(targets="h1"), [("h2", "no-fence-target")], id="no target"),
        pytest.param(names(targets="h1 h2.maas"), [("h2", "no-fence-target")], id="other target"),
        pytest.param(names(management="h1 h2 db-1"), [("db-1", "stranger")], id="stranger"),
    ],
)  # fmt: skip
def test_t20_names_that_disagree_are_found(said: Names, finds: list[tuple[str, str]]):
    assert told(compare(said)) == finds


def test_a_finding_says_fact_consequence_and_next_command():
    (found,) = compare(names(enrolled="h1"))

    assert str(found) == (
        "h2: nova has it, and masakari does not have it enrolled; its loss is not recovered; "
        "enrol it: instance-ha host add SEGMENT h2"
    )


def test_a_network_that_is_blind_accuses_nobody():
    said = Names(nova={"h1"}, enrolled={"h1"}, observed={MANAGEMENT: {"h1"}})

    assert compare(said) == []


class Fleet:
    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    def hypervisors(self):
        ironic = Hypervisor(name="bare", up=True, moves_servers=False)
        return [*(Hypervisor(name=host, up=True) for host in self.hosts), ironic]


class Observer:
    def __init__(self, *hosts: str) -> None:
        self.hosts = hosts

    def observe(self):
        return {host: dict.fromkeys(Network, Reach.UP) for host in self.hosts}


class Board:
    def __init__(self) -> None:
        self.posts: list[list[Finding]] = []
        self.reachable = True

    def post(self, findings, *, at_s: float) -> None:
        if not self.reachable:
            raise StoreUnreachableError("the store is away")
        self.posts.append(list(findings))


def survey(ordinary, *hosts: str, now_s: float = 0.0) -> Survey:
    return Survey(
        now_s=now_s,
        verdicts={},
        hosts={host: ordinary.host(host) for host in hosts},
        notifications={},
        incidents={},
    )


@pytest.fixture
def board() -> Board:
    return Board()


def muster(board: Board, *hosts: str) -> Muster:
    return Muster(
        fleet=Fleet(*hosts), observer=Observer(*hosts), board=board, targets=lambda: None
    )


def test_t06_a_hypervisor_that_nobody_enrolled_is_said_once_and_posted(ordinary, board, caplog):
    duty = muster(board, "h1", "h2")

    for _ in range(4):
        duty.attend(survey(ordinary, "h1"))

    assert [told(post) for post in board.posts] == [[], [("h2", "not-enrolled")]]
    assert caplog.text.count("its loss is not recovered") == 1


def test_what_is_mended_is_taken_down(ordinary, board):
    duty = muster(board, "h1", "h2")
    for _ in range(2):
        duty.attend(survey(ordinary, "h1"))

    duty.attend(survey(ordinary, "h1", "h2"))

    assert board.posts[-1] == []


def test_a_host_that_is_just_joining_is_no_finding(ordinary, board):
    duty = muster(board, "h1", "h2")
    duty.attend(survey(ordinary, "h1"))

    duty.attend(survey(ordinary, "h1", "h2"))
    duty.attend(survey(ordinary, "h1", "h2"))

    assert board.posts == [[]]


def test_what_could_not_be_posted_is_posted_later(ordinary, board):
    duty = muster(board, "h1", "h2")
    duty.attend(survey(ordinary, "h1"))
    board.reachable = False
    with pytest.raises(StoreUnreachableError):
        duty.attend(survey(ordinary, "h1"))
    board.reachable = True

    duty.attend(survey(ordinary, "h1"))

    assert told(board.posts[-1]) == [("h2", "not-enrolled")]
