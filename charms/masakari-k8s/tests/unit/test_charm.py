# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

import ops
import pytest
from ops import testing

from .cloud import (
    AMQP,
    API,
    DATABASE,
    ENGINE,
    FENCING,
    GRANTED,
    HOSTMONITOR,
    IDENTITY,
    INGRESS,
    STORAGE,
    Cloud,
    changed,
    consul,
    instead,
    running,
    secret,
    without,
)

ALL = {API, ENGINE, HOSTMONITOR}


def with_bag(relation: testing.Relation, bag: dict[str, str]) -> testing.Relation:
    return dataclasses.replace(relation, remote_app_data=bag)


def test_everything_there_means_everything_runs(cloud: Cloud):
    state = cloud.run(cloud.state())

    assert state.unit_status == testing.ActiveStatus()
    assert running(state) == ALL
    assert {port.port for port in state.opened_ports} == {15868}


def test_unchanged_input_restarts_nothing(cloud: Cloud):
    first = cloud.run(cloud.state())
    commands = {name: cloud.commands(name) for name in ALL}
    second = cloud.run(first)

    assert cloud.replans == [API, ENGINE, HOSTMONITOR], "a second run must start nothing anew"
    assert {name: cloud.commands(name) for name in ALL} == commands, "nor run anything"
    assert second.relations == first.relations


def test_hook_reads_each_secret_once(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    read: list[str | None] = []
    get_secret = ops.Model.get_secret

    def counted(model: ops.Model, *, id: str | None = None, label: str | None = None):  # noqa: A002
        read.append(id)
        return get_secret(model, id=id, label=label)

    monkeypatch.setattr(ops.Model, "get_secret", counted)
    cloud.run(cloud.state())

    assert sorted(map(str, read)) == ["secret:db", "secret:keystone", "secret:maas"]


def test_status_says_that_certificates_are_not_checked(cloud: Cloud):
    state = cloud.run(cloud.state(config={"tls-insecure": True}))

    assert state.unit_status == testing.ActiveStatus("TLS is not verified; set tls-insecure=false")


def test_hook_that_died_before_the_restart_is_made_good(cloud: Cloud, monkeypatch):
    first = cloud.run(cloud.state())
    other = secret("keystone", username="svc_masakari-2", password="new-passw0rd")
    rotated = dataclasses.replace(first, secrets={*GRANTED[:1], other, GRANTED[2]})

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ops.Container, "add_layer", die)
        with pytest.raises(KeyboardInterrupt):
            cloud.run(rotated)
    assert "svc_masakari-2" in cloud.file(API, "masakari.conf")
    cloud.run(rotated)

    assert cloud.replans == [API, ENGINE, HOSTMONITOR] * 2, "new files need a restart"


@pytest.mark.parametrize(
    ("endpoint", "sentence"),
    [
        ("database", "integrate with mysql-router-k8s:database"),
        ("amqp", "integrate with rabbitmq-k8s:amqp"),
        ("identity-service", "integrate with keystone-k8s:identity-service"),
        ("ingress-internal", "integrate with traefik-k8s:ingress as ingress-internal"),
        ("fencing", "integrate with hacluster-shim:fencing"),
    ],
)
def test_missing_relation_is_named(cloud: Cloud, endpoint: str, sentence: str):
    state = cloud.run(cloud.state(*without(endpoint)))

    assert state.unit_status == testing.BlockedStatus(sentence)


@pytest.mark.parametrize("relation", [DATABASE, AMQP, IDENTITY, FENCING, STORAGE])
def test_silent_relation_is_waited_for(cloud: Cloud, relation: testing.Relation):
    state = cloud.run(cloud.state(*instead(with_bag(relation, {}))))

    assert state.unit_status == testing.WaitingStatus(f"{relation.endpoint}: waiting for data")
    assert running(state) < ALL


