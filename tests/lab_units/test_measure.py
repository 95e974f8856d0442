# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import datetime
import os
import subprocess

import pytest

from lab import measure, memory, paths, process, servers
from lab.errors import LabError

ROLLUP = """\
55d0a1000000-7ffc3d1fe000 ---p 00000000 00:00 0                          [rollup]
Rss:               21504 kB
Pss:                9321 kB
Pss_Dirty:          4100 kB
"""


def told(*events: tuple[float, str]):
    return [{"at_s": at_s, "kind": kind, "text": "..."} for at_s, kind in events]


def test_the_first_notification_and_the_last_server_count():
    events = told(
        (10, "verdict"),
        (12.5, "notification"),
        (15, "active"),
        (19, "active"),
        (20, "notification"),
    )

    assert measure.notification_to_active_s(events) == 6.5


@pytest.mark.parametrize("kind", ["notification", "active"])
def test_what_was_never_told_is_not_measured(kind):
    with pytest.raises(LabError, match="tells of no"):
        measure.notification_to_active_s(told((1, kind)))


def test_nova_is_measured_from_its_first_call_to_its_last_record(tmp_path, monkeypatch):
    log = tmp_path / "nova-api.log"
    old, one, two = (f"{n}" * 8 + "-0000-0000-0000-" + f"{n}" * 12 for n in (1, 2, 3))
    line = "2026-01-01 12:00:{:02}.000 99 DEBUG nova.compute.api [-] [instance: {}] {}\n"
    log.write_text(line.format(0, one, "vm evacuation scheduled"))
    monkeypatch.setattr(paths, "openstack_venv", lambda: tmp_path)
    monkeypatch.setattr(process.Daemon, "log", log)
    began_s = datetime.datetime(2026, 1, 1, 12, 0, 10).astimezone().timestamp()
    monkeypatch.setattr(servers, "evacuated_s", lambda _: [began_s + 12, began_s + 30])

    def move() -> None:
        with log.open("a") as told:
            for second, server in ((9, old), (10, one), (11, two)):
                told.write(line.format(second, server, "vm evacuation scheduled"))

    measured = measure.throughput([one, two], move=move)

    assert (measured.took_s, measured.per_minute) == (30, 4)


def test_descendants_are_found_to_any_depth_and_nobody_else():
    parents = {1: 0, 2: 1, 3: 2, 4: 3, 5: 1, 6: 5}

    assert memory.descendants(parents, roots=[2, 6]) == {2, 3, 4, 6}


def test_a_share_is_read_from_its_own_line():
    assert memory.pss_kib(ROLLUP) == 9321
    assert memory.pss_kib("") == 0


def test_a_child_of_this_process_is_among_its_descendants():
    child = subprocess.Popen(["sleep", "60"])
    try:
        parents = {number: memory.parent(number) for number in memory.pids()}

        assert child.pid in memory.descendants(parents, roots=[os.getpid()])
    finally:
        child.kill()
        child.wait()


def test_only_calls_after_the_loss_and_of_its_servers_count(tmp_path):
    server, other = (f"{n}0000000-0000-0000-0000-000000000000" for n in (1, 2))
    line = "2026-01-01 12:00:{:02}.500 99 DEBUG nova.compute.api [-] [instance: {}] {}\n"
    said = "vm evacuation scheduled"
    log = tmp_path / "nova-api.log"
    log.write_text(line.format(1, server, said))
    read = log.stat().st_size
    with log.open("a") as more:
        more.write(line.format(5, other, said))
        more.write(line.format(7, server, said))
        more.write(line.format(8, server, "something else"))

    (called_s,) = measure.calls_s({server}, log=log, read=read)

    assert called_s % 60 == 7.5
