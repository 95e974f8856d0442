# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The agents run by their copy alone, as they must while Juju replaces the charm."""

import os
import pathlib
import subprocess
import sys

import pytest

from hacluster_shim.ring import agent, daemons, program
from hacluster_shim.ring.members import render
from instance_ha.ladder import Rung
from masakari_instance_ha import standalone


@pytest.fixture
def root(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(daemons, "ROOT", tmp_path)
    return tmp_path


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a script by the system's Python, which has none of our packages."""
    python = os.path.realpath(sys.executable)
    command = [python, "-I", "-S", "-c", script, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", env={})


def agent_of(copy: pathlib.Path, rung: Rung) -> str:
    return render("fence_agent.j2", python="/usr/bin/python3", path=str(copy), rung=rung.name)


@pytest.mark.parametrize("rung", agent.PROGRAMS)
def test_the_copy_needs_nothing_of_the_charm(root, rung):
    copy = root / program.ensure().relative_to("/")

    done = run(agent_of(copy, rung), "--action=metadata")

    assert done.returncode == 0, done.stderr
    assert f'name="{agent.PROGRAMS[rung]}"' in done.stdout


def test_ipmi_can_be_spoken_by_the_copy(root):
    copy = root / program.ensure().relative_to("/")
    look = f"import sys; sys.path.insert(0, {str(copy)!r}); import pyghmi.ipmi.command"

    done = run(look)

    assert done.returncode == 0, done.stderr


def test_the_same_program_is_copied_once(root):
    place = root / program.ensure().relative_to("/")
    before = place.stat().st_ctime_ns

    assert root / program.ensure().relative_to("/") == place
    assert place.stat().st_ctime_ns == before


def test_a_refresh_leaves_the_copy_before_it_and_no_older_one(root, monkeypatch):
    places = []
    for fingerprint in ("1", "2", "3"):
        monkeypatch.setattr(standalone, "fingerprint", lambda _, now=fingerprint: now)
        places.append(root / program.ensure().relative_to("/"))

    assert [place.exists() for place in places] == [False, True, True]


def test_a_copy_that_broke_off_is_made_anew(root, monkeypatch):
    monkeypatch.setattr(standalone, "fingerprint", lambda _: "1")
    (root / "usr/lib/instance-ha/fence-1.new").mkdir(parents=True)

    copy = root / program.ensure().relative_to("/")

    assert (copy / "hacluster_shim/ring/agent.py").exists()
    assert not copy.with_suffix(".new").exists()
