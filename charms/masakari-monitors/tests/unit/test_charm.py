# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json

import ops
import pytest
from ops import testing

from masakari_monitors import workload

USER = testing.Secret({"username": "svc_monitors", "password": "s3cr3t-password"})
ANSWER = {
    "credentials": USER.id,
    "internal-endpoint": "http://10.71.0.1:5000/v3",
    "project-name": "services",
    "user-domain-name": "service_domain",
    "project-domain-name": "service_domain",
    "region": "RegionOne",
}


def keystone(answer: dict[str, str] | None = None) -> testing.Relation:
    return testing.Relation(
        "identity-credentials", remote_app_data=ANSWER if answer is None else answer
    )


def state(*relations: testing.RelationBase, **changes: object) -> testing.State:
    principal = testing.SubordinateRelation("container")
    return dataclasses.replace(
        testing.State(relations={principal, *relations}, secrets={USER}, leader=True), **changes
    )


def test_a_related_monitor_runs_on_what_keystone_said(ctx, hypervisor):
    relation = keystone()

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    text = hypervisor.read(workload.CONFIG)
    assert "hostname = h1" in text
    assert "auth_url = http://10.71.0.1:5000/v3" in text
    assert "username = svc_monitors" in text
    assert hypervisor.running
    assert out.unit_status == testing.ActiveStatus()


def test_the_account_is_kept_from_other_users(ctx, hypervisor):
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    mode = (hypervisor.root / workload.CONFIG).stat().st_mode & 0o777
    assert mode == 0o640


def test_an_unchanged_world_restarts_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    ctx.run(ctx.on.update_status(), once)

    assert hypervisor.restarts == 1, "an unchanged configuration must not restart the monitor"


def test_a_monitor_that_died_for_good_is_started_again(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))
    hypervisor.running = False

    ctx.run(ctx.on.update_status(), once)

    assert hypervisor.running


def test_systemd_never_gives_up_on_the_monitor(ctx, hypervisor):
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    unit = hypervisor.read(workload.UNIT)
    assert "Restart=always" in unit
    assert "StartLimitIntervalSec=0" in unit, "five quick failures must not end it for good"


def test_a_new_password_restarts_the_monitor_with_it(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))
    changed = dataclasses.replace(
        USER, latest_content={"username": "svc_new", "password": "n3w-password"}
    )

    ctx.run(ctx.on.secret_changed(changed), dataclasses.replace(once, secrets={changed}))

    assert "username = svc_new" in hypervisor.read(workload.CONFIG)
    assert hypervisor.restarts == 2


def test_only_the_leader_asks_for_an_account(ctx, hypervisor):
    relation = keystone({})

    asked = ctx.run(ctx.on.relation_created(relation), state(relation))
    silent = ctx.run(ctx.on.relation_created(relation), state(relation, leader=False))

    assert asked.get_relation(relation.id).local_app_data == {"username": "masakari-monitors"}
    assert silent.get_relation(relation.id).local_app_data == {}


def test_the_machine_says_who_it_is(ctx, hypervisor):
    relation = testing.Relation("hypervisor")

    out = ctx.run(ctx.on.relation_created(relation), state(relation))

    said = {
        k: json.loads(v)
        for k, v in out.get_relation(relation.id).local_unit_data.items()
        if k in {"nova_host", "system_id", "juju_machine", "fqdn", "boot_id"}
    }
    assert said == {
        "nova_host": "h1",
        "system_id": "sys-h1",
        "juju_machine": "3",
        "fqdn": "h1.maas",
        "boot_id": "0c3c1d5e-boot",
    }


def test_a_machine_that_maas_did_not_install_has_no_system_id(ctx, hypervisor):
    hypervisor.write("var/lib/cloud/instance/datasource", "DataSourceNone: DataSourceNone\n")
    relation = testing.Relation("hypervisor")

    out = ctx.run(ctx.on.relation_created(relation), state(relation))

    assert json.loads(out.get_relation(relation.id).local_unit_data["system_id"]) == ""


def test_the_snap_s_libvirt_is_preferred(ctx, hypervisor):
    hypervisor.write("var/snap/openstack-hypervisor/common/run/libvirt/libvirt-sock", "")
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert "openstack-hypervisor/common/run/libvirt/libvirt-sock-ro" in hypervisor.read(
        workload.CONFIG
    )


@pytest.mark.parametrize(
    ("relations", "expected"),
    [
        pytest.param(
            [], ops.BlockedStatus("integrate with keystone:identity-credentials"), id="no-keystone"
        ),
        pytest.param(
            [keystone({})],
            ops.WaitingStatus("waiting for keystone to make an account"),
            id="silent-keystone",
        ),
        pytest.param(
            [keystone(ANSWER | {"credentials": "secret:gone"})],
            ops.BlockedStatus("identity-credentials: secret not granted"),
            id="secret-not-granted",
        ),
    ],
)
def test_what_is_missing_is_the_status(ctx, hypervisor, relations, expected):
    out = ctx.run(ctx.on.config_changed(), state(*relations))

    assert out.unit_status == expected
    assert not hypervisor.running


def test_a_wrong_option_is_named_and_changes_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    out = ctx.run(ctx.on.config_changed(), dataclasses.replace(once, config={"restart-delay": 0}))

    assert isinstance(out.unit_status, testing.BlockedStatus)
    assert "restart-delay" in out.unit_status.message
    assert hypervisor.restarts == 1


def test_a_monitor_that_cannot_be_installed_is_the_status(ctx, hypervisor, monkeypatch):
    hypervisor.command = None

    def refuse() -> str:
        raise workload.InstallError("no such package")

    monkeypatch.setattr(workload, "ensure_installed", refuse)
    relation = keystone()

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert out.unit_status == testing.BlockedStatus("monitor not installed: check the apt sources")


def test_removal_leaves_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    ctx.run(ctx.on.remove(), once)

    assert not hypervisor.running
    assert not (hypervisor.root / workload.CONFIG).exists()
    assert not (hypervisor.root / workload.UNIT).exists()


def test_the_password_is_in_no_status_and_no_log(ctx, hypervisor):
    relation = keystone()

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    said = [entry.message for entry in ctx.juju_log] + [out.unit_status.message]
    assert not [line for line in said if "s3cr3t" in line]
