# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import logging

import pytest

from instance_ha.errors import CloudUnreachableError, StoreUnreachableError
from instance_ha.matrices import CLOUD, Chosen, Edition, collect
from instance_ha.matrix import default_matrix
from instance_ha.model import Action, Network, Reach
from instance_ha.rulebook import READ_EVERY_S, Rulebook

ALL = tuple(Network)
DEFAULT = Chosen(matrix=default_matrix(ALL), source="default")
STORAGE_LOST = {**dict.fromkeys(ALL, Reach.UP), Network.STORAGE: Reach.DOWN}
TENANT_LOST = {**dict.fromkeys(ALL, Reach.UP), Network.TENANT: Reach.DOWN}


def edition(version: int, segment: str = CLOUD, **changes: str | int) -> Edition:
    """Return an edition of the default in which some rows' actions differ."""
    rows = default_matrix(ALL).as_rows()
    for row, action in changes.items():
        rows[int(row.removeprefix("row"))]["action"] = str(action)
    return Edition(
        version=version,
        segment=segment,
        name=segment,
        rows=rows,
        forced=True,
        at_s=1.0,
        author="ada",
        reason="",
    )


def given_up(version: int, segment: str = CLOUD) -> Edition:
    return Edition(
        version=version,
        segment=segment,
        name=segment,
        rows=(),
        forced=False,
        at_s=1.0,
        author="ada",
        reason="",
    )


class Shelf:
    """Editions that may be out of reach."""

    def __init__(self, *editions: Edition) -> None:
        self.editions = list(editions)
        self.reachable = True
        self.read = 0

    def newest(self) -> list[Edition]:
        self.read += 1
        if not self.reachable:
            raise StoreUnreachableError("the store is away")
        return self.editions


class Enrolled:
    """The one question that a rulebook has for the cloud."""

    def __init__(self, *hosts) -> None:
        self.enrolled = hosts
        self.reachable = True
        self.asked = 0

    def hosts(self):
        self.asked += 1
        if not self.reachable:
            raise CloudUnreachableError("masakari is away")
        return self.enrolled


@pytest.fixture
def enrolled(ordinary) -> Enrolled:
    return Enrolled(ordinary.host("h1"))


def rulebook(shelf: Shelf | None, cloud) -> Rulebook:
    return Rulebook(default_matrix(ALL), shelf=shelf, cloud=cloud)


def test_the_narrowest_matrix_counts():
    matrices = collect(
        [edition(1, row2="migrate"), edition(2, "rack-1", row1="none")], default=DEFAULT
    )

    assert matrices.of("rack-1").source == "version 2 for segment rack-1, by ada"
    assert matrices.of("rack-2").source == "version 1 for the cloud, by ada"
    assert matrices.of(None) == matrices.of("rack-2")


def test_the_newest_edition_of_a_segment_counts_and_can_be_given_up():
    matrices = collect(
        [given_up(3, "rack-1"), edition(1, "rack-1"), edition(2, "rack-1")], default=DEFAULT
    )

    assert matrices.of("rack-1") == DEFAULT
    assert not matrices.by_segment


def test_t07_a_matrix_for_other_networks_is_said_and_the_wider_one_counts():
    two = Chosen(matrix=default_matrix([Network.MANAGEMENT, Network.STORAGE]), source="default")

    matrices = collect([edition(4, "rack-1")], default=two)

    assert matrices.of("rack-1") == two
    assert "version 4 for segment rack-1 is not used" in matrices.faults[0]
    assert "instance-ha matrix set" in matrices.faults[0]


def test_without_a_shelf_the_default_judges(enrolled):
    book = rulebook(None, enrolled)
    book.read(0.0)

    assert book.judge("h1", reach=STORAGE_LOST).action is Action.RECOVERY
    assert not enrolled.asked


def test_a_matrix_set_now_counts_within_seconds(enrolled, caplog):
    caplog.set_level(logging.INFO)
    shelf = Shelf()
    book = rulebook(shelf, enrolled)
    book.read(0.0)
    assert book.judge("h1", reach=TENANT_LOST).action is Action.NONE

    shelf.editions.append(edition(1, row2="migrate"))
    book.read(READ_EVERY_S - 0.1)
    assert shelf.read == 1, "not in every pass"
    book.read(READ_EVERY_S)
    book.read(2 * READ_EVERY_S)

    assert book.judge("h1", reach=TENANT_LOST).action is Action.MIGRATE
    assert "matrix of the cloud: version 1 for the cloud, by ada counts now" in caplog.text
    assert caplog.text.count("counts now") == 1, "said when it changes"
    assert not enrolled.asked, "who is in which segment does not matter"


def test_each_host_is_judged_by_its_segment(enrolled):
    book = rulebook(Shelf(edition(1, "segment-1", row1="none")), enrolled)
    book.read(0.0)

    assert book.judge("h1", reach=STORAGE_LOST).action is Action.NONE
    assert book.judge("stranger", reach=STORAGE_LOST).action is Action.RECOVERY


@pytest.mark.parametrize("away", ["store", "cloud"])
def test_nothing_is_judged_before_the_operators_word_is_known(enrolled, away: str):
    shelf = Shelf(edition(1, "segment-1", row1="none"))
    (shelf if away == "store" else enrolled).reachable = False
    book = rulebook(shelf, enrolled)
    book.read(0.0)

    verdict = book.judge("h1", reach=STORAGE_LOST)

    assert verdict.action is Action.NONE
    assert not verdict.alive
    shelf.reachable = enrolled.reachable = True
    book.read(0.1)
    assert book.judge("h1", reach=STORAGE_LOST).alive, "asked again at once"


def test_what_was_read_last_counts_while_the_store_is_away(enrolled):
    shelf = Shelf(edition(1, row1="none"))
    book = rulebook(shelf, enrolled)
    book.read(0.0)
    shelf.reachable = False

    book.read(60.0)

    assert book.judge("h1", reach=STORAGE_LOST).action is Action.NONE


def test_a_fault_is_said_once(enrolled, caplog):
    two = default_matrix([Network.MANAGEMENT, Network.STORAGE])
    book = Rulebook(two, shelf=Shelf(edition(1)), cloud=enrolled)

    book.read(0.0)
    book.read(10.0)

    assert caplog.text.count("is not used") == 1
