# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Storage that answers, fails or hangs; the probe itself never does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from hypervisor_instance_ha import attempt, storage
from hypervisor_instance_ha.files import Report, read_report
from hypervisor_instance_ha.settings import StorageProbe
from hypervisor_instance_ha.storage import Probe


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


class Patient:
    """Options whose deadline is over once somebody holds the pipe open."""

    target = "/srv"

    def __init__(self, pipe):
        self.pipe = pipe
        os.mkfifo(pipe)
        self.reader = -1

    @property
    def deadline_s(self):
        if self.reader < 0:
            self.reader = os.open(self.pipe, os.O_RDONLY)
        return 0.1


def test_what_an_attempt_has_started_dies_with_it(tmp_path):
    options = Patient(tmp_path / "pipe")
    script = f"import subprocess; subprocess.run(['sh', '-c', 'exec sleep 200 >{options.pipe}'])"
    report = Report(tmp_path / "storage.json")

    assert Probe(options, argv=[sys.executable, "-c", script], report=report).step() == "hung"

    assert os.read(options.reader, 1) == b"", "nobody holds it open any more"
    os.close(options.reader)


def test_what_was_written_is_read_back_and_removed(tmp_path):
    attempt.try_once(str(tmp_path), ceph_user="", name="probe")

    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_fails(tmp_path):
    gone = StorageProbe(target=str(tmp_path / "gone"))

    assert probe(tmp_path, storage.command(gone)).step() == "failed"
    assert "gone" in str(read_report(tmp_path / "report" / "storage.json")["why"])


def test_the_command_tries_a_directory(tmp_path):
    there = StorageProbe(target=str(tmp_path))

    assert probe(tmp_path, storage.command(there)).step() == "ok"


def test_storage_that_gives_back_something_else_fails(tmp_path, monkeypatch):
    monkeypatch.setattr(attempt.os, "pread", lambda *_: b"other")

    with pytest.raises(OSError, match="something else"):
        attempt.try_once(str(tmp_path), ceph_user="", name="probe")


class Rados:
    """Ceph's command, with one object."""

    def __init__(self, failing=""):
        self.said = []
        self.failing = failing
        self.kept = b""

    def __call__(self, argv, **given):
        self.said.append(argv)
        verb = argv[-3] if argv[-1] == "-" else argv[-2]
        if verb == "put":
            self.kept = given["input"]
        code = int(verb == self.failing)
        told = b"error connecting" if code else b""
        return subprocess.CompletedProcess(argv, code, self.kept if verb == "get" else b"", told)


def test_rados_is_asked_as_the_account_that_was_named(monkeypatch):
    rados = Rados()
    monkeypatch.setattr(subprocess, "run", rados)

    attempt.try_once("rbd:vms", ceph_user="nova", name="probe")

    assert [argv[5] for argv in rados.said] == ["put", "get", "rm"]
    assert rados.said[0][:5] == ["/usr/bin/rados", "--id", "nova", "--pool", "vms"]


def test_rados_that_fails_is_quoted(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", Rados(failing="get"))

    assert attempt.main(["rbd:vms", ""]) == 1
    assert "rados get failed: error connecting" in capsys.readouterr().err
