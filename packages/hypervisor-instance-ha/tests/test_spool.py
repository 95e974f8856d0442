# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A queue that forgets nothing it was given, within its bounds."""

from __future__ import annotations

import threading

from hypervisor_instance_ha.spool import Entry, Spool


def entry(name: str, **more: object) -> Entry:
    return Entry(kind="died", name=name, at_s=1.0, **more)


def names(spool: Spool) -> list[str]:
    return [one.name for one in spool.entries()]


def test_order_and_content_outlive_the_process(tmp_path):
    spool = Spool(tmp_path, most=10)
    for name in "cab":
        spool.add(entry(name))
    spool.remove(spool.entries()[1])

    again = Spool(tmp_path, most=10)

    assert names(again) == ["c", "b"]
    again.add(entry("d"))
    assert names(again) == ["c", "b", "d"]


def test_the_same_thing_is_kept_once(tmp_path):
    spool = Spool(tmp_path, most=10)

    assert spool.add(entry("a"))
    assert not spool.add(entry("a"))
    assert not spool.add(entry("a", doubtful=True))
    assert spool.add(Entry(kind="hangs", name="a", at_s=1.0))


def test_what_is_certain_replaces_what_was_doubtful_at_its_place(tmp_path):
    spool = Spool(tmp_path, most=10)
    spool.add(entry("a", doubtful=True))
    spool.add(entry("b"))

    assert spool.add(entry("a"))

    assert names(spool) == ["a", "b"]
    assert not spool.entries()[0].doubtful
    assert names(Spool(tmp_path, most=10)) == ["a", "b"]


def test_the_oldest_goes_when_it_is_full(tmp_path, caplog):
    spool = Spool(tmp_path, most=2)
    for name in "abc":
        spool.add(entry(name))

    assert names(spool) == ["b", "c"]
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert "is dropped" in caplog.text


def test_a_broken_file_is_put_aside_and_keeps_nothing_waiting(tmp_path):
    Spool(tmp_path, most=10).add(entry("a"))
    (tmp_path / "0000000000.json").write_text('{"kind": ')

    assert names(Spool(tmp_path, most=10)) == ["a"]
    assert (tmp_path / "0000000000.bad").exists()


def test_many_threads_lose_nothing(tmp_path):
    spool = Spool(tmp_path, most=100)
    threads = [threading.Thread(target=spool.add, args=[entry(str(n))]) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(names(Spool(tmp_path, most=100))) == sorted(str(n) for n in range(16))


def test_waiting_ends_with_something_new(tmp_path):
    spool = Spool(tmp_path, most=10)
    waiter = threading.Thread(target=spool.wait, args=[30])
    waiter.start()
    spool.wake()
    while waiter.is_alive():
        spool.add(entry("a"))
        spool.wake()
        waiter.join(0.05)
