# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import subprocess

import pytest

from lab import cli, juju, paths, shell


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    """A lab whose two commands only say how they were called."""
    for name in ("juju", "openstack", "nsenter"):
        stand_in = tmp_path / "real" / name
        stand_in.parent.mkdir(exist_ok=True)
        stand_in.write_text(f'#!/bin/sh\necho {name} "$@"\n')
        stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'real'}:/usr/bin:/bin")
    monkeypatch.setattr(shell, "COMMANDS", tmp_path / "commands")
    monkeypatch.setattr(juju, "BINARY", tmp_path / "real" / "juju")
    monkeypatch.setattr(paths, "openstack", lambda name: str(tmp_path / "real" / name))


def say(capsys, line):
    assert cli.main(["env"]) == 0
    script = f"{capsys.readouterr().out}\n{line}"
    return subprocess.run(
        ["sh", "-c", script], check=True, capture_output=True, text=True, env={}
    ).stdout.strip()


def test_juju_in_such_a_shell_is_the_labs(capsys):
    assert say(capsys, "juju run masakari/leader check") == "juju run masakari/leader check"


def test_openstack_is_called_where_the_cloud_can_be_reached(capsys):
    said = say(capsys, "openstack segment list")
    assert said.startswith("nsenter --net=/run/netns/iha ")
    assert said.endswith("/openstack segment list")


def test_the_shell_knows_the_cloud_and_its_administrator(capsys):
    assert say(capsys, "echo $OS_AUTH_URL $OS_USERNAME") == "http://10.71.0.1:5000/v3 admin"
