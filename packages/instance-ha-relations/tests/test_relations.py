# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable

import ops
import pytest
from ops import testing

from instance_ha_relations import (
    amqp,
    certificate_transfer,
    consul_cluster,
    database,
    fencing,
    hypervisor,
    identity_credentials,
    identity_service,
    ingress,
    service_ready,
)
from instance_ha_relations.errors import (
    RelationDataError,
    RelationIncompleteError,
    SecretUnavailableError,
)

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
META = {"name": "reader", "requires": {"peer": {"interface": "any"}}}


def with_relation(
    act: Callable[[ops.CharmBase, ops.Relation], object],
    *,
    app: dict[str, str] | None = None,
    unit: dict[str, str] | None = None,
    secrets: tuple[testing.Secret, ...] = (),
) -> tuple[object, testing.Relation]:
    """Run *act* in a charm that is related to somebody who wrote those databags."""
    relation = testing.Relation(
        "peer",
        remote_app_name="other",
        remote_app_data=app or {},
        remote_units_data={0: unit or {}},
    )
    context = testing.Context(ops.CharmBase, meta=META)
    state = testing.State(leader=True, relations={relation}, secrets=set(secrets))
    with context(context.on.update_status(), state) as manager:
        charm = manager.charm
        result = act(charm, charm.model.relations["peer"][0])
        out = manager.run()
    return result, out.get_relation(relation.id)


def read(reader: Callable[[ops.Relation], object], app: dict[str, str]) -> object:
    """Read what the remote application wrote."""
    return with_relation(lambda _, relation: reader(relation), app=app)[0]


FENCING = fencing.FencingData(
    mode="maas",
    maas_url="http://maas.example:5240/MAAS",
    credentials="secret:abc",
    targets={"h1": fencing.FencingTarget(system_id="sys-h1", result="ok")},
)


def test_fencing_is_read_as_it_was_written():
    _, written = with_relation(lambda charm, relation: fencing.write(relation, charm.app, FENCING))

    assert read(fencing.read, dict(written.local_app_data)) == FENCING


def test_hypervisor_is_read_as_it_was_written():
    data = hypervisor.HypervisorData(nova_host="h1", fqdn="h1.example", boot_id="b")
    _, written = with_relation(
        lambda charm, relation: hypervisor.write(relation, charm.unit, data)
    )

    def reader(charm: ops.CharmBase, relation: ops.Relation) -> object:
        return hypervisor.read(relation, next(iter(relation.units)))

    assert with_relation(reader, unit=dict(written.local_unit_data))[0] == data


def test_a_newer_peer_may_say_more():
    app = {"contract": "1", "mode": '"none"', "colour": "not json", "targets": "{}"}

    assert read(fencing.read, app) == fencing.FencingData(mode="none")


@pytest.mark.parametrize(
    "reader",
    [
        fencing.read,
        identity_credentials.read,
        identity_service.read,
        database.read,
        amqp.read,
        ingress.read,
        consul_cluster.read,
    ],
)
def test_silence_is_none(reader):
    assert read(reader, {}) is None
    assert read(reader, {"something-else": "1"}) is None


@pytest.mark.parametrize(
    ("reader", "app", "summary"),
    [
        pytest.param(
            identity_service.read,
            {"internal-auth-url": "http://k/v3"},
            "peer: waiting for public-auth-url",
            id="keystone half-written",
        ),
        pytest.param(
            database.read,
            {"endpoints": "db:3306"},
            "peer: waiting for secret-user",
            id="database half-written",
        ),
        pytest.param(amqp.read, {"hostname": "mq"}, "peer: waiting for password", id="amqp"),
        pytest.param(
            consul_cluster.read,
            {"datacenter": "dc1", "internal_http_endpoint": "null"},
            "peer: waiting for an HTTP endpoint",
            id="consul without endpoint",
        ),
        pytest.param(
            identity_credentials.read,
            {"credentials": "secret:a"},
            "peer: waiting for internal-endpoint",
            id="credentials",
        ),
        pytest.param(fencing.read, {"contract": "1"}, "peer: waiting for mode", id="fencing"),
    ],
)
def test_half_written_is_waited_for(reader, app, summary):
    with pytest.raises(RelationIncompleteError) as caught:
        read(reader, app)

    assert caught.value.summary == summary


