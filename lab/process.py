# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Run commands, keep daemons, and wait for facts.

A daemon is known by a pid file that outlives the process that started it, so that one
``python -m lab`` can stop what another one started. The pid file holds the process's start time
too: a recycled pid is never mistaken for the daemon, and never killed.
"""

import contextlib
import dataclasses
import fcntl
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import TypeVar

from .errors import CommandError, DaemonDiedError, DeadlineError
from .paths import STATE

T = TypeVar("T")

RUN = STATE / "run"
LOGS = STATE / "log"


def deadline(seconds: float) -> float:
    """Return *seconds* as this machine needs them: times ``LAB_TIME_FACTOR``, by default 1."""
    return seconds * float(os.environ.get("LAB_TIME_FACTOR", "1"))


def wait_until(
    condition: Callable[[], T | None],
    *,
    within_s: float,
    what: str,
    daemon: "Daemon | None" = None,
    every_s: float = 0.1,
) -> T:
    """Return the first true answer of *condition*.

    Args:
        condition: Asked every *every_s* seconds; what it raises is not caught.
        within_s: Seconds on a machine with ``LAB_TIME_FACTOR`` 1.
        what: The awaited fact, as the end of "waited in vain for ...".
        daemon: Whose log explains a failure; if it dies, waiting ends at once.

    Raises:
        DeadlineError: if the time is over.
        DaemonDiedError: if *daemon* is gone.
    """
    limit_s = deadline(within_s)
    end = time.monotonic() + limit_s
    while True:
        dead = daemon is not None and not alive(daemon)  # asked first: it may end by succeeding
        if answer := condition():
            return answer
        tail = log_tail(daemon.log) if daemon else ""
        if daemon and dead:
            raise DaemonDiedError(daemon.name, what=what, log=str(daemon.log), log_tail=tail)
        if time.monotonic() > end:
            raise DeadlineError(what, within_s=limit_s, log_tail=tail)
        time.sleep(every_s)


@contextlib.contextmanager
def exclusive(name: str) -> Generator[None]:
    """Let one command of the lab at a time bring up or take down the part *name*."""
    RUN.mkdir(parents=True, exist_ok=True)
    with (RUN / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def log_tail(file: pathlib.Path, *, lines: int = 15) -> str:
    """Return the last *lines* of a log, or nothing if there is none."""
    if not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 16384))
        text = log.read().decode(errors="replace")
    return "\n".join(f"  | {line}" for line in text.splitlines()[-lines:])


def run(
    argv: Sequence[str | os.PathLike[str]],
    *,
    netns: str | None = None,
    check: bool = True,
    input: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    within_s: float = 60,
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end and return what it said.

    Args:
        netns: Named network namespace to run in.
        check: Whether a non-zero exit is an error.
        env: Added to this process's environment.
        within_s: The command is killed after this time.

    Raises:
        CommandError: if the command cannot be started, fails (with *check*) or takes too long.
    """
    words = [*_inside(netns), *(os.fspath(word) for word in argv)]
    environment = {**os.environ, **env} if env else None
    limit_s = deadline(within_s)
    try:
        done = subprocess.run(
            words,
            input=input,
            stdin=subprocess.DEVNULL if input is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            env=environment,
            cwd=cwd,
            timeout=limit_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(words, f"took more than {limit_s:.0f} s") from error
    except OSError as error:
        raise CommandError(words, f"cannot be started: {error}") from error
    if check and done.returncode:
        raise CommandError(
            words, f"failed with code {done.returncode}", output=done.stdout + done.stderr
        )
    return done


def _inside(netns: str | None) -> list[str]:
    # nsenter becomes the command, so the pid stays that of the daemon; `ip netns exec` would
    # also give it another mount namespace with another /sys.
    return ["nsenter", f"--net=/run/netns/{netns}", "--"] if netns else []


@dataclasses.dataclass(frozen=True, kw_only=True)
class Daemon:
    """A process that runs until it is stopped; its name is unique in the lab."""

    name: str
    argv: Sequence[str | os.PathLike[str]]
    netns: str | None = None
    env: Mapping[str, str] = dataclasses.field(default_factory=dict)
    cwd: str | os.PathLike[str] | None = None
    user: str | None = None
    """System user to become, with that user's groups."""

    @property
    def pid_file(self) -> pathlib.Path:
        """The file that says which process this is."""
        return RUN / f"{self.name}.pid"

    @property
    def log(self) -> pathlib.Path:
        """The file that holds what the daemon prints; kept over restarts."""
        return LOGS / f"{self.name}.log"


def spawn(daemon: Daemon) -> int:
    """Start *daemon* in a session of its own unless it runs; return its pid.

    That it runs does not mean that it serves: wait for what you need of it.
    """
    if running := pid(daemon):
        return running
    for directory in (RUN, LOGS):
        directory.mkdir(parents=True, exist_ok=True)
    words = _inside(daemon.netns)
    if daemon.user:
        words += ["setpriv", f"--reuid={daemon.user}", f"--regid={daemon.user}", "--init-groups"]
    if daemon.cwd:
        words += ["env", f"--chdir={os.fspath(daemon.cwd)}"]
    words += [os.fspath(word) for word in daemon.argv]
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    try:
        number = os.posix_spawnp(
            words[0],
            words,
            {**os.environ, **daemon.env},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.fspath(daemon.log), append, 0o640),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
    except OSError as error:
        raise CommandError(words, f"cannot be started: {error}") from error
    write_pid_file(daemon.pid_file, number)
    return number


def write_pid_file(file: pathlib.Path, number: int) -> None:
    """Remember process *number* and its start time in *file*."""
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    temporary.write_text(f"{number} {_start_time(number)}\n")
    temporary.replace(file)


def read_pid_file(file: pathlib.Path) -> int | None:
    """Return the process that *file* remembers while it lives, else None."""
    try:
        number, _, started = file.read_text().strip().partition(" ")
    except FileNotFoundError:
        return None
    return int(number) if started and _start_time(int(number)) == started else None


def pid(daemon: Daemon) -> int | None:
    """Return the pid of *daemon*, or None while it does not run."""
    return read_pid_file(daemon.pid_file)


def alive(daemon: Daemon) -> bool:
    """Say whether *daemon* runs."""
    return pid(daemon) is not None


def child(daemon: Daemon) -> int | None:
    """Return the pid of what *daemon* keeps in namespaces: its first child, or None."""
    keeper = pid(daemon)
    if keeper is None:
        return None
    try:
        children = pathlib.Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(children[0]) if children else None


def _start_time(number: int) -> str:
    """Return when a process started, in clock ticks since boot; empty if it is gone or dead."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(number, os.WNOHANG)  # collects a child of ours that has ended
    try:
        stat = pathlib.Path(f"/proc/{number}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    return "" if fields[0] in "ZX" else fields[19]


def stop(daemon: Daemon, *, within_s: float = 10) -> None:
    """End *daemon* and all of its process group: SIGTERM, and SIGKILL after *within_s*."""
    end_session(daemon.pid_file, within_s=within_s)


def kill(daemon: Daemon) -> None:
    """End *daemon* as a crash does: SIGKILL at once to all of its process group."""
    end_session(daemon.pid_file, within_s=0)


def end_session(pid_file: pathlib.Path, *, within_s: float) -> None:
    """End the session whose leader *pid_file* remembers, and forget the file.

    What another command has started in its place meanwhile, as the kubelet does, lives on.
    """
    if number := read_pid_file(pid_file):
        started = _start_time(number)
        if within_s:
            _signal_group(number, signal.SIGTERM)
            end = time.monotonic() + deadline(within_s)
            while _lives(number, started) and time.monotonic() < end:
                time.sleep(0.05)
        _signal_group(number, signal.SIGKILL)
        wait_until(lambda: not _lives(number, started), within_s=10, what=f"the end of {number}")
    if read_pid_file(pid_file) is None:
        pid_file.unlink(missing_ok=True)


def _lives(number: int, started: str) -> bool:
    return bool(started) and _start_time(number) == started


def _signal_group(leader: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def remembered() -> Iterator[str]:
    """Yield the name of every daemon of the lab that runs."""
    for file in sorted(RUN.glob("*.pid")):
        if read_pid_file(file):
            yield file.stem


def stop_all() -> None:
    """End every daemon that is still remembered; the last step of ``python -m lab down``."""
    for file in sorted(RUN.glob("*.pid")):
        end_session(file, within_s=5)
