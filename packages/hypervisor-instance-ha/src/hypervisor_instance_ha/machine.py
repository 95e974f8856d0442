# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""This machine: its boot, its pause, whether it is going down, and its systemd."""

from __future__ import annotations

import os
import pathlib
import socket
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence

from hypervisor_instance_ha.errors import UnitError
from hypervisor_instance_ha.settings import RUN, STATE

PERMISSION = RUN / "nova-compute-may-start"
"""There as soon as nova-compute may run in this boot; its unit has it as a condition."""
OVERRIDE = RUN / "release"
"""Somebody decided that nova-compute may start, whatever the guard knows."""
PAUSE = STATE / "paused"
"""There while an operator works on the host: nothing is reported and nothing restarted."""

_BOOT_ID = pathlib.Path("/proc/sys/kernel/random/boot_id")
SYSTEMCTL = "/usr/bin/systemctl"
_TIMEOUT_S = 60.0


def boot_id() -> str:
    """Return the kernel's id of this boot; it changes with every start of the machine."""
    return _BOOT_ID.read_text(encoding="utf-8").strip()


def paused() -> bool:
    """Return whether an operator works on the host."""
    return PAUSE.exists()


def why_quiet(*, settle_s: float = 0.0) -> str:
    """Return why no failure of this host is one; empty: it would be.

    Args:
        settle_s: How long nova-compute may need after its permission to start guests by itself.
    """
    if paused():
        return "the monitors are paused; run the action resume"
    try:
        permitted_s = PERMISSION.stat().st_mtime
    except FileNotFoundError:
        return "the return guard holds nova-compute; see the action show-status"
    if time.time() - permitted_s < settle_s:
        return "nova-compute has just been let start"
    if systemctl("is-system-running", check=False).strip() == "stopping":
        return "the machine is shutting down"
    return ""


def systemctl(*words: str, check: bool = True, timeout_s: float = _TIMEOUT_S) -> str:
    """Run systemctl and return what it printed; what it says on stderr is no failure.

    Raises:
        UnitError: if it fails where *check* asks, or does not end in time.
    """
    try:
        done = subprocess.run(
            [SYSTEMCTL, *words], capture_output=True, text=True, check=False, timeout=timeout_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnitError(
            f"systemctl {' '.join(words)} did not end: {error}; see journalctl"
        ) from error
    if check and done.returncode:
        raise UnitError(
            f"systemctl {' '.join(words)} failed: {done.stderr.strip()[:300]}; see journalctl"
        )
    return done.stdout


def show(units: Collection[str], *, properties: Sequence[str]) -> Sequence[Mapping[str, str]]:
    """Return properties of units, in the order of *units*; those of no such unit are there too."""
    told = systemctl("show", f"--property={','.join(properties)}", "--", *units)
    blocks = [block for block in told.split("\n\n") if block.strip()]
    return [
        dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in blocks
    ]


def notify_ready(status: str) -> None:
    """Tell systemd that this service is up, and how it is; silent where systemd does not ask."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect(address)
        channel.sendall(f"READY=1\nSTATUS={status}".encode())
