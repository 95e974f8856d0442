# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha import ladder
from instance_ha.errors import FenceError, FenceTimeoutError, PolicyError
from instance_ha.ladder import Ladder, Rung
from instance_ha.model import FenceProof


class Script:
    """A rung that answers what it is told to."""

    def __init__(self, method: str, *, answer: str = "", power: str = "silence") -> None:
        self.method = method
        self.answer = answer
        self.power = power
        self.ordered = 0

    def fence(self, host: str) -> FenceProof:
        self.ordered += 1
        if not self.answer:
            raise FenceTimeoutError(host, f"{self.method} is silent", hint=f"See {self.method}")
        return proof(self.method, self.answer, host=host)

    def check(self, host: str) -> str:
        if self.power == "silence":
            raise FenceError(host, f"{self.method} is silent", hint="See it")
        return self.power


def proof(method: str, answer: str, *, host: str = "h1") -> FenceProof:
    return FenceProof(
        host=host, method=method, target=f"sys-{host}", answer=answer,
        ordered_at_s=10, confirmed_at_s=12, by="engine@test",
    )  # fmt: skip


def made(*rungs: Script, told: list[str] | None = None) -> Ladder:
    tell = (lambda _: None) if told is None else told.append
    return Ladder({Rung(rung.method): rung for rung in rungs}, tell=tell)


@pytest.mark.parametrize(
    ("method", "answer", "proves"),
    [
        *((method, "off", True) for method in ("maas", "redfish", "ipmi")),
        *(
            (method, answer, False)
            for method in ("maas", "redfish", "ipmi")
            for answer in ("on", "unknown", "error", "", "OFF", "storage fenced")
        ),
        ("ceph", "storage fenced", True),
        ("ceph", "off", False),
        ("ceph", "storage open", False),
        ("none", "unfenced by choice", True),
        ("none", "off", False),
        ("rumour", "off", False),
        ("pacemaker", "off", True),
        ("pacemaker", "on", False),
    ],
)
def test_each_method_proves_by_one_answer_only(method: str, answer: str, proves: bool):
    assert ladder.is_proof(method, answer) is proves


def test_the_first_rung_that_proves_is_the_last_one_asked():
    maas, ipmi = Script("maas", answer="off"), Script("ipmi", answer="off")

    assert made(maas, ipmi).fence("h1").method == "maas"
    assert ipmi.ordered == 0


@pytest.mark.parametrize("answer", ["", "on", "unknown", "error"])
def test_a_rung_without_a_proof_leads_to_the_next_and_says_why(answer: str):
    told: list[str] = []
    rungs = made(Script("maas", answer=answer), Script("ipmi", answer="off"), told=told)

    assert rungs.fence("h1").method == "ipmi"
    assert len(told) == 1
    assert told[0].startswith("maas: ")
    assert "the next rung is ipmi" in told[0]


def test_below_the_last_rung_there_is_nothing():
    rungs = made(Script("maas"), Script("ipmi", answer="unknown"), Script("ceph"))

    with pytest.raises(FenceError) as caught:
        rungs.fence("h1")

    assert caught.value.reason == (
        "maas: maas is silent; ipmi: ipmi answered 'unknown', which proves nothing; "
        "ceph: ceph is silent"
    )
    assert caught.value.hint.startswith("maas: See maas; ")


def test_the_only_rung_speaks_for_itself():
    with pytest.raises(FenceTimeoutError, match=r"h1 is not fenced: maas is silent\. See maas"):
        made(Script("maas")).fence("h1")


def test_the_same_refusal_is_told_once():
    told: list[str] = []
    maas = Script("maas")
    rungs = made(maas, Script("ipmi", answer="off"), told=told)
    rungs.fence("h1")
    rungs.fence("h1")
    maas.answer = "error"
    rungs.fence("h1")

    assert [text.partition(";")[0] for text in told] == [
        "maas: maas is silent",
        "maas: maas answered 'error', which proves nothing",
    ]


@pytest.mark.parametrize(
    ("powers", "answer"),
    [
        pytest.param(["on", "off"], "on", id="the first that says something"),
        pytest.param(["unknown", "off"], "off", id="unknown says nothing"),
        pytest.param(["silence", "on"], "on", id="silence says nothing"),
        pytest.param(["silence", "error"], "error", id="no better answer"),
        pytest.param(["unknown", "silence"], "unknown", id="nobody says more"),
        pytest.param(["silence", "silence"], "silence", id="all silent"),
    ],
)
def test_a_check_returns_what_says_something(powers: list[str], answer: str):
    rungs = made(*(Script(m, power=p) for m, p in zip(("maas", "ipmi"), powers, strict=True)))
    if answer == "silence":
        with pytest.raises(FenceError, match="is silent"):
            rungs.check("h1")
    else:
        assert rungs.check("h1") == answer


@pytest.mark.parametrize(
    ("method", "answer", "asked"),
    [
        pytest.param("maas", "off", ("maas", "ipmi"), id="power"),
        pytest.param("ipmi", "off", ("ipmi", "maas"), id="its own rung first"),
        pytest.param("ceph", "storage fenced", ("ceph",), id="storage"),
        pytest.param("redfish", "off", ("maas", "ipmi"), id="a rung that was taken away"),
    ],
)
def test_a_proof_is_upheld_by_those_who_can_speak_of_it(
    method: str, answer: str, asked: tuple[str, ...]
):
    rungs = made(Script("maas"), Script("ipmi"), Script("ceph"))

    upholding = rungs.upholding(proof(method, answer))

    assert isinstance(upholding, Ladder)
    assert upholding.rungs == asked


def test_where_nobody_can_speak_of_a_proof_the_whole_ladder_is_asked():
    rungs = made(Script("maas"))

    assert rungs.upholding(proof("ceph", "storage fenced")) is rungs


@pytest.mark.parametrize(
    ("names", "words"),
    [
        pytest.param([], "has no rung", id="empty"),
        pytest.param(["maas", "voodoo"], "'voodoo' is no rung", id="unknown"),
        pytest.param(["ipmi", "IPMI"], "'ipmi' stands twice", id="twice"),
    ],
)
def test_a_list_of_rungs_that_cannot_be_used_is_named(names: list[str], words: str):
    with pytest.raises(PolicyError, match=words):
        ladder.read(names)


READY = (Rung.MAAS, Rung.IPMI, Rung.CEPH)


@pytest.mark.parametrize(
    ("segment", "of_all", "rungs"),
    [
        pytest.param("rack-1", [], ("ipmi", "ceph"), id="a segment's own"),
        pytest.param("rack-2", ["ceph", "maas"], ("ceph", "maas"), id="that of all others"),
        pytest.param("rack-2", [], ("maas", "ipmi", "ceph"), id="whatever is ready"),
    ],
)
def test_order_and_rungs_are_by_segment(segment: str, of_all: list[str], rungs: tuple[str, ...]):
    chosen = ladder.choose(
        segment=segment, of_segments={"rack-1": "ipmi+ceph"}, of_all=of_all, ready=READY
    )

    assert chosen == rungs


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        ("rack-1", "segment rack-1 asks for redfish, to which there is no access"),
        ("rack-2", "the ladder asks for redfish, .* ready are maas, ipmi, ceph"),
    ],
)
def test_a_rung_without_access_is_named(segment: str, words: str):
    with pytest.raises(PolicyError, match=words):
        ladder.choose(
            segment=segment,
            of_segments={"rack-1": "maas+redfish"},
            of_all=["redfish"],
            ready=READY,
        )
