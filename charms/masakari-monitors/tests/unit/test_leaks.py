# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Planted keys: Keystone's password and the ring's key stay in files of root's."""

from __future__ import annotations

import base64
import json
import subprocess

import pytest
from ops import testing

from masakari_monitors import actions, remote

from .test_charm import ANSWER

PASSWORD, RING_KEY = "pl4nted-password", base64.b64encode(b"pl4nted" * 32).decode()
PLANTED = ("pl4nted", RING_KEY[:24])
USER = testing.Secret({"username": "svc_monitors", "password": PASSWORD})
OF_RING = testing.Secret({"pacemaker-key": RING_KEY})
KEYSTONE = ANSWER | {"credentials": USER.id}
SERVER = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def world(hypervisor, monkeypatch) -> testing.State:
    """Everything that can hold a key is related."""
    hypervisor.write("usr/sbin/pacemaker-remoted", "")
    hypervisor.say("host", state="acts")
    hypervisor.say("guard", state="held", reason="its recovery is not over")
    monkeypatch.setattr(remote.os, "chown", lambda *_: None)
    return testing.State(
        relations={
            testing.SubordinateRelation("container"),
            testing.Relation("hypervisor"),
            testing.Relation("identity-credentials", remote_app_data=KEYSTONE),
            testing.Relation(
                "pacemaker-remote",
                remote_units_data={0: {"pacemaker-key-secret": json.dumps(OF_RING.id)}},
            ),
        },
        secrets={USER, OF_RING},
        leader=True,
        config={"host-monitor": True, "debug": True, "agent-monitor": True},
    )


@pytest.fixture
def commands(monkeypatch) -> list[str]:
    """Remember every command; each of them fails with all that it was given."""
    found: list[str] = []

    def run(argv, **options):
        found.append(f"{argv} {options.get('env')} {options.get('input')}")
        return subprocess.CompletedProcess(argv, 1, stdout="", stderr=found[-1])

    monkeypatch.setattr(actions.subprocess, "run", run)
    return found


def told(ctx, out, hypervisor) -> dict[str, str]:
    """Return all that others can read, by where it is read."""
    bags = [
        (getattr(relation, "local_app_data", {}), getattr(relation, "local_unit_data", {}))
        for relation in out.relations
    ]
    files = [path for path in hypervisor.root.rglob("*") if path.is_file()]
    return {
        "databags": str(bags),
        "log": "\n".join(entry.message for entry in ctx.juju_log),
        "results": f"{ctx.action_results} {ctx.action_logs}",
        "statuses": f"{out.unit_status} {ctx.unit_status_history}",
        "files": "".join(
            path.read_text(errors="replace") for path in files if path.stat().st_mode & 0o007
        ),
    }


def leaks(ctx, out, hypervisor) -> list[str]:
    where = told(ctx, out, hypervisor)
    return [name for name, text in where.items() if any(key in text for key in PLANTED)]


def test_the_keys_are_in_files_of_roots_alone(ctx, world, hypervisor, commands):
    out = ctx.run(ctx.on.config_changed(), world)

    holding = {
        str(path.relative_to(hypervisor.root))
        for path in hypervisor.root.rglob("*")
        if path.is_file() and "pl4nted" in path.read_text(errors="replace")
    }
    assert holding == {
        "etc/instance-ha/monitors.json",
        "etc/instance-ha/host-monitor.conf",
        "etc/pacemaker/authkey",
    }
    assert leaks(ctx, out, hypervisor) == []
    assert not [line for line in commands if any(key in line for key in PLANTED)]


@pytest.mark.parametrize(
    ("action", "params"),
    [
        pytest.param("show-status", {}, id="show-status"),
        pytest.param("pause", {"reason": "work"}, id="pause"),
        pytest.param("resume", {}, id="resume"),
        pytest.param("release-host", {"confirm": True}, id="release-host"),
        pytest.param("run-instance-drill", {"server": SERVER, "confirm": True}, id="drill"),
    ],
)
def test_no_action_tells_a_key(ctx, world, hypervisor, commands, action, params):
    before = ctx.run(ctx.on.config_changed(), world)
    failure = ""

    try:
        before = ctx.run(ctx.on.action(action, params=params), before)
    except testing.ActionFailed as error:
        failure = error.message

    assert not [key for key in PLANTED if key in failure]
    assert leaks(ctx, before, hypervisor) == []
    assert not [line for line in commands if any(key in line for key in PLANTED)]


def test_a_key_that_is_none_is_not_repeated(ctx, world, hypervisor, monkeypatch):
    wrong = testing.Secret({"pacemaker-key": "pl4nted, and no base64"}, id=OF_RING.id)
    secrets = {secret for secret in world.secrets if secret.id != OF_RING.id} | {wrong}
    state = testing.State(
        relations=world.relations, secrets=secrets, leader=True, config=world.config
    )

    out = ctx.run(ctx.on.config_changed(), state)

    assert leaks(ctx, out, hypervisor) == []