@pytest.mark.parametrize(
    ("reader", "app", "summary"),
    [
        pytest.param(fencing.read, {"mode": "maas"}, "peer: malformed mode", id="not json"),
        pytest.param(fencing.read, {"mode": '"ilo"'}, "peer: malformed mode", id="unknown mode"),
        pytest.param(
            fencing.read, {"mode": '"maas"'}, "peer: malformed data", id="maas without url"
        ),
        pytest.param(
            fencing.read,
            {"mode": '"none"', "contract": "2"},
            "peer: malformed contract",
            id="contract of another age",
        ),
        pytest.param(
            fencing.read,
            {"mode": '"none"', "targets": '{"h1": {}}'},
            "peer: malformed targets",
            id="target without result",
        ),
        pytest.param(
            ingress.read,
            {"ingress": '{"url": "not a url"}'},
            "peer: malformed ingress",
            id="ingress",
        ),
        pytest.param(ingress.read, {"ingress": "["}, "peer: malformed ingress", id="broken json"),
        pytest.param(
            consul_cluster.read,
            {"internal_http_endpoint": '"consul"'},
            "peer: malformed internal_http_endpoint",
            id="endpoint without port",
        ),
        pytest.param(
            consul_cluster.read,
            {"internal_http_endpoint": "[1]"},
            "peer: malformed internal_http_endpoint",
            id="endpoint of another type",
        ),
        pytest.param(
            database.read,
            {"endpoints": "db:1\n[other]", "secret-user": "secret:a"},
            "peer: malformed endpoints",
            id="line break",
        ),
        pytest.param(
            service_ready.read, {"ready": '"perhaps"'}, "peer: malformed ready", id="ready"
        ),
        pytest.param(
            certificate_transfer.read,
            {"certificates": '["x"]'},
            "peer: malformed certificates",
            id="no pem",
        ),
    ],
)
def test_malformed_is_refused_with_a_sentence(reader, app, summary):
    with pytest.raises(RelationDataError) as caught:
        read(reader, app)

    assert not isinstance(caught.value, RelationIncompleteError)
    assert caught.value.summary == summary
    assert "other" in caught.value.next_step


@pytest.mark.parametrize(
    ("app", "endpoint"),
    [
        pytest.param(
            {"internal_http_endpoint": '"consul.m.svc:8500"'}, "consul.m.svc:8500", id="json"
        ),
        pytest.param(
            {"internal_http_endpoint": "consul.m.svc:8500"}, "consul.m.svc:8500", id="bare"
        ),
        pytest.param(
            {"internal_http_endpoint": "null", "external_http_endpoint": '"10.0.0.1:8500"'},
            "10.0.0.1:8500",
            id="outside only",
        ),
    ],
)
def test_consul_endpoint_in_every_form(app, endpoint):
    assert read(consul_cluster.read, {"datacenter": "dc1"} | app).http_endpoint == endpoint


def test_ingress_path_is_what_the_proxy_keeps():
    route = read(ingress.read, {"ingress": '{"url": "http://10.0.0.1/openstack-masakari/"}'})

    assert (route.base, route.path) == (
        "http://10.0.0.1/openstack-masakari",
        "/openstack-masakari",
    )


def test_certificates_of_both_versions_are_joined():
    other = PEM.replace("MIIB", "MIIC")
    unit = {"ca": PEM, "certificate": "", "chain": json.dumps([PEM])}

    def reader(charm: ops.CharmBase, relation: ops.Relation) -> object:
        return certificate_transfer.read(relation)

    assert with_relation(reader, app={"certificates": json.dumps([other])}, unit=unit)[0] == (
        PEM,
        other,
    )
    assert with_relation(reader, unit={"ca": "", "certificate": "", "chain": "[]"})[0] == ()


def fencing_credentials(content: dict[str, str], *, granted: bool = True) -> object:
    """Read the MAAS key of FENCING out of a secret that holds *content*."""
    secret = testing.Secret(content, id="secret:abc" if granted else "secret:other")
    return with_relation(
        lambda charm, relation: fencing.read_credentials(charm.model, FENCING, relation=relation),
        secrets=(secret,),
    )[0]


