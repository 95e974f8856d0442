# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The instance drill: kill the process of a server that was made for it."""

from __future__ import annotations

import os
import pathlib
import signal

from hypervisor_instance_ha.cloud import Server
from hypervisor_instance_ha.errors import HypervisorError

MARK = "instance_ha_drill"
"""The property that a server must have, with the value ``true``."""


class DrillError(HypervisorError):
    """The drill was not done."""


def require_marked(server: Server | None, *, uuid: str, nova_host: str) -> None:
    """Refuse whatever was not made for a drill.

    Raises:
        DrillError: if the server is not here, not active, or not marked.
    """
    if server is None or server.host != nova_host:
        raise DrillError(f"{uuid} is not on {nova_host}; look at `openstack server show {uuid}`")
    if server.vm_state != "active" or server.task is not None:
        raise DrillError(f"{uuid} is {server.vm_state}, not active; start it first")
    if server.metadata.get(MARK, "").lower() != "true":
        raise DrillError(
            f"{uuid} is not marked as a test server; only if it is one, run "
            f"`openstack server set --property {MARK}=true {uuid}`"
        )


def kill(uuid: str, *, proc: pathlib.Path = pathlib.Path("/proc")) -> int:
    """Kill the emulator of a server, as a crash would; return its process id.

    Raises:
        DrillError: if not exactly one process is the server's.
    """
    found = [
        int(path.parent.name)
        for path in proc.glob("[0-9]*/cmdline")
        if _is_emulator_of(path, uuid=uuid)
    ]
    if len(found) != 1:
        raise DrillError(f"{len(found)} processes run {uuid}, not one; look at `ps -ef`")
    os.kill(found[0], signal.SIGKILL)
    return found[0]


def _is_emulator_of(path: pathlib.Path, *, uuid: str) -> bool:
    try:
        words = path.read_bytes().decode(errors="replace").split("\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return pathlib.PurePath(words[0]).name.startswith(("qemu", "kvm")) and uuid in words
