# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read the world once, so that guard and status cannot disagree."""

from __future__ import annotations

import os
from dataclasses import dataclass

import ops
import pydantic

from instance_ha_relations import certificate_transfer, identity_credentials
from instance_ha_relations.errors import RelationDataError, RelationIncompleteError
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.options import describe
from masakari_monitors import identity, remote
from masakari_monitors.config import MonitorsConfig

CREDENTIALS = "identity-credentials"
HYPERVISOR = "hypervisor"
STORAGE = "storage"
"""The binding of the network by which this machine speaks to the storage."""
RECEIVE_CA = "receive-ca-cert"
COS_AGENT = "cos-agent"


@dataclass(frozen=True, kw_only=True)
class Account:
    """A Keystone account and where it is good for."""

    auth_url: str
    region: str
    project: str
    user_domain: str
    project_domain: str
    username: str
    password: pydantic.SecretStr


@dataclass(frozen=True, kw_only=True)
class World:
    """What the charm knows at this moment."""

    config: MonitorsConfig | None
    account: Account | None
    ca_bundle: str
    observed: bool
    """Whether an observability agent collects metrics of this machine."""
    ring_key: str
    """The key of a Pacemaker ring in base64; empty: no ring, or it has not given one yet."""
    problems: tuple[ops.StatusBase, ...]


def take(charm: ops.CharmBase) -> World:
    """Return what is there and what is missing."""
    problems: list[ops.StatusBase] = []
    config = _config(charm, problems)
    account = _account(charm, problems)
    authorities: list[str] = []
    for relation in charm.model.relations[RECEIVE_CA]:
        try:
            authorities += certificate_transfer.read(relation)
        except RelationDataError as error:
            problems.append(ops.BlockedStatus(error.summary))
    ring_key = ""
    try:
        ring_key = remote.key(charm)
    except RelationDataError as error:
        problems.append(ops.BlockedStatus(error.summary))
    return World(
        config=config,
        account=account,
        ca_bundle="\n".join(authorities),
        observed=bool(charm.model.relations[COS_AGENT]),
        ring_key=ring_key,
        problems=tuple(problems),
    )


def _config(charm: ops.CharmBase, problems: list[ops.StatusBase]) -> MonitorsConfig | None:
    try:
        return charm.load_config(MonitorsConfig)
    except pydantic.ValidationError as error:
        problems.append(ops.BlockedStatus(describe(error)[:60]))
        return None


def _account(charm: ops.CharmBase, problems: list[ops.StatusBase]) -> Account | None:
    relation = charm.model.get_relation(CREDENTIALS)
    if relation is None:
        problems.append(ops.BlockedStatus("integrate with keystone:identity-credentials"))
        return None
    try:
        account = _read_account(charm, relation)
    except RelationIncompleteError as error:
        problems.append(ops.WaitingStatus(error.summary))
        return None
    except RelationDataError as error:
        problems.append(ops.BlockedStatus(error.summary))
        return None
    if account is None:
        problems.append(ops.WaitingStatus("waiting for keystone to make an account"))
    return account


def _read_account(charm: ops.CharmBase, relation: ops.Relation) -> Account | None:
    """Return the account in whichever of the two forms Keystone gives it."""
    charmed = identity_credentials.read_charmed(relation)
    if charmed is not None:
        return Account(
            auth_url=charmed.auth_url,
            region=charmed.region,
            project=charmed.project_name,
            user_domain=charmed.user_domain_name,
            project_domain=charmed.project_domain_name,
            username=charmed.username,
            password=charmed.password,
        )
    data = identity_credentials.read(relation)
    if data is None:
        return None
    user = identity_credentials.read_user(charm.model, data, relation=relation)
    return Account(
        auth_url=data.internal_endpoint,
        region=data.region,
        project=data.project_name,
        user_domain=data.user_domain_name,
        project_domain=data.project_domain_name,
        username=user.username,
        password=user.password,
    )


def hypervisor(charm: ops.CharmBase, *, nova_host: str) -> HypervisorData:
    """Return who this machine is, for the hypervisor relation."""
    binding = charm.model.get_binding(HYPERVISOR)
    address = binding.network.bind_address if binding else None
    names = os.uname()
    return HypervisorData(
        nova_host=nova_host,
        fqdn=identity.fqdn(),
        hostname=names.nodename.partition(".")[0],
        system_id=identity.maas_system_id(),
        juju_machine=os.environ.get("JUJU_MACHINE_ID", ""),
        boot_id=identity.boot_id(),
        address=str(address or ""),
        storage_addresses=_storage_addresses(charm),
    )


def _storage_addresses(charm: ops.CharmBase) -> list[str]:
    """Return this machine's addresses in the space to which the storage is bound."""
    binding = charm.model.get_binding(STORAGE)
    found = binding.network.interfaces if binding else ()
    return sorted({str(each.address) for each in found if each.address})
