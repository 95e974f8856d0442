# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses
import json

import ops
import pytest
from ops import testing

from masakari_monitors import workload

INSTANCES = workload.INSTANCES.unit
PROCESSES = workload.PROCESSES.unit
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

    said = hypervisor.settings
    assert said.nova_host == "h1"
    assert said.login.auth_url == "http://10.71.0.1:5000/v3"
    assert said.login.username == "svc_monitors"
    assert hypervisor.units == {INSTANCES, PROCESSES}
    assert out.unit_status == testing.ActiveStatus()


def test_charmed_openstack_s_keystone_is_understood_too(ctx, hypervisor):
    relation = testing.Relation(
        "identity-credentials",
        remote_units_data={
            0: {"private-address": "10.0.0.9"},
            1: {
                "auth_protocol": "https",
                "auth_host": "keystone.example",
                "auth_port": "35357",
                "credentials_username": "monitors",
                "credentials_password": "s3cr3t-password",
                "credentials_project": "services",
                "region": "RegionOne",
            },
        },
    )

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    login = hypervisor.settings.login
    assert (login.auth_url, login.username) == ("https://keystone.example:35357/v3", "monitors")
    asked = out.get_relation(relation.id).local_unit_data
    assert asked["username"] == "masakari-monitors"
    assert asked["requested_roles"] == "admin"


def test_the_account_is_kept_from_other_users(ctx, hypervisor):
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    mode = (hypervisor.root / workload.CONFIG).stat().st_mode & 0o777
    assert mode == 0o600


def test_an_unchanged_world_restarts_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    ctx.run(ctx.on.update_status(), once)

    assert hypervisor.restarts == [INSTANCES, PROCESSES], "an unchanged world restarts nothing"


def test_a_monitor_that_died_for_good_is_started_again(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))
    hypervisor.stop(INSTANCES)

    ctx.run(ctx.on.update_status(), once)

    assert INSTANCES in hypervisor.units


def test_systemd_never_gives_up_on_the_monitor(ctx, hypervisor):
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    unit = hypervisor.read(workload.UNITS / INSTANCES)
    assert "Restart=always" in unit
    assert "StartLimitIntervalSec=0" in unit, "five quick failures must not end it for good"


def test_a_new_password_restarts_the_monitor_with_it(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))
    changed = dataclasses.replace(
        USER, latest_content={"username": "svc_new", "password": "n3w-password"}
    )

    ctx.run(ctx.on.secret_changed(changed), dataclasses.replace(once, secrets={changed}))

    assert hypervisor.settings.login.username == "svc_new"
    assert hypervisor.restarts.count(INSTANCES) == 2


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


def test_the_machine_tells_its_addresses_in_the_space_of_the_storage(ctx, hypervisor):
    relation = testing.Relation("hypervisor")
    storage = testing.Network(
        "storage",
        bind_addresses=[
            testing.BindAddress([testing.Address("10.73.0.11"), testing.Address("fd00::11")])
        ],
    )
    known = dataclasses.replace(state(relation), networks={storage})

    out = ctx.run(ctx.on.relation_created(relation), known)

    said = out.get_relation(relation.id).local_unit_data["storage_addresses"]
    assert json.loads(said) == ["10.73.0.11", "fd00::11"]


def test_a_machine_that_maas_did_not_install_has_no_system_id(ctx, hypervisor):
    hypervisor.write("var/lib/cloud/instance/datasource", "DataSourceNone: DataSourceNone\n")
    relation = testing.Relation("hypervisor")

    out = ctx.run(ctx.on.relation_created(relation), state(relation))

    assert json.loads(out.get_relation(relation.id).local_unit_data["system_id"]) == ""


def test_the_snap_s_libvirt_is_preferred(ctx, hypervisor):
    hypervisor.write("var/snap/openstack-hypervisor/common/run/libvirt/libvirt-sock", "")
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert hypervisor.settings.libvirt_uri.endswith("common/run/libvirt/libvirt-sock")


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
    assert not hypervisor.units


def test_a_wrong_option_is_named_and_changes_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    out = ctx.run(ctx.on.config_changed(), dataclasses.replace(once, config={"restart-delay": 0}))

    assert isinstance(out.unit_status, testing.BlockedStatus)
    assert "restart-delay" in out.unit_status.message
    assert hypervisor.restarts.count(INSTANCES) == 1


def test_a_monitor_that_cannot_be_installed_is_the_status(ctx, hypervisor, monkeypatch):
    (hypervisor.root / "usr/lib/python3/dist-packages/libvirt.py").unlink()

    def refuse() -> None:
        raise workload.InstallError("no such package")

    monkeypatch.setattr(workload, "ensure_library", refuse)
    relation = keystone()

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert out.unit_status == testing.BlockedStatus(
        "python3-libvirt not installed: check apt sources"
    )


