# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read Juju's side of the world once, so that acts and statuses cannot disagree."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import ops
import pydantic

from instance_ha.errors import MatrixError
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha_relations import (
    amqp,
    certificate_transfer,
    consul_cluster,
    database,
    fencing,
    hypervisor,
    identity_service,
    ingress,
    loki_push_api,
)
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.errors import RelationDataError, RelationIncompleteError
from instance_ha_relations.fencing import FencingData
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.options import describe
from masakari_k8s.config import MasakariConfig
from masakari_k8s.world import Core, Database, Fencing, Keystone, Watch

DATABASE, AMQP, IDENTITY, FENCING, PEERS = (
    "database",
    "amqp",
    "identity-service",
    "fencing",
    "peers",
)
INGRESSES = ("ingress-internal", "ingress-public")
AUTHORITIES = "receive-ca-cert"
HYPERVISORS = "hypervisors"
LOGS = "logging"
CONSUL = {network: f"consul-{network.value}" for network in Network}

_PARTNERS = {
    DATABASE: "mysql-router-k8s:database",
    AMQP: "rabbitmq-k8s:amqp",
    IDENTITY: "keystone-k8s:identity-service",
    FENCING: "hacluster-shim:fencing",
    INGRESSES[0]: "traefik-k8s:ingress as ingress-internal",
}
"""Who usually provides an endpoint that nothing works without."""

DATABASE_NAME = "masakari_api"
QUEUE_USER, QUEUE_VHOST = "masakari-api", "openstack"
_DATABASE_CA_FILE = "/etc/masakari/database-ca.pem"
_STATUS_LENGTH = 59

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class World:
    """What config and relations say; None where something is missing, and why."""

    config: MasakariConfig | None
    ingress_internal: ingress.Ingress | None
    ingress_public: ingress.Ingress | None
    core: Core | None
    fencing: Fencing | None
    fencing_revoked: bool
    """Nobody offers the power to fence any more, so what we hold of it has to go."""
    watch: Watch | None
    hypervisors: Mapping[str, HypervisorData]
    """Nova host -> what the machine said of itself; may lack any of them."""
    log_stores: Mapping[str, str]
    """Unit of Loki -> where it takes logs."""
    problems: tuple[ops.StatusBase, ...]
    stories: tuple[str, ...]
    """The problems with data at full length, for the log; they hold no values."""


@dataclass
class _Reader:
    """Reads one relation after the other and keeps what is wrong with them."""

    charm: ops.CharmBase
    problems: list[ops.StatusBase] = field(default_factory=list[ops.StatusBase])
    stories: list[str] = field(default_factory=list[str])

    def relation(self, endpoint: str) -> ops.Relation | None:
        """Return the relation of an endpoint that has one at most."""
        return next(iter(self.charm.model.relations[endpoint]), None)

    def required(self, endpoint: str, read: Callable[[ops.Relation], T | None]) -> T | None:
        """Read an endpoint that nothing works without."""
        relation = self.relation(endpoint)
        if relation is None:
            self.block(f"integrate with {_PARTNERS[endpoint]}")
            return None
        return self.read(relation, read)

    def read(self, relation: ops.Relation, read: Callable[[ops.Relation], T | None]) -> T | None:
        """Read one relation; silence and faults become problems."""
        try:
            value = read(relation)
        except RelationIncompleteError as error:
            self.problems.append(ops.WaitingStatus(error.summary))
            self.stories.append(str(error))
            return None
        except RelationDataError as error:
            self.block(error.summary)
            self.stories.append(str(error))
            return None
        if value is None:
            self.problems.append(ops.WaitingStatus(f"{relation.name}: waiting for data"))
        return value

    def block(self, sentence: str) -> None:
        """Add what only an operator can put right."""
        self.problems.append(ops.BlockedStatus(sentence[:_STATUS_LENGTH]))


def take(charm: ops.CharmBase) -> World:
    """Return what is there and what is missing."""
    reader = _Reader(charm)
    config = _config(reader)
    routes = [_ingress(reader, endpoint) for endpoint in INGRESSES]
    core = _core(reader, config, tuple(sorted({route.path for route in routes if route})))
    fencer = _fencing(reader, config) if config else None
    watch = _watch(reader)
    hypervisors = _hypervisors(reader)
    log_stores: dict[str, str] = {}
    for relation in charm.model.relations[LOGS]:
        log_stores |= reader.read(relation, loki_push_api.read) or {}
    return World(
        config=config,
        ingress_internal=routes[0],
        ingress_public=routes[1],
        core=core,
        fencing=fencer,
        fencing_revoked=reader.relation(FENCING) is None,
        watch=watch,
        hypervisors=hypervisors,
        log_stores=log_stores,
        problems=tuple(reader.problems),
        stories=tuple(reader.stories),
    )


def _config(reader: _Reader) -> MasakariConfig | None:
    try:
        return reader.charm.load_config(MasakariConfig)
    except pydantic.ValidationError as error:
        reader.block(describe(error))
        reader.stories.append(f"{describe(error)}. Set it with juju config")
        return None


