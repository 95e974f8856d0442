# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Storage that answers, fails or hangs; the probe itself never does."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time

import pytest

from hypervisor_instance_ha import attempt, storage
from hypervisor_instance_ha.files import Report, read_report
from hypervisor_instance_ha.settings import StorageProbe
from hypervisor_instance_ha.storage import Probe


@pytest.fixture
def probe(tmp_path):
    """Make probes; what they have started is gone afterwards."""
    with contextlib.ExitStack() as stack:

        def make(argv, *, deadline_s=60.0):
            options = StorageProbe(target=str(tmp_path), deadline_s=deadline_s)
            made = Probe(options, argv=argv, report=Report(tmp_path / "report" / "storage.json"))
            return stack.enter_context(contextlib.closing(made))

        yield make


@pytest.fixture
def report(tmp_path):
    return lambda: read_report(tmp_path / "report" / "storage.json")


def python(script):
    return [sys.executable, "-c", f"import os, sys\nfor line in sys.stdin.buffer: {script}"]


def test_storage_that_answers(probe):
    assert probe(python(r"os.write(1, b'\n')")).step() == "ok"


def test_storage_that_refuses_says_why(probe, report):
    assert probe(python(r"os.write(1, b'read-only\n')")).step() == "failed"
    assert report()["why"] == "read-only"


def test_one_process_makes_all_attempts(probe, report):
    asked = probe(python(r"os.write(1, f'{os.getpid()}\n'.encode())"))
    asked.step()
    first = report()["why"]
    asked.step()

    assert report()["why"] == first


def test_an_attempt_that_ends_has_failed_and_the_next_one_is_made(probe, report):
    ending = probe(python(r"(os.write(1, b'read-only\n'), sys.exit())"))
    assert [ending.step() for _ in range(4)].count("failed") == 4

    assert probe(["false"]).step() == "failed"
    assert report()["why"] == "what tries the storage ended; the journal says why"


def test_storage_that_hangs_never_blocks_the_report(probe, report):
    hanging = probe(["sleep", "60"], deadline_s=0.2)
    began_s = time.monotonic()

    assert hanging.step() == "hung"
    assert time.monotonic() - began_s < 60
    assert report()["storage"] == "hung"


def test_an_attempt_that_was_killed_makes_room_for_the_next(probe, report):
    hanging = probe(["sleep", "60"], deadline_s=0.2)
    hanging.step()
    time.sleep(0.2)
    hanging.step()

    assert report()["why"] == "no answer within 0.2 s", "the second attempt was made"


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
    kept = Report(tmp_path / "storage.json")

    assert Probe(options, argv=[sys.executable, "-c", script], report=kept).step() == "hung"

    ended, _, _ = select.select([options.reader], [], [], 100)
    os.close(options.reader)
    assert ended, "nobody holds it open any more"


def test_what_was_written_is_read_back_and_removed(tmp_path):
    attempt.try_once(str(tmp_path), ceph_user="", name="probe")

    assert list(tmp_path.iterdir()) == []


def test_the_command_tries_a_directory_as_often_as_it_is_asked(tmp_path, probe, report):
    there = tmp_path / "there"
    asked = probe(storage.command(StorageProbe(target=str(there))))

    assert asked.step() == "failed"
    assert "there" in report()["why"]
    there.mkdir()
    assert asked.step() == "ok"
    there.rmdir()
    assert asked.step() == "failed"


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


def test_rados_that_fails_is_quoted(monkeypatch):
    monkeypatch.setattr(subprocess, "run", Rados(failing="get"))

    with pytest.raises(OSError, match="rados get failed: error connecting"):
        attempt.try_once("rbd:vms", ceph_user="", name="probe")
