# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``instance-ha-fencing``: what can prove that a hypervisor is off.

The provider speaks in its application databag, every value is JSON; the requirer only says which
contract it knows.
"""

import json
from typing import Literal, Self

import ops
import pydantic

from instance_ha_relations import wire

CONTRACT = 1


class FencingTarget(wire.Databag):
    """The machine behind one hypervisor, and whether its power state could be asked for."""

    system_id: str = ""
    fqdn: str = ""
    hostname: str = ""
    storage_addresses: list[wire.Line] = pydantic.Field(default_factory=list)
    """From which it speaks to the storage."""
    result: Literal["ok", "failed"]
    reason: str = ""
    """Why the last test failed; empty if it did not."""
    rungs: dict[str, str] = pydantic.Field(default_factory=dict)
    """Rung of the ladder -> ``ok``, or why it could not be asked; the first one is tried first."""
    tested_at: str = ""
    """When it was tested, as ISO 8601 in UTC."""


class FencingData(wire.Databag):
    """Application databag of the provider."""

    contract: Literal[1] = 1
    mode: Literal["maas", "none"]
    """``none`` is the operator's choice to evacuate without proof."""
    maas_url: wire.Line | None = None
    credentials: wire.Line | None = None
    """Juju secret ID, never the secret itself."""
    ca: str | None = None
    """PEM of the authority that signed MAAS's certificate."""
    bmcs: wire.Line | None = None
    """Juju secret ID of the hypervisors' own power controllers, where the operator gave any."""
    rungs: list[wire.Line] = pydantic.Field(default_factory=list)
    """The ladder of fences, first to last; empty for whatever there is access to."""
    ceph_hosts: list[wire.Line] = pydantic.Field(default_factory=list)
    """Ceph's monitors; none where the provider has no access to Ceph."""
    ceph_user: wire.Line | None = None
    """Without ``client.``."""
    ceph_credentials: wire.Line | None = None
    """Juju secret ID of the user's key."""
    segment_rungs: dict[str, wire.Line] = pydantic.Field(default_factory=dict)
    """Segment -> its own ladder, the rungs joined by ``+``."""
    targets: dict[str, FencingTarget] = pydantic.Field(default_factory=dict)
    """Nova's name of a hypervisor -> the machine behind it."""

    @pydantic.model_validator(mode="after")
    def _maas_can_be_asked(self) -> Self:
        if self.mode == "maas" and not (self.maas_url and self.credentials):
            raise ValueError("mode maas needs maas_url and credentials")
        return self

    @pydantic.model_validator(mode="after")
    def _ceph_is_whole(self) -> Self:
        said = [bool(self.ceph_hosts), bool(self.ceph_user), bool(self.ceph_credentials)]
        if any(said) and not all(said):
            raise ValueError("ceph needs ceph_hosts, ceph_user and ceph_credentials")
        return self


class FencingCredentials(wire.SecretContent):
    """Content of the secret that ``credentials`` names."""

    api_key: pydantic.SecretStr = pydantic.Field(alias="api-key")
    """MAAS API key, ``consumer:token:secret``."""

    @pydantic.field_validator("api_key")
    @classmethod
    def _has_three_parts(cls, value: pydantic.SecretStr) -> pydantic.SecretStr:
        parts = value.get_secret_value().split(":")
        if len(parts) != 3 or not all(part and part.isprintable() for part in parts):
            raise ValueError("must be consumer:token:secret as MAAS shows it")
        return value


class BmcCredentials(wire.SecretContent):
    """Content of the secret that ``bmcs`` names."""

    bmcs: pydantic.SecretStr
    """JSON: Nova's name of a hypervisor -> its power controllers, with user and password."""


class CephCredentials(wire.SecretContent):
    """Content of the secret that ``ceph_credentials`` names."""

    key: wire.SecretLine
    """As Ceph prints it, in base64."""


def write(relation: ops.Relation, app: ops.Application, data: FencingData) -> None:
    """Publish *data* as the provider; the secret must have been granted to *relation*."""
    wire.publish(relation.data[app], wire.as_json(data))


def greet(relation: ops.Relation, app: ops.Application) -> None:
    """Say as the requirer which contract we know."""
    wire.publish(relation.data[app], {"contract": json.dumps(CONTRACT)})


def read(relation: ops.Relation) -> FencingData | None:
    """Return what the provider offers, or None while it is silent."""
    return wire.load(relation, FencingData, source=relation.app, decode=json.loads)


def read_credentials(
    model: ops.Model, data: FencingData, *, relation: ops.Relation
) -> FencingCredentials | None:
    """Return the newest MAAS credentials, or None where the provider offers no power control."""
    if data.credentials is None:
        return None
    return wire.read_secret(model, data.credentials, FencingCredentials, relation=relation)


def read_bmcs(
    model: ops.Model, data: FencingData, *, relation: ops.Relation
) -> BmcCredentials | None:
    """Return the hypervisors' own power controllers, or None where the provider has none."""
    if data.bmcs is None:
        return None
    return wire.read_secret(model, data.bmcs, BmcCredentials, relation=relation)


def read_ceph(
    model: ops.Model, data: FencingData, *, relation: ops.Relation
) -> CephCredentials | None:
    """Return the key of Ceph's user, or None where the provider has no access to Ceph."""
    if data.ceph_credentials is None:
        return None
    return wire.read_secret(model, data.ceph_credentials, CephCredentials, relation=relation)
