# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a process tells of itself."""

from __future__ import annotations

import concurrent.futures
import threading

from hypervisor_instance_ha import files


def test_threads_that_tell_at_once_do_so_one_after_the_other(tmp_path, monkeypatch):
    """Of two that write at once, one finds that what it has written is gone."""
    report = files.Report(tmp_path / "report.json")
    write, writing, met = files.write_whole, threading.Lock(), threading.Event()

    def slow(*given, **how):
        if not writing.acquire(blocking=False):
            met.set()
            raise AssertionError("two write at once")
        met.wait(0.05)
        write(*given, **how)
        writing.release()

    monkeypatch.setattr(files, "write_whole", slow)
    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        told = [threads.submit(report.tell, **{f"fact{number}": number}) for number in range(4)]

    assert all(one.result() for one in told)
    assert files.read_report(tmp_path / "report.json") == {f"fact{n}": n for n in range(4)}
