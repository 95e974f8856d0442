# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Write our side of every relation."""

import ops

from instance_ha_relations import (
    amqp,
    database,
    fencing,
    identity_service,
    ingress,
    service_ready,
)
from masakari_k8s import snapshot
from masakari_k8s.rendering import API_PORT
from masakari_k8s.snapshot import World

_SERVICE = "masakari-service"


def publish(charm: ops.CharmBase, world: World, *, in_service: bool) -> None:
    """Say what we ask for and what we offer; only the leader speaks for the application.

    Args:
        charm: The charm whose relations are written.
        world: What is known now.
        in_service: Whether the API and the engine of this unit run.
    """
    _announce_unit(charm)
    if not charm.unit.is_leader():
        return
    relations = charm.model.relations
    for relation in relations[snapshot.DATABASE]:
        database.request(relation, charm.app, database=snapshot.DATABASE_NAME)
    for relation in relations[snapshot.AMQP]:
        amqp.request(relation, charm.app, username=snapshot.QUEUE_USER, vhost=snapshot.QUEUE_VHOST)
    for endpoint in snapshot.INGRESSES:
        for relation in relations[endpoint]:
            ingress.request(
                relation,
                charm.app,
                model=charm.model.name,
                port=API_PORT,
                healthcheck_path="/healthcheck",
            )
    for relation in relations[snapshot.FENCING]:
        fencing.greet(relation, charm.app)
    for relation in relations[_SERVICE]:
        service_ready.write(relation, charm.app, ready=in_service)
    _register_endpoint(charm, world)


def _announce_unit(charm: ops.CharmBase) -> None:
    """Tell the proxies where this unit answers; every unit speaks for itself."""
    for endpoint in snapshot.INGRESSES:
        for relation in charm.model.relations[endpoint]:
            binding = charm.model.get_binding(relation)
            address = binding.network.bind_address if binding else None
            if address is not None:
                ingress.announce(relation, charm.unit, host=_pod(charm), ip=str(address))


def _pod(charm: ops.CharmBase) -> str:
    """Return the name that Juju gives this unit's pod; no resolver has to answer for that."""
    pod = charm.unit.name.replace("/", "-")
    return f"{pod}.{charm.app.name}-endpoints.{charm.model.name}.svc.cluster.local"


def _register_endpoint(charm: ops.CharmBase, world: World) -> None:
    """Ask Keystone for a user and for the catalogue entry."""
    if world.config is None:
        return
    service = f"http://{charm.app.name}.{charm.model.name}.svc.cluster.local:{API_PORT}"
    internal = world.ingress_internal.base if world.ingress_internal else service
    public = world.ingress_public.base if world.ingress_public else internal
    path = "/v1/$(tenant_id)s"
    endpoint = identity_service.ServiceEndpoint(
        service_name="masakari",
        type="instance-ha",
        description="OpenStack Instance High Availability",
        internal_url=internal + path,
        public_url=public + path,
        admin_url=internal + path,
    )
    for relation in charm.model.relations[snapshot.IDENTITY]:
        identity_service.request(
            relation,
            charm.app,
            endpoints=[endpoint],
            region=world.config.region,
            extra_roles=["secret-decrypter"] if world.config.enable_secret_access else [],
        )


def schema_in_place(charm: ops.CharmBase) -> str | None:
    """Return which schema the leader has recorded as done; None if none."""
    for relation in charm.model.relations[snapshot.PEERS]:
        return relation.data[charm.app].get("schema")
    return None


def record_schema(charm: ops.CharmBase, schema: str) -> None:
    """Tell the other units, as the leader, that *schema* is in place."""
    for relation in charm.model.relations[snapshot.PEERS]:
        relation.data[charm.app]["schema"] = schema
