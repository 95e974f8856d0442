# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.latest import Latest


def test_a_slow_read_is_not_waited_for_while_an_older_value_serves():
    values = iter(range(10))

    def read():
        time.sleep(0.2)
        return next(values)

    latest = Latest(read, fresh_s=lambda _: 0.0, patience_s=1.0)
    assert latest.get() == 0

    began_s = time.monotonic()
    assert latest.get() == 0
    assert time.monotonic() - began_s < 0.1
    time.sleep(0.3)
    assert latest.get() == 1


def test_nobody_waits_longer_than_patience():
    latest = Latest(lambda: time.sleep(1.0), fresh_s=lambda _: 0.0, patience_s=0.1)

    with pytest.raises(CloudUnreachableError, match="have not answered for"):
        latest.get()


def test_what_was_being_read_during_a_change_is_not_handed_out():
    seen = []

    def read():
        seen.append(len(seen))
        time.sleep(0.1)
        return seen[-1]

    latest = Latest(read, fresh_s=lambda _: 0.0, patience_s=2.0)
    latest.get()
    latest.get()  # reads aside
    time.sleep(0.05)
    latest.outdate()

    assert latest.get() == 2, "the second read began before the change"


def test_an_old_value_is_not_handed_out_for_ever(monkeypatch):
    healthy = [True]

    def read():
        if not healthy[0]:
            raise CloudUnreachableError("masakari is gone")
        return "value"

    latest = Latest(read, fresh_s=lambda _: 0.0, usable_s=0.2, patience_s=1.0)
    latest.get()
    healthy[0] = False

    assert latest.get() == "value"
    time.sleep(0.25)
    with pytest.raises(CloudUnreachableError, match="masakari is gone"):
        latest.get()
