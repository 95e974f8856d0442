# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from lab.stories.chronicle import Chronicle, Line


def test_facts_are_told_in_the_order_of_their_times_from_the_fault():
    chronicle = Chronicle()
    chronicle.tell(103.5, "proof", "h1: off")
    chronicle.zero_s = 100.0
    chronicle.tell(100.0, "fault", "h1 loses power")
    chronicle.extend([Line(at_s=99.0, kind="ready", text="2 servers write")])

    assert chronicle.render().splitlines() == [
        "     -1.0 s  ready        2 servers write",
        "      0.0 s  fault        h1 loses power",
        "      3.5 s  proof        h1: off",
    ]


def test_without_a_fault_the_first_fact_is_the_beginning():
    chronicle = Chronicle()
    chronicle.tell(50.0, "ready", "nothing broke")

    assert chronicle.render() == "      0.0 s  ready        nothing broke"
