# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab import figures
from lab.figures import Figure


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        pytest.param(Figure(name="f", ours=1, rival=7, ratio_at_most=1 / 7), "reached", id="just"),
        pytest.param(Figure(name="f", ours=2, rival=7, ratio_at_most=1 / 7), "missed", id="slow"),
        pytest.param(Figure(name="f", ours=1, ratio_at_most=1 / 7), "", id="no rival"),
        pytest.param(Figure(name="f", ours=15, at_most=15), "reached", id="absolute"),
        pytest.param(Figure(name="f", ours=15.1, at_most=15), "missed", id="absolute, slow"),
        pytest.param(Figure(name="f", ours=None, at_most=15), "", id="not measured"),
        pytest.param(Figure(name="f", ours=3), "", id="no goal"),
    ],
)
def test_a_goal_is_reached_or_missed_only_if_it_was_measured(figure, verdict):
    assert figure.verdict == verdict


def test_the_table_is_aligned():
    told = figures.table(
        [
            Figure(name="loss to first call", ours=10, rival=120, ratio_at_most=1 / 7),
            Figure(name="memory", ours=3100.4, unit="MiB", at_most=6144),
            Figure(name="never measured", ours=None),
        ]
    )

    assert told.splitlines() == [
        "FIGURE                  OURS    RIVAL   RATIO  GOAL",
        "loss to first call    10.0 s  120.0 s  1/12.0  <= 1/7       reached",
        "memory              3100 MiB                   <= 6144 MiB  reached",
        "never measured",
    ]


def test_records_carry_what_was_worked_out():
    (record,) = figures.records([Figure(name="f", ours=1, rival=10, ratio_at_most=1 / 7)])

    assert (record["ratio"], record["verdict"]) == (0.1, "reached")