def _ingress(reader: _Reader, endpoint: str) -> ingress.Ingress | None:
    if endpoint == INGRESSES[0]:
        return reader.required(endpoint, ingress.read)
    relation = reader.relation(endpoint)
    return reader.read(relation, ingress.read) if relation else None


def _core(
    reader: _Reader, config: MasakariConfig | None, ingress_paths: tuple[str, ...]
) -> Core | None:
    model = reader.charm.model
    store = reader.required(DATABASE, lambda relation: _database(model, relation))
    queue = reader.required(AMQP, amqp.read)
    keystone = reader.required(IDENTITY, lambda relation: _keystone(model, relation))
    authorities: set[str] = set()
    for relation in model.relations[AUTHORITIES]:
        authorities.update(reader.read(relation, certificate_transfer.read) or ())
    if config is None or store is None or queue is None or keystone is None:
        return None
    url = amqp.url(queue, username=QUEUE_USER, vhost=QUEUE_VHOST)
    return Core(
        config=config,
        database=store,
        transport_url=pydantic.SecretStr(url),
        keystone=keystone,
        authorities=tuple(sorted(authorities)),
        ingress_paths=tuple(path for path in ingress_paths if path),
    )


def _database(model: ops.Model, relation: ops.Relation) -> Database | None:
    data = database.read(relation)
    if data is None:
        return None
    user = database.read_user(model, data, relation=relation)
    ca = database.read_ca(model, data, relation=relation)
    url = database.url(data, user, database=DATABASE_NAME, ca_file=_DATABASE_CA_FILE if ca else "")
    return Database(name=f"{data.endpoint}/{DATABASE_NAME}", url=pydantic.SecretStr(url), ca=ca)


def _keystone(model: ops.Model, relation: ops.Relation) -> Keystone | None:
    data = identity_service.read(relation)
    if data is None:
        return None
    user = identity_service.read_user(model, data, relation=relation)
    return Keystone(
        auth_url=data.internal_auth_url,
        public_auth_url=data.public_auth_url,
        username=user.username,
        password=user.password,
        project=data.service_project_name,
        domain=data.service_domain_name,
    )


def _fencing(reader: _Reader, config: MasakariConfig) -> Fencing | None:
    """Return the fencer; where the operator chose none by name, the relation is not asked."""
    if config.fencing_mode == "none":
        return Fencing(mode="none", targets={})
    fencer = reader.required(FENCING, lambda relation: _maas(reader.charm.model, relation))
    if fencer is not None and fencer.mode == "none":
        reader.block("fencing: offers no proof; set fencing-mode=none if meant")
        return None
    return fencer


def _maas(model: ops.Model, relation: ops.Relation) -> Fencing | None:
    data = fencing.read(relation)
    if data is None:
        return None
    credentials = fencing.read_credentials(model, data, relation=relation)
    bmcs = fencing.read_bmcs(model, data, relation=relation)
    return Fencing(
        mode=data.mode,
        maas_url=data.maas_url or "",
        credentials=credentials.api_key if credentials else None,
        ca=data.ca or "",
        targets=data.targets,
        bmcs=bmcs.bmcs if bmcs else None,
        ceph=_ceph(model, data, relation=relation),
        rungs=data.rungs,
        segment_rungs=data.segment_rungs,
    )


def _ceph(model: ops.Model, data: FencingData, *, relation: ops.Relation) -> CephAccount | None:
    """Return the access to Ceph that the fencing authority has handed on, if it has any."""
    credentials = fencing.read_ceph(model, data, relation=relation)
    if credentials is None or data.ceph_user is None:
        return None
    return CephAccount(hosts=data.ceph_hosts, user=data.ceph_user, key=credentials.key)


def _watch(reader: _Reader) -> Watch | None:
    """Return where to look, or None until *every* declared network has said where it is.

    The networks are those with a relation. If those that are ready counted, a Consul cluster that
    is just joining would change the matrix: the loss of management alone would mean a recovery.
    """
    declared = {
        network: relation
        for network, endpoint in CONSUL.items()
        if (relation := reader.relation(endpoint)) is not None
    }
    try:
        default_matrix(declared)
    except MatrixError as error:
        reader.block("integrate with consul-storage or consul-management")
        reader.stories.append(str(error))
        return None
    endpoints = {
        network: data.http_endpoint
        for network, relation in declared.items()
        if (data := reader.read(relation, consul_cluster.read)) is not None
    }
    return Watch(consul=endpoints) if len(endpoints) == len(declared) else None


def _hypervisors(reader: _Reader) -> Mapping[str, HypervisorData]:
    """Return what the hypervisors said of themselves; nothing waits for one that is silent."""
    found: dict[str, HypervisorData] = {}
    for relation in reader.charm.model.relations[HYPERVISORS]:
        for unit in sorted(relation.units, key=lambda unit: unit.name):
            try:
                data = hypervisor.read(relation, unit)
            except RelationDataError as error:
                reader.block(error.summary)
                reader.stories.append(str(error))
                continue
            if data is not None:
                found[data.nova_host] = data
    return found
