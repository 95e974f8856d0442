# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import pathlib
import subprocess
import sys

_PATCHED = """
import sys, warnings
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import masakari.cmd  # what masakari-engine does first: it patches the whole process
    from eventlet import patcher
import pytest
assert patcher.is_monkey_patched("thread")
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""
_STORIES = (
    "test_a_fenced_recovery_moves_every_server",
    "test_two_engines_that_take_up_a_failed_notification_order_each_server_once",
    "test_power_that_comes_back_is_fenced_again",
)


def test_the_flows_run_in_a_process_that_eventlet_has_patched() -> None:
    flows = pathlib.Path(__file__).with_name("test_flows.py")
    ran = subprocess.run(
        [sys.executable, "-c", _PATCHED, *(f"{flows}::{story}" for story in _STORIES)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
