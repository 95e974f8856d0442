# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.order import Place, may_begin, place_of


@pytest.mark.parametrize(
    ("metadata", "place"),
    [
        pytest.param({}, Place(), id="nothing said"),
        pytest.param({"instance-ha:priority": "20"}, Place(priority=20), id="a number"),
        pytest.param({"instance-ha:priority": "-5"}, Place(priority=-5), id="behind the others"),
        pytest.param({"instance-ha:priority": "99999"}, Place(priority=1000), id="bounded"),
        pytest.param({"instance-ha:priority": "first!"}, Place(), id="no number"),
        pytest.param({"instance-ha:group": " shop "}, Place(group="shop"), id="a group"),
    ],
)
def test_places(metadata, place) -> None:
    assert place_of(metadata) == place


def test_higher_priority_goes_first_and_who_asked_among_equals() -> None:
    plain, asked, high = Place(), Place(marked=True), Place(priority=1)

    assert sorted([plain, asked, high], key=lambda place: place.rank) == [high, asked, plain]


@pytest.mark.parametrize(
    ("other", "may"),
    [
        pytest.param(Place(priority=20, group="shop"), False, id="its database is on its way"),
        pytest.param(Place(priority=10, group="shop"), True, id="an equal"),
        pytest.param(Place(priority=5, group="shop"), True, id="one behind it"),
        pytest.param(Place(priority=20, group="blog"), True, id="another group"),
        pytest.param(Place(priority=20, group="shop", project="p2"), True, id="another project"),
        pytest.param(Place(priority=20), True, id="no group"),
    ],
)
def test_a_group_waits_for_its_own_higher_priorities_alone(other: Place, may: bool) -> None:
    assert may_begin(Place(priority=10, group="shop"), [other]) is may


def test_who_is_in_no_group_waits_for_nobody() -> None:
    assert may_begin(Place(), [Place(priority=1000)])
