# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Access to Ceph: asked for, tested where it is to prove something, handed on as a secret."""

import dataclasses
import json
import pathlib

import pydantic
import pytest
from ops import testing

from hacluster_shim import power, storage
from hacluster_shim.snapshot import Maas
from instance_ha.errors import FenceError
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.hypervisor import HypervisorData

from .test_charm import CONFIG, hypervisors, offered, state

KEY = "AQBkZXYK"
SAID = {"auth": "cephx", "key": KEY, "ceph-public-address": "10.73.0.1"}


def ceph(**unit: str) -> testing.Relation:
    return testing.Relation("ceph", remote_app_name="ceph-mon", remote_units_data={0: unit})


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Remember that the package was wanted, and install nothing."""
    wanted: list[str] = []
    monkeypatch.setattr(storage, "ensure_program", lambda: wanted.append(storage.PACKAGE))
    return wanted


def test_an_account_is_asked_for_by_the_leader_alone(ctx, machines):
    relation = ceph()

    asking = ctx.run(ctx.on.relation_created(relation), state(relation))
    silent = ctx.run(ctx.on.relation_created(relation), state(relation, leader=False))

    said = asking.get_relation(relation.id).local_unit_data
    assert said["application-name"] == "hacluster-shim"
    assert "osd blocklist" in said["broker_req"]
    assert "broker_req" not in silent.get_relation(relation.id).local_unit_data


def test_the_account_is_handed_on_as_a_secret(ctx, machines):
    relation, fencing = ceph(**SAID), testing.Relation("fencing")

    out = ctx.run(ctx.on.relation_changed(relation), state(relation, fencing, hypervisors("h1")))

    offer = offered(out, fencing)
    assert (offer["ceph_hosts"], offer["ceph_user"]) == (["10.73.0.1"], "hacluster-shim")
    secret = out.get_secret(label="ceph-credentials")
    assert offer["ceph_credentials"] == secret.id
    assert secret.latest_content == {"key": KEY}
    assert secret.remote_grants == {fencing.id: {"remote"}}
    assert KEY not in str(out.get_relation(fencing.id).local_app_data)
    assert not [entry for entry in ctx.juju_log if KEY in entry.message]


def test_an_account_that_is_gone_is_offered_no_more(ctx, machines):
    relation, fencing = ceph(**SAID), testing.Relation("fencing")
    known = state(relation, fencing, hypervisors("h1"))
    before = ctx.run(ctx.on.relation_changed(relation), known)

    out = ctx.run(ctx.on.relation_broken(before.get_relation(relation.id)), before)

    offer = offered(out, fencing)
    assert (offer["ceph_hosts"], offer["ceph_credentials"]) == ([], None)


def test_storage_addresses_reach_those_who_fence(ctx, machines):
    known, fencing = hypervisors("h1"), testing.Relation("fencing")
    bag = known.remote_units_data[0] | {"storage_addresses": '["10.73.0.11"]'}
    known = dataclasses.replace(known, remote_units_data={0: bag})

    out = ctx.run(ctx.on.relation_changed(known), state(known, fencing))

    assert offered(out, fencing)["targets"]["h1"]["storage_addresses"] == ["10.73.0.11"]


@pytest.mark.parametrize(
    ("relations", "status"),
    [
        ((), testing.BlockedStatus("rungs: integrate with ceph-mon or microceph")),
        ((ceph(),), testing.WaitingStatus("waiting for ceph to make an account")),
        ((ceph(**SAID),), testing.ActiveStatus()),
        ((ceph(**{**SAID, "key": "A\nB"}),), testing.BlockedStatus("ceph: malformed key")),
    ],
    ids=["not related", "no account yet", "ready", "malformed"],
)
def test_what_the_rung_lacks_is_the_status(ctx, machines, relations, status):
    config = {**CONFIG, "rungs": "maas,ceph"}

    out = ctx.run(ctx.on.config_changed(), state(*relations, hypervisors("h1"), config=config))

    assert out.unit_status == status


@pytest.mark.parametrize(("rungs", "wanted"), [("maas,ceph", ["ceph-common"]), ("", [])])
def test_cephs_command_is_installed_where_the_rung_is_named(
    ctx, machines, installed, rungs, wanted
):
    relation = ceph(**SAID)
    config = {**CONFIG, "rungs": rungs}

    ctx.run(ctx.on.config_changed(), state(relation, hypervisors("h1"), config=config))

    assert installed == wanted


PROGRAM = """#!/bin/sh
echo "$@" > {place}/argv
for word; do case $word in --keyring=*) cp "${{word#--keyring=}}" {place}/seen; esac; done
echo '[]'
"""


@pytest.fixture
def program(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    file = tmp_path / "ceph"
    file.write_text(PROGRAM.format(place=tmp_path))
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


MAAS = Maas(
    url="http://127.0.0.1:9/MAAS",
    api_key=pydantic.SecretStr("a:b:c"),
    ca="",
    ceph=CephAccount(hosts=["10.73.0.1"], user="shim", key=pydantic.SecretStr(KEY)),
    rungs=["ceph"],
)


def hypervisor(host: str, *addresses: str) -> HypervisorData:
    return HypervisorData(nova_host=host, storage_addresses=list(addresses))


def test_the_rung_is_tested_with_the_account_and_changes_nothing(program):
    with power.asking(MAAS, {"h1": hypervisor("h1", "10.73.0.11")}) as ask:
        assert ask("h1") == {"ceph": "storage open"}

    argv = (program / "argv").read_text()
    assert "osd blocklist ls" in argv
    assert KEY not in argv
    assert (program / "seen").read_text() == f"[client.shim]\n\tkey = {KEY}\n"


@pytest.mark.parametrize(
    ("addresses", "reason"),
    [((), "is not known"), (("10.73.0.12",), "also that of h2"), (("::1",), "in particular")],
    ids=["unknown", "another's", "nobody's"],
)
def test_a_host_that_ceph_could_not_refuse_fails_the_test(program, addresses, reason):
    known = {"h1": hypervisor("h1", *addresses), "h2": hypervisor("h2", "10.73.0.12")}

    with power.asking(MAAS, known) as ask:
        said = ask("h1")["ceph"]

    assert isinstance(said, FenceError)
    assert reason in str(said)


def test_ceph_that_is_not_named_is_not_tested(program):
    unnamed = dataclasses.replace(MAAS, rungs=[])

    with power.asking(unnamed, {"h1": hypervisor("h1", "10.73.0.11")}) as ask:
        assert list(ask("h1")) == ["maas"]


def test_addresses_that_changed_are_tested_anew(ctx, machines):
    known = hypervisors("h1")
    once = ctx.run(ctx.on.relation_changed(known), state(known))
    bag = known.remote_units_data[0] | {"storage_addresses": json.dumps(["10.73.0.11"])}
    moved = dataclasses.replace(once.get_relation(known.id), remote_units_data={0: bag})
    others = {relation for relation in once.relations if relation.id != known.id}

    ctx.run(ctx.on.relation_changed(moved), dataclasses.replace(once, relations={*others, moved}))

    assert machines.asked == ["h1", "h1"]
