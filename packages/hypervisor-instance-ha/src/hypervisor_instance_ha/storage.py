# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The storage probe: can this hypervisor still write and read where its guests' disks are?

What hangs in the kernel cannot be interrupted, so another process does it, the same one for as
long as it answers; it is killed at the deadline, and if even that hangs, no second one is started
beside it.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence

from hypervisor_instance_ha import attempt
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.settings import StorageProbe

logger = logging.getLogger(__name__)

KILL_S = 0.5
"""What a process needs to die, unless it hangs in the kernel."""


class Probe:
    """Try the storage again and again, and say how it is."""

    def __init__(self, options: StorageProbe, *, argv: Sequence[str], report: Report) -> None:
        """Make a probe; *argv* tries the storage for each line that it is given."""
        self._options = options
        self._argv = argv
        self._report = report
        self._worker: subprocess.Popen[bytes] | None = None
        self._dying: subprocess.Popen[bytes] | None = None

    def step(self) -> str:
        """Try once. Return ``ok``, ``failed`` or ``hung``; waits no longer than the deadline."""
        state, why = self._try()
        if self._report.tell(storage=state, why=why):
            logger.warning("storage is %s: %s", state, why or self._options.target)
        return state

    def close(self) -> None:
        """End what tries the storage."""
        if self._worker is not None:
            self._kill(self._worker)

    def _try(self) -> tuple[str, str]:
        if not self._is_gone(within_s=0):
            return "hung", "an earlier attempt cannot even be killed"
        if self._worker is None:
            self._worker = _started(self._argv)
        answer = _asked(self._worker, within_s=self._options.deadline_s)
        if answer is None:
            self._kill(self._worker)
            return "hung", f"no answer within {self._options.deadline_s:g} s"
        if not answer.endswith(b"\n"):
            self._kill(self._worker)
            return "failed", "what tries the storage ended; the journal says why"
        why = answer.decode(errors="replace").strip()
        return ("failed", why) if why else ("ok", "")

    def _kill(self, worker: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker.pid, signal.SIGKILL)  # with what it has started
        self._worker, self._dying = None, worker
        self._is_gone(within_s=KILL_S)

    def _is_gone(self, *, within_s: float) -> bool:
        """Return whether the worker that was killed is gone."""
        if self._dying is None:
            return True
        try:
            self._dying.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        self._dying = None
        return True


def _started(argv: Sequence[str]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, bufsize=0, start_new_session=True)


def _asked(worker: subprocess.Popen[bytes], *, within_s: float) -> bytes | None:
    """Return a worker's answer: None if none came in time, without end of line if it ended."""
    stdin, stdout = worker.stdin, worker.stdout
    assert stdin is not None and stdout is not None  # noqa: S101, PT018 - both are pipes
    try:
        stdin.write(b"\n")
    except BrokenPipeError:
        return b""
    readable, _, _ = select.select([stdout], [], [], within_s)
    return stdout.read(attempt.WHY_BYTES + 1) if readable else None


def command(options: StorageProbe) -> Sequence[str]:
    """Return the command that tries the storage as often as it is asked."""
    return [sys.executable, "-I", "-S", attempt.__file__, options.target, options.ceph_user]
