# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.shares import part


@pytest.mark.parametrize(
    ("share", "count", "hosts"),
    [
        pytest.param(0.58, 50, 29, id="a float is a little less"),
        pytest.param(0.29, 100, 29, id="of a hundred"),
        pytest.param(0.5, 3, 1, id="no half hosts"),
        pytest.param(1.0, 7, 7, id="all"),
        pytest.param(0.5, 0, 0, id="of none"),
    ],
)
def test_a_share_is_as_many_as_people_count(share, count, hosts):
    assert part(share, count) == hosts


def test_every_percentage_of_every_segment_is_exact():
    wrong = [
        (percent, count)
        for percent in range(1, 101)
        for count in range(300)
        if part(percent / 100, count) != percent * count // 100
    ]

    assert wrong == []
