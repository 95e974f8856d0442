# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Storage that answers, fails or hangs; the probe itself never does."""

from __future__ import annotations

import json
import sys
import time

import pytest

from hypervisor_instance_ha import storage
from hypervisor_instance_ha.__main__ import main
from hypervisor_instance_ha.files import Report, read_report
from hypervisor_instance_ha.settings import StorageProbe
from hypervisor_instance_ha.storage import Probe, try_once


def probe(tmp_path, argv, *, deadline_s=5.0):
    options = StorageProbe(target=str(tmp_path), deadline_s=deadline_s)
    return Probe(options, argv=argv, report=Report(tmp_path / "report" / "storage.json"))


def test_storage_that_answers(tmp_path):
    argv = [sys.executable, "-c", "pass"]

    assert probe(tmp_path, argv).step() == "ok"


def test_storage_that_refuses_says_why(tmp_path):
    argv = [sys.executable, "-c", "raise SystemExit('read-only')"]

    assert probe(tmp_path, argv).step() == "failed"
    assert read_report(tmp_path / "report" / "storage.json")["why"] == "read-only"


def test_storage_that_hangs_never_blocks_the_report(tmp_path):
    hanging = probe(tmp_path, ["sleep", "60"], deadline_s=0.2)
    began_s = time.monotonic()

    assert hanging.step() == "hung"
    assert time.monotonic() - began_s < 60
    assert json.loads((tmp_path / "report" / "storage.json").read_text())["storage"] == "hung"


def test_an_attempt_that_was_killed_makes_room_for_the_next(tmp_path):
    hanging = probe(tmp_path, ["sleep", "60"], deadline_s=0.2)
    hanging.step()
    time.sleep(0.2)
    hanging.step()

    why = read_report(tmp_path / "report" / "storage.json")["why"]
    assert why == "no answer within 0.2 s", "the second attempt was made"


def test_what_was_written_is_read_back_and_removed(tmp_path):
    try_once(str(tmp_path), ceph_user="", host="h1")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_fails(tmp_path, capsys):
    assert main(["try-storage", str(tmp_path / "gone")]) == 1
    assert "gone" in capsys.readouterr().err


def test_storage_that_gives_back_something_else_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(storage.os, "pread", lambda *_: b"other")

    with pytest.raises(OSError, match="something else"):
        try_once(str(tmp_path), ceph_user="", host="h1")


def test_rados_is_asked_as_the_account_that_was_named(monkeypatch):
    said = []
    monkeypatch.setattr(storage.subprocess, "run", lambda argv, **_: said.append(argv))

    try_once("rbd:vms", ceph_user="nova", host="h1")

    assert [argv[5] for argv in said] == ["put", "get", "rm"]
    assert said[0][:5] == ["/usr/bin/rados", "--id", "nova", "--pool", "vms"]


def test_the_command_is_this_program(tmp_path):
    argv = storage.command(StorageProbe(target=str(tmp_path)))

    assert argv[1:3] == ["-m", "hypervisor_instance_ha"]
