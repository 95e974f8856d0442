# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib
import signal
import sys

import pytest

from lab import errors, process


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "RUN", tmp_path / "run")
    monkeypatch.setattr(process, "LOGS", tmp_path / "log")
    yield tmp_path
    process.stop_all()


def sleeper(name="sleeper", code="import time; print('hello', flush=True); time.sleep(60)"):
    return process.Daemon(name=name, argv=[sys.executable, "-c", code])


def test_a_daemon_is_started_once_and_stopped():
    first = process.spawn(sleeper())
    assert process.spawn(sleeper()) == first, "a running daemon must not be started again"
    assert list(process.remembered()) == ["sleeper"]

    process.stop(sleeper())

    assert not process.alive(sleeper())
    assert list(process.remembered()) == []


def test_a_daemon_that_ignores_sigterm_is_killed():
    deaf = sleeper(
        code="import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True);"
        "time.sleep(60)"
    )
    process.spawn(deaf)
    process.wait_until(lambda: "deaf" in deaf.log.read_text(), within_s=10, what="the daemon")

    process.stop(deaf, within_s=0.3)

    assert not process.alive(deaf)


def test_children_of_a_daemon_end_with_it(tmp_path):
    parent = sleeper(
        code="import subprocess, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True);"
        "time.sleep(60)"
    )
    process.spawn(parent)
    child = int(
        process.wait_until(lambda: parent.log.read_text().strip(), within_s=10, what="the child")
    )

    process.kill(parent)

    def gone():
        try:
            stat = pathlib.Path(f"/proc/{child}/stat").read_text()
        except FileNotFoundError:
            return True
        return stat.rpartition(")")[2].split()[0] == "Z"

    process.wait_until(gone, within_s=5, what="the end of the child")


def test_a_recycled_pid_is_never_killed(state):
    bystander = process.spawn(sleeper(name="bystander"))
    file = sleeper(name="victim").pid_file
    file.write_text(f"{bystander} 1\n")

    process.end_session(file, within_s=1)

    assert process.alive(sleeper(name="bystander")), "another process with this pid was killed"
    assert not file.exists()


def test_what_another_starts_in_its_place_lives_on(monkeypatch):
    first = process.spawn(sleeper())
    killpg = os.killpg

    def restarted_at_once(leader, number):
        killpg(leader, number)
        process.wait_until(lambda: not process.alive(sleeper()), within_s=5, what="its end")
        process.spawn(sleeper())

    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", restarted_at_once)
        process.kill(sleeper())

    assert process.pid(sleeper()) not in (None, first), "the new one must live and be remembered"


def test_a_dead_child_is_not_alive():
    daemon = sleeper()
    number = process.spawn(daemon)
    os.kill(number, signal.SIGKILL)
    process.wait_until(lambda: not process.alive(daemon), within_s=5, what="its end")


def test_waiting_names_what_was_awaited_and_shows_the_log():
    daemon = sleeper()
    process.spawn(daemon)
    process.wait_until(lambda: "hello" in daemon.log.read_text(), within_s=10, what="hello")

    with pytest.raises(errors.DeadlineError, match=r"in vain for the moon(.|\n)*hello"):
        process.wait_until(lambda: False, within_s=0.2, what="the moon", daemon=daemon)


def test_waiting_ends_at_once_when_the_daemon_dies():
    daemon = sleeper(code="raise SystemExit('no configuration')")
    process.spawn(daemon)

    with pytest.raises(errors.DaemonDiedError, match="no configuration"):
        process.wait_until(lambda: False, within_s=60, what="its port", daemon=daemon)


def test_deadlines_stretch_with_the_time_factor(monkeypatch):
    monkeypatch.setenv("LAB_TIME_FACTOR", "2.5")
    assert process.deadline(4) == 10


def test_a_failed_command_shows_its_output():
    with pytest.raises(errors.CommandError, match=r"failed with code 3(.|\n)*out of paper"):
        process.run(["sh", "-c", "echo out of paper >&2; exit 3"])


def test_a_command_that_takes_too_long_is_ended():
    with pytest.raises(errors.CommandError, match="took more than"):
        process.run(["sleep", "60"], within_s=0.2)


def test_a_missing_command_is_an_error_of_the_lab():
    with pytest.raises(errors.CommandError, match="cannot be started"):
        process.run(["no-such-command-here"])
