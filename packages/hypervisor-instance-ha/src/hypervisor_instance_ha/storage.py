# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The storage probe: can this hypervisor still write and read where its guests' disks are?

What hangs in the kernel cannot be interrupted, so another process does it; it is killed at the
deadline, and if even that hangs, no second one is started beside it.
"""

from __future__ import annotations

import logging
import os
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
        """Make a probe; *argv* tries the storage once, and fails if it could not."""
        self._options = options
        self._argv = argv
        self._report = report
        self._running: subprocess.Popen[bytes] | None = None

    def step(self) -> str:
        """Try once. Return ``ok``, ``failed`` or ``hung``; waits no longer than the deadline."""
        state, why = self._try()
        if self._report.tell(storage=state, why=why):
            logger.warning("storage is %s: %s", state, why or self._options.target)
        return state

    def _try(self) -> tuple[str, str]:
        if self._running is not None and not self._reap(within_s=0):
            return "hung", "an earlier attempt cannot even be killed"
        child = subprocess.Popen(
            self._argv,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            _, said = child.communicate(timeout=self._options.deadline_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)  # with what it has started
            self._running = child
            self._reap(within_s=KILL_S)
            return "hung", f"no answer within {self._options.deadline_s:g} s"
        if child.returncode:
            return "failed", said.decode(errors="replace").strip()[-200:]
        return "ok", ""

    def _reap(self, *, within_s: float) -> bool:
        """Return whether the attempt that was killed is gone."""
        if self._running is None:
            return True
        try:
            self._running.communicate(timeout=within_s)
        except subprocess.TimeoutExpired:
            return False
        self._running = None
        return True


def command(options: StorageProbe) -> Sequence[str]:
    """Return the command that tries the storage once."""
    return [sys.executable, "-I", "-S", attempt.__file__, options.target, options.ceph_user]
