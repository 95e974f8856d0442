# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from lab import oracle
from lab.oracle import Verdict

A, B = "10.73.0.11", "10.73.0.12"


def reply(second: int, client: str, operations: str, *, result: str = "0", image: str = "5e"):
    """One line as an OSD writes it with debug_ms = 1."""
    return (
        f"2026-11-21T06:24:{second:02}.344+0000 7f0a79fe36c0  1 -- "
        "[v2:10.73.0.1:6800/22036,v1:10.73.0.1:6801/22036] --> "
        f"{client}:0/2752622105 -- osd_op_reply(13 rbd_data.{image}.0000000000000000 "
        f"[{operations}] v15'19 uv19 ondisk = {result}) v8 -- 0x7f0a6c09f210 con 0x7f0a64"
    )


def turns(*lines: str):
    return oracle.runs(oracle.parse(lines))


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(reply(1, A, "read 0~512"), id="a read"),
        pytest.param(
            reply(1, A, "sparse-read 0~4194304 [fadvise_nocache]"), id="a read with advice"
        ),
        pytest.param(
            reply(1, A, "write 0~512", result="-108 ((108) Cannot send after shutdown)"),
            id="a refused write",
        ),
        pytest.param("2026-11-21T06:24:01.344+0000 7f 1 -- osd.0 heartbeat", id="anything else"),
    ],
)
def test_what_changes_no_disk_is_no_write(line):
    assert not list(oracle.parse([line]))


@pytest.mark.parametrize(
    "operations",
    [
        "write 0~512",
        "write 0~4096 [fadvise_dontneed]",
        "stat,set-alloc-hint,writefull 0~9",
        "zero 0~512",
        "truncate 0",
        "delete",
    ],
)
def test_every_accepted_change_is_a_write(operations):
    (write,) = oracle.parse([reply(7, A, operations)])

    assert (write.image, write.address) == ("rbd_data.5e", A)
    assert write.at.isoformat() == "2026-11-21T06:24:07.344000+00:00"


def test_writes_of_one_client_are_one_run_until_another_writes():
    found = turns(*(reply(s, A, "write 0~512") for s in (1, 2, 3)), reply(4, B, "write 0~512"))

    assert [(run.address, run.count) for run in found] == [(A, 3), (B, 1)]
    assert (found[0].first.second, found[0].last.second) == (1, 3)


def test_lines_of_several_logs_may_come_in_any_order():
    found = turns(*(reply(s, A if s < 5 else B, "write 0~512") for s in (9, 1, 5, 4)))

    assert [run.address for run in found] == [A, B]


@pytest.mark.parametrize(
    ("writers", "moves", "verdict"),
    [
        pytest.param("", 0, Verdict.NOBODY, id="silence proves nothing"),
        pytest.param("AAA", 0, Verdict.ONE_AFTER_THE_OTHER, id="never moved"),
        pytest.param("AAB", 1, Verdict.ONE_AFTER_THE_OTHER, id="moved once"),
        pytest.param("AAB", 0, Verdict.TWO_WRITERS, id="a writer nobody had moved"),
        pytest.param("ABA", 1, Verdict.TWO_WRITERS, id="the old writer comes back"),
        pytest.param("ABABAB", 1, Verdict.TWO_WRITERS, id="both write"),
        pytest.param("ABA", 2, Verdict.ONE_AFTER_THE_OTHER, id="there and back"),
    ],
)
def test_each_move_allows_one_more_run(writers, moves, verdict):
    lines = (
        reply(second, {"A": A, "B": B}[writer], "write 0~512")
        for second, writer in enumerate(writers)
    )

    assert oracle.judge(turns(*lines), moves=moves) is verdict


def test_a_finding_is_told_with_its_first_and_last_runs():
    lines = [reply(s, A if s % 2 else B, "write 0~512") for s in range(20)]
    found = turns(*lines)
    finding = oracle.Finding(
        server="s", runs=found, verdict=Verdict.TWO_WRITERS, acknowledged=9, lost={"h1": (3, 4)}
    )

    told = oracle.describe(finding)

    assert told[0] == "s  TWO WRITERS  20 runs"
    assert "    ... 14 more" in told
    assert told[-1] == "    lost: 2 records that h1 had acknowledged"
    assert not finding.sound