@pytest.mark.parametrize(
    ("relation", "status"),
    [
        pytest.param(
            changed(DATABASE, secret_user=None),
            testing.WaitingStatus("database: waiting for secret-user"),
            id="database half",
        ),
        pytest.param(
            changed(DATABASE, endpoints="db:1\nx"),
            testing.BlockedStatus("database: malformed endpoints"),
            id="database",
        ),
        pytest.param(
            changed(AMQP, password=None),
            testing.WaitingStatus("amqp: waiting for password"),
            id="amqp half",
        ),
        pytest.param(
            changed(IDENTITY, public_auth_url=None),
            testing.WaitingStatus("identity-service: waiting for public-auth-url"),
            id="keystone",
        ),
        pytest.param(
            changed(FENCING, mode="maas"),
            testing.BlockedStatus("fencing: malformed mode"),
            id="fencing not json",
        ),
        pytest.param(
            changed(FENCING, targets='{"h1": {"result": "perhaps"}}'),
            testing.BlockedStatus("fencing: malformed targets"),
            id="fencing targets",
        ),
        pytest.param(
            consul("storage", None),
            testing.WaitingStatus("consul-storage: waiting for an HTTP endpoint"),
            id="consul",
        ),
        pytest.param(
            consul("storage", "nowhere"),
            testing.BlockedStatus("consul-storage: malformed internal_http_endpoint"),
            id="consul address",
        ),
    ],
)
def test_half_written_and_malformed_data_are_a_sentence(
    cloud: Cloud, relation: testing.Relation, status: testing.BlockedStatus
):
    state = cloud.run(cloud.state(*instead(relation)))

    assert state.unit_status == status
    assert len(state.unit_status.message) < 60
    assert running(state) < ALL


def test_malformed_ingress_leaves_the_services_alone(cloud: Cloud):
    state = cloud.run(cloud.state(*instead(changed(INGRESS, ingress="{"))))

    assert state.unit_status == testing.BlockedStatus("ingress-internal: malformed ingress")
    assert running(state) == ALL


@pytest.mark.parametrize(
    ("secret_id", "endpoint"),
    [
        ("secret:db", "database"),
        ("secret:keystone", "identity-service"),
        ("secret:maas", "fencing"),
    ],
)
def test_secret_that_was_not_granted_is_said(cloud: Cloud, secret_id: str, endpoint: str):
    granted = tuple(one for one in GRANTED if one.id != secret_id)

    state = cloud.run(cloud.state(secrets=granted))

    assert state.unit_status == testing.BlockedStatus(f"{endpoint}: secret not granted")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("hold", 0),
        ("max-failing-share", 101),
        ("fencing-mode", "ilo"),
        ("region", "a\nb"),
        ("monitoring-samples", 0),
        ("evacuation-delay", -1),
    ],
)
def test_bad_option_is_named_in_its_own_spelling(cloud: Cloud, option: str, value: str | int):
    state = cloud.run(cloud.state(config={option: value}))

    assert isinstance(state.unit_status, testing.BlockedStatus)
    assert state.unit_status.message.startswith(f"config: {option}: ")
    assert len(state.unit_status.message) <= 60


def test_container_that_does_not_answer_is_waited_for(cloud: Cloud):
    state = cloud.state()
    containers = {testing.Container(ENGINE, can_connect=False)} | {
        one for one in state.containers if one.name != ENGINE
    }

    out = cloud.run(dataclasses.replace(state, containers=containers))

    assert out.unit_status == testing.WaitingStatus(
        "waiting for container masakari-engine to start"
    )


def test_service_that_does_not_stay_up_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    def refuse(container: ops.Container) -> None:
        if container.name == HOSTMONITOR:
            change = ops.pebble.Change.from_dict({
                "id": "1", "kind": "replan", "summary": "", "status": "Error", "ready": True,
                "spawn-time": "2026-01-01T00:00:00Z", "err": "exited quickly with code 1",
            })  # fmt: skip
            raise ops.pebble.ChangeError(change.err or "", change)
        started(container)

    started = ops.Container.replan
    monkeypatch.setattr(ops.Container, "replan", refuse)

    state = cloud.run(cloud.state())

    assert running(state) == {API, ENGINE}
    assert state.unit_status == testing.BlockedStatus(
        "masakari-hostmonitor is down: read its container's log"
    )
    assert any("exited quickly" in one.message for one in cloud.context.juju_log)


def test_image_without_masakari_is_said(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cloud, "execs", lambda _: {testing.Exec(["python3"], return_code=1)})

    state = cloud.run(cloud.state())

    assert state.unit_status == testing.BlockedStatus(
        "masakari-image: holds no Masakari; attach another"
    )


def test_image_without_our_account_runs_as_root(cloud: Cloud):
    (cloud.root / "passwd").write_text("root:x:0:0::/:/bin/sh\n")

    state = cloud.run(cloud.state())

    plan = state.get_container(ENGINE).plan.services[ENGINE]
    assert (plan.user, plan.group) == ("", "")
    assert running(state) == ALL


def test_services_run_as_the_account_of_the_image(cloud: Cloud):
    state = cloud.run(cloud.state())

    for name in ALL:
        plan = state.get_container(name).plan.services[name]
        assert (plan.user, plan.group) == ("masakari", "masakari")
