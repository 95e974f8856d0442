# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pacemaker's remote: what the ring is told, and the key that it gives."""

from __future__ import annotations

import base64
import json
import os

import pytest
from charmlibs import apt
from ops import testing

from masakari_monitors import remote

KEY = base64.b64encode(b"the ring's key").decode()
SECRET = testing.Secret({"pacemaker-key": KEY})


@pytest.fixture
def machine(hypervisor, monkeypatch):
    hypervisor.write(str(remote.DAEMON), "")
    monkeypatch.setattr(remote.os, "chown", lambda *_: None)
    return hypervisor


def state(relation, **config):
    return testing.State(
        relations={testing.SubordinateRelation("container"), relation},
        secrets={SECRET},
        config=config,
    )


def ring(**said: str) -> testing.Relation:
    return testing.Relation(remote.ENDPOINT, remote_units_data={0: said})


def test_the_ring_is_told_nova_s_name(ctx, machine):
    relation = ring()

    out = ctx.run(ctx.on.relation_joined(relation, remote_unit=0), state(relation))

    said = out.get_relation(relation.id).local_unit_data
    assert json.loads(said["remote-hostname"]) == "h1"
    assert json.loads(said["stonith-hostname"]) is None
    assert json.loads(said["enable-resources"]) is True
    assert json.loads(said["remote-ip"])


def test_the_ring_hears_when_there_is_something_to_connect_to(ctx, machine):
    silent, ring_with_key = ring(), ring(**{"pacemaker-key-secret": json.dumps(SECRET.id)})

    before = ctx.run(ctx.on.relation_joined(silent, remote_unit=0), state(silent))
    after = ctx.run(ctx.on.relation_changed(ring_with_key, remote_unit=0), state(ring_with_key))

    assert before.get_relation(silent.id).local_unit_data["ready"] == "false"
    assert after.get_relation(ring_with_key.id).local_unit_data["ready"] == "true"


def test_options_say_whether_it_is_fenced_and_used(ctx, machine):
    relation = ring()
    config = {"enable-stonith": True, "enable-resources": False}

    out = ctx.run(ctx.on.relation_joined(relation, remote_unit=0), state(relation, **config))

    said = out.get_relation(relation.id).local_unit_data
    assert json.loads(said["stonith-hostname"]) == os.uname().nodename
    assert json.loads(said["enable-resources"]) is False


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"pacemaker-key-secret": json.dumps(SECRET.id)}, id="secret"),
        pytest.param({"pacemaker-key": KEY}, id="plain-as-charm-hacluster-does"),
    ],
)
def test_t15_the_key_is_root_s_and_the_cluster_s_alone(ctx, machine, said):
    relation = ring(**said)

    once = ctx.run(ctx.on.relation_changed(relation, remote_unit=0), state(relation))
    ctx.run(ctx.on.update_status(), once)

    file = machine.root / remote.AUTHKEY
    assert file.read_bytes() == b"the ring's key"
    assert file.stat().st_mode & 0o777 == 0o440
    assert machine.restarts.count(remote.SERVICE) == 1


def test_a_key_that_is_none_is_not_written(ctx, machine):
    relation = ring(**{"pacemaker-key": "not base64!"})

    ctx.run(ctx.on.relation_changed(relation, remote_unit=0), state(relation))

    assert not (machine.root / remote.AUTHKEY).exists()
    assert any("not base64" in entry.message for entry in ctx.juju_log)


def test_pacemaker_remote_is_installed_where_it_is_not(ctx, machine, monkeypatch):
    asked = []
    monkeypatch.setattr(apt, "add_package", asked.append)
    (machine.root / remote.DAEMON).unlink()
    relation = ring(**{"pacemaker-key": KEY})

    ctx.run(ctx.on.relation_changed(relation, remote_unit=0), state(relation))

    assert asked == [list(remote.PACKAGES)]
