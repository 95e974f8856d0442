# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib

from lab import memory


def test_what_nobody_may_look_into_is_not_the_labs(monkeypatch):
    stat = pathlib.Path.stat

    def guarded(path, **options):
        if path == pathlib.Path("/proc/1/ns/net"):
            raise PermissionError(path)
        return stat(path, **options)

    monkeypatch.setattr(pathlib.Path, "stat", guarded)

    found = memory.processes()

    assert 1 not in found
    assert os.getpid() not in found