def test_secret_content_is_read_and_does_not_show():
    credentials = fencing_credentials({"api-key": "a:b:c"})

    assert credentials.api_key.get_secret_value() == "a:b:c"
    assert "a:b:c" not in repr(credentials)


def test_secret_of_newer_revision_wins():
    secret = testing.Secret(
        {"api-key": "a:b:c"}, latest_content={"api-key": "d:e:f"}, id="secret:abc"
    )

    credentials = with_relation(
        lambda charm, relation: fencing.read_credentials(charm.model, FENCING, relation=relation),
        secrets=(secret,),
    )[0]

    assert credentials.api_key.get_secret_value() == "d:e:f"


def test_secret_not_granted_is_said():
    with pytest.raises(SecretUnavailableError, match="did not grant it") as caught:
        fencing_credentials({"api-key": "a:b:c"}, granted=False)

    assert caught.value.summary == "peer: secret not granted"


def test_malformed_secret_is_refused_without_showing_it():
    with pytest.raises(RelationDataError) as caught:
        fencing_credentials({"api-key": "hunter2"})

    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in str(caught.value.__cause__)


def test_urls_quote_what_they_hold():
    user = database.DatabaseUser(username="u@x", password="p/w:%")
    data = database.Database(endpoints="db:6446,other:6446", secret_user="secret:a")
    queue = amqp.Amqp(hostname="mq", password="p@ss/")

    assert database.url(data, user, database="masakari") == (
        "mysql+pymysql://u%40x:p%2Fw%3A%25@db:6446/masakari"
    )
    assert amqp.url(queue, username="masakari", vhost="openstack") == (
        "rabbit://masakari:p%40ss%2F@mq:5672/openstack"
    )


def test_requests_are_what_the_interfaces_ask_for():
    endpoint = identity_service.ServiceEndpoint(
        service_name="masakari",
        type="instance-ha",
        description="d",
        internal_url="http://i",
        public_url="http://p",
        admin_url="http://i",
    )

    def act(charm: ops.CharmBase, relation: ops.Relation) -> None:
        database.request(relation, charm.app, database="masakari_api")
        amqp.request(relation, charm.app, username="masakari-api", vhost="openstack")
        identity_service.request(
            relation, charm.app, endpoints=[endpoint], region="R", extra_roles=["b", "a"]
        )
        ingress.request(relation, charm.app, model="m", port=15868, healthcheck_path="/")
        ingress.announce(relation, charm.unit, host="h", ip="10.0.0.9")
        service_ready.write(relation, charm.app, ready=True)
        fencing.greet(relation, charm.app)
        identity_credentials.request(relation, charm.app, username="masakari-api")

    written = with_relation(act)[1]

    assert written.local_app_data == {
        "database": "masakari_api",
        "requested-secrets": '["username", "password", "tls", "tls-ca"]',
        "username": "masakari-api",
        "vhost": "openstack",
        "external_connectivity": "false",
        "service-endpoints": json.dumps([endpoint.model_dump()], sort_keys=True),
        "region": "R",
        "extra-roles": '["a", "b"]',
        "model": '"m"',
        "name": '"reader"',
        "port": "15868",
        "healthcheck_params": '{"path": "/"}',
        "ready": "true",
        "contract": "1",
    }
    assert written.local_unit_data["ip"] == '"10.0.0.9"'


def test_roles_that_are_not_wanted_any_more_are_taken_back():
    def act(charm: ops.CharmBase, relation: ops.Relation) -> None:
        for roles in (["secret-decrypter"], []):
            identity_service.request(
                relation, charm.app, endpoints=[], region="R", extra_roles=roles
            )

    assert "extra-roles" not in with_relation(act)[1].local_app_data


def test_secret_with_a_line_break_is_refused_without_showing_it():
    with pytest.raises(RelationDataError) as caught:
        read(amqp.read, {"hostname": "mq", "password": "hunter2\n[database]"})

    assert caught.value.summary == "peer: malformed password"
    assert "hunter2" not in f"{caught.value} {caught.value.__cause__}"
