# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The host monitor of one member of a Pacemaker ring.

It runs by a copy of its own: unlike the monitors of a hypervisor it needs OpenStack's client
libraries, which the charm brings along.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys
import time

import ops
from charmlibs import systemd

from hypervisor_instance_ha.settings import Login
from masakari_instance_ha.standalone import Program
from masakari_monitors import workload

UNIT = "instance-ha-hostmonitor.service"
CONFIG = pathlib.Path("etc/instance-ha/host-monitor.conf")
HOME = pathlib.Path("opt/instance-ha/host-monitor")
STORE = workload.STATE / "host-monitor.sqlite"
REPORT = "host"
FIRST_LOOK_S = 20.0
"""It looks every second or two, and takes some seconds to start on a busy machine."""
_PAUSE_S = 0.5
PROGRAM = Program(
    name="ring",
    ours=("instance_ha", "masakari_instance_ha"),
    theirs=(
        "alembic",
        "openstacksdk",
        "oslo.config",
        "oslo.log",
        "oslo.utils",
        "prometheus-client",
        "pyghmi",
        "pyyaml",
        "requests-oauthlib",
        "sqlalchemy",
    ),
)


def ensure(login: Login, *, member: str, restart_delay: int) -> None:
    """Run the host monitor; an unchanged world restarts nothing.

    Args:
        login: Account with the role admin, as it disables services in Nova.
        member: What the incidents name as the one who acted.
        restart_delay: Seconds before systemd starts it again.

    Raises:
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    code = PROGRAM.ensure(workload.ROOT / HOME).relative_to(workload.ROOT)
    unit = workload.render(
        "host-monitor.service.j2",
        python=os.path.realpath(sys.executable),
        code=f"/{code}",
        config=f"/{CONFIG}",
        report=f"/{workload.RUN / REPORT}.json",
        restart_delay=restart_delay,
        # Pacemaker's sockets and queues are another user's.
        capabilities="CAP_DAC_OVERRIDE",
    )
    options = workload.render("host-monitor.conf.j2", login=login, store=STORE, member=member)
    changed = workload.ensure_file(CONFIG, options, mode=0o600)
    if workload.ensure_file(workload.UNITS / UNIT, unit, mode=0o644):
        systemd.daemon_reload()
        changed = True
    if changed:
        systemd.service_enable(UNIT)
        systemd.service_restart(UNIT)
        _await_first_look()
    elif not systemd.service_running(UNIT):
        systemd.service_start(UNIT)


def _await_first_look() -> None:
    """Wait a little until it sees the ring, so that its unit's status is not minutes behind."""
    end = time.monotonic() + FIRST_LOOK_S
    while _is_blind() and time.monotonic() < end:
        time.sleep(_PAUSE_S)


def _is_blind() -> bool:
    return workload.report(REPORT).get("state", "blind") == "blind"


def remove() -> None:
    """Stop it and take its files away; nothing happens where there is none."""
    workload.remove_unit(UNIT)
    workload.forget_report(REPORT)
    for path in (CONFIG, STORE):
        (workload.ROOT / path).unlink(missing_ok=True)
    shutil.rmtree(workload.ROOT / HOME, ignore_errors=True)


def problem() -> ops.StatusBase | None:
    """Return why it watches nobody, as a unit's status; None where it watches."""
    if not workload.is_running(UNIT):
        return ops.BlockedStatus("hostmonitor stopped: see journalctl on the machine")
    if _is_blind():
        return ops.WaitingStatus("host monitor: waiting for pacemaker to answer")
    return None