def test_removal_leaves_nothing(ctx, hypervisor):
    relation = keystone()
    once = ctx.run(ctx.on.relation_changed(relation), state(relation))

    ctx.run(ctx.on.remove(), once)

    assert not hypervisor.units
    assert not (hypervisor.root / workload.CONFIG).exists()
    assert not list((hypervisor.root / workload.UNITS).rglob("*instance-ha*"))
    assert not (hypervisor.root / "opt/instance-ha/monitors").exists()


def test_the_password_is_in_no_status_and_no_log(ctx, hypervisor):
    relation = keystone()

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    said = [entry.message for entry in ctx.juju_log] + [out.unit_status.message]
    assert not [line for line in said if "s3cr3t" in line]


def test_process_list_names_units(ctx, hypervisor):
    relation = keystone()
    config = {"process-list": "- unit: nova-compute.service\n- unit: ovs-vswitchd.service\n"}

    ctx.run(ctx.on.relation_changed(relation), state(relation, config=config))

    assert hypervisor.settings.processes == ("nova-compute.service", "ovs-vswitchd.service")


def test_without_a_list_the_services_that_are_there_are_watched(ctx, hypervisor):
    relation = keystone()

    ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert hypervisor.settings.processes == ("nova-compute.service", "libvirtd.service")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("- unit: [", id="no-yaml"),
        pytest.param("- nova-compute", id="no-map"),
        pytest.param("- unit: nova-compute", id="no-service"),
        pytest.param("- unit: a.service; reboot", id="shell"),
        pytest.param("- unit: a.service\n  run: x", id="unknown-key"),
        pytest.param("- unit: a.service\n- unit: a.service", id="twice"),
        pytest.param("unit: a.service", id="no-list"),
    ],
)
def test_a_malformed_process_list_is_the_status_and_changes_nothing(ctx, hypervisor, text):
    relation = keystone()

    out = ctx.run(
        ctx.on.relation_changed(relation), state(relation, config={"process-list": text})
    )

    assert isinstance(out.unit_status, testing.BlockedStatus)
    assert "config:" in out.unit_status.message
    assert not hypervisor.units


def test_monitors_are_added_and_taken_away_by_option(ctx, hypervisor):
    relation = keystone()
    config = {
        "agent-monitor": True,
        "storage-probe": "/srv/guests",
        "process-monitor": False,
    }

    once = ctx.run(ctx.on.relation_changed(relation), state(relation, config=config))
    assert hypervisor.units == {INSTANCES, workload.AGENTS.unit, workload.STORAGE.unit}
    probe = hypervisor.read(workload.UNITS / workload.STORAGE.unit)
    assert "ReadWritePaths=-/srv/guests" in probe

    ctx.run(ctx.on.config_changed(), dataclasses.replace(once, config={}))
    assert hypervisor.units == {INSTANCES, PROCESSES}


def test_a_held_nova_compute_is_the_status(ctx, hypervisor):
    relation = keystone()
    hypervisor.say("guard", state="held", reason="Masakari recovers this host")

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert out.unit_status == testing.BlockedStatus(
        "return guard holds nova-compute: run show-status"
    )


@pytest.mark.parametrize(
    ("unit", "says"),
    [
        pytest.param(
            "snap.openstack-hypervisor.masakari-instancemonitor.service",
            "remove relation openstack-hypervisor:masakari-service",
            id="by the relation masakari-service",
        ),
        pytest.param(
            "masakari-instance-monitor.service",
            "stop and disable masakari-instance-monitor.service",
            id="of the distribution",
        ),
    ],
)
def test_a_second_monitor_is_noticed(ctx, hypervisor, unit, says):
    relation = keystone()
    hypervisor.install(unit)
    hypervisor.units.add(unit)

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert out.unit_status == testing.BlockedStatus(says)
    ctx.run(ctx.on.action("show-status"), out)
    assert ctx.action_results["other-monitor"].startswith(f"{unit} runs too")


@pytest.mark.parametrize(
    ("program", "facts", "expected"),
    [
        pytest.param("instances", {"libvirt": "waiting: cannot reach"}, "libvirt", id="libvirt"),
        pytest.param(
            "instances", {"waiting": 3, "masakari": "waiting: HTTP 503"}, "masakari", id="api"
        ),
        pytest.param("storage", {"storage": "hung"}, "storage", id="storage"),
    ],
)
def test_what_is_awaited_is_the_status(ctx, hypervisor, program, facts, expected):
    relation = keystone()
    hypervisor.say(program, **facts)
    config = {"storage-probe": "/srv/guests"}

    out = ctx.run(ctx.on.relation_changed(relation), state(relation, config=config))

    assert isinstance(out.unit_status, testing.WaitingStatus)
    assert expected in out.unit_status.message


def test_guests_that_nova_resumes_are_a_danger(ctx, hypervisor):
    relation = keystone()
    hypervisor.write(
        "etc/nova/nova.conf", "[DEFAULT]\nhost = h1\nresume_guests_state_on_host_boot = true\n"
    )

    out = ctx.run(ctx.on.relation_changed(relation), state(relation))

    assert "resume_guests_state_on_host_boot" in out.unit_status.message
    assert hypervisor.settings.resumes_guests
