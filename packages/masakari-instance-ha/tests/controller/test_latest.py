# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.latest import Latest


def test_a_slow_read_is_not_waited_for_while_an_older_value_serves(eventually):
    values = iter(range(1000))
    answers = threading.Semaphore(1)

    def read():
        assert answers.acquire(timeout=60)
        return next(values)

    latest = Latest(read, fresh_s=lambda _: 0.0, usable_s=60, patience_s=60)
    assert latest.get() == 0
    assert latest.get() == 0, "handed out while the next read is under way"

    answers.release()
    eventually(lambda: latest.get() == 1, "the new value")


def test_nobody_waits_longer_than_patience():
    never = threading.Event()
    latest = Latest(lambda: never.wait(60), fresh_s=lambda _: 0.0, patience_s=0.1)

    with pytest.raises(CloudUnreachableError, match="have not answered for"):
        latest.get()
    never.set()


def test_what_was_being_read_during_a_change_is_not_handed_out(eventually):
    seen = []
    answers = threading.Semaphore(1)

    def read():
        seen.append(len(seen))
        mine = seen[-1]
        assert answers.acquire(timeout=60)
        return mine

    latest = Latest(read, fresh_s=lambda _: 0.0, usable_s=60, patience_s=60)
    assert latest.get() == 0
    eventually(lambda: len(seen) == 2, "the second read")
    latest.outdate()
    answers.release(2)

    assert latest.get() == 2, "the second read began before the change"


def test_an_old_value_is_not_handed_out_for_ever(monkeypatch):
    healthy = [True]

    def read():
        if not healthy[0]:
            raise CloudUnreachableError("masakari is gone")
        return "value"

    latest = Latest(read, fresh_s=lambda _: 0.0, usable_s=2.0, patience_s=60)
    latest.get()
    healthy[0] = False

    assert latest.get() == "value"
    time.sleep(2.1)
    with pytest.raises(CloudUnreachableError, match="masakari is gone"):
        latest.get()
