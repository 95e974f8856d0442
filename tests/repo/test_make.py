# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""`make test` with a tox that only ends as told."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
REPORT = '<testsuite><testcase name="a"/><testcase name="b"><{ending}/></testcase></testsuite>'


@pytest.fixture
def make_test(tmp_path):
    """Run `make test` in a tree of its own; return how it ended and what it asked tox for."""
    (tmp_path / "tools").mkdir()
    (tmp_path / "bin").mkdir()
    shutil.copy(ROOT / "tools" / "summary.py", tmp_path / "tools")
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    tox = tmp_path / "bin" / "tox"

    def run(*, code: int, ending: str):
        report = REPORT.format(ending=ending)
        tox.write_text(
            f'#!/bin/sh\necho "$@" > asked\nmkdir -p build/reports\n'
            f"echo '{report}' > build/reports/unit.xml\nexit {code}\n"
        )
        tox.chmod(0o755)
        ended = subprocess.run(
            ["make", "-f", ROOT / "Makefile", "-o", ".venv/ready", "test", "BIN=bin"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},  # this may run below another make
            capture_output=True,
            text=True,
            check=False,
        )
        return ended, (tmp_path / "asked").read_text().strip()

    return run


def test_every_check_is_asked_for_and_the_last_line_is_the_sum(make_test):
    ended, asked = make_test(code=0, ending="skipped")

    assert ended.returncode == 0, ended.stderr
    assert asked == "run -e lint,types,floors,docs-check,docs,unit,sim,lab"
    assert ended.stdout.splitlines()[-1] == "1 passed, 0 failed, 1 skipped"


def test_one_check_that_fails_fails_all_and_the_sum_is_still_told(make_test):
    ended, _ = make_test(code=1, ending="failure")

    assert ended.returncode != 0
    assert ended.stdout.splitlines()[-1] == "1 passed, 1 failed, 0 skipped"
