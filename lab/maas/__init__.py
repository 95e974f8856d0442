# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A MAAS API simulator that turns the lab's hosts on and off, and fails on demand."""

import json
import shutil
import socket
import sys
from typing import Any

from lab import network, paths, process
from lab.process import Daemon

from .faults import EVERYTHING, Fault, clear, inject

__all__ = [
    "API_KEY",
    "EVERYTHING",
    "URL",
    "Fault",
    "clear",
    "down",
    "ensure_up",
    "inject",
    "requests",
]

PORT = 5240
URL = f"http://{network.MANAGEMENT.router}:{PORT}/MAAS"
API_KEY = "lab-consumer:lab-token:lab-secret"

STATE = paths.STATE / "maas"
LOG = STATE / "requests.jsonl"

DAEMON = Daemon(
    name="maas",
    argv=[sys.executable, "-m", "lab.maas"],
    netns=network.SWITCH,
    env={"PYTHONPATH": str(paths.REPOSITORY)},
)


def ensure_up() -> None:
    """Start the simulator and wait until it accepts connections."""
    network.ensure_up()
    process.spawn(DAEMON)
    process.wait_until(_accepts, within_s=20, what="the MAAS simulator", daemon=DAEMON)


def down() -> None:
    """Stop the simulator and forget its faults and its request log."""
    process.stop(DAEMON, within_s=2)
    shutil.rmtree(STATE, ignore_errors=True)


def requests() -> list[dict[str, Any]]:
    """Return every request that the simulator was asked, oldest first."""
    return [json.loads(line) for line in LOG.read_text().splitlines()] if LOG.exists() else []


def _accepts() -> bool:
    with network.inside(), socket.socket() as probe:
        return probe.connect_ex((network.MANAGEMENT.router, PORT)) == 0
