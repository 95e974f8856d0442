# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``pacemaker-remote``: hypervisors that the ring watches without a vote.

The remote's unit speaks in its unit databag, every value is JSON. The ring's unit answers with the
key that both sides of the connection must hold.
"""

import json

import ops
import pydantic

from instance_ha_relations import wire

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"


class RemoteData(wire.Databag):
    """Unit databag of the remote."""

    hostname: str = pydantic.Field(alias="remote-hostname", pattern=_NAME)
    """Its name in Pacemaker, which must be Nova's name of the hypervisor."""
    address: wire.Line = pydantic.Field(alias="remote-ip")
    stonith_hostname: str | None = pydantic.Field(None, alias="stonith-hostname", pattern=_NAME)
    """Its name in MAAS; None where its operator does not want it fenced."""
    enable_resources: bool = pydantic.Field(True, alias="enable-resources")
    """Whether the principals' resources may run on it."""
    reads_secrets: bool = pydantic.Field(False, alias="reads-secrets")
    """Whether it takes the key as a secret; charm-pacemaker-remote knows the databag only."""
    ready: bool = False
    """Whether it runs; said so that the ring looks again, and others never say so."""


class RemoteKey(wire.SecretContent):
    """Content of the secret that ``pacemaker-key-secret`` names."""

    key: pydantic.SecretStr = pydantic.Field(alias="pacemaker-key")
    """The authkey file's content in base64."""


class RingData(wire.Databag):
    """Unit databag of the ring."""

    secret: wire.Line = pydantic.Field(alias="pacemaker-key-secret")
    """Juju secret ID, never the secret itself."""


def read(relation: ops.Relation, unit: ops.Unit) -> RemoteData | None:
    """Return who the remote behind *unit* is, or None while it is silent."""
    return wire.load(relation, RemoteData, source=unit, decode=json.loads)


def offer_key(relation: ops.Relation, unit: ops.Unit, *, secret: str, plain: str | None) -> None:
    """Name the secret that holds the remotes' key; it must have been granted to *relation*.

    Args:
        plain: The key itself in base64, for remotes that read nothing else; None takes it away.
    """
    values = {"pacemaker-key-secret": json.dumps(secret), "pacemaker-key": plain}
    wire.publish(relation.data[unit], values)


def read_key(model: ops.Model, relation: ops.Relation) -> RemoteKey | None:
    """Return the newest key as the remote, or None while no unit of the ring names one."""
    for unit in sorted(relation.units, key=lambda unit: unit.name):
        if data := wire.load(relation, RingData, source=unit, decode=json.loads):
            return wire.read_secret(model, data.secret, RemoteKey, relation=relation)
    return None
