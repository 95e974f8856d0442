# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``ceph-client``: an account of a Ceph cluster, and where its monitors are.

The charms ceph-mon and microceph provide it. Each of their units speaks in its unit databag, as
bare text; one of them also answers requests, which are JSON. The account's key comes by databag
as well: that is the interface, and not ours to change.

A new account may do more than fencing needs. So it is narrowed by a second request, once it is
there: a request for rights of an account that is not there yet is taken, and does nothing.
"""

import json
import uuid
from collections.abc import Sequence

import ops
import pydantic

from instance_ha_relations import wire

RIGHTS = (
    "mon",
    'allow command "osd blocklist", allow command "osd blocklist ls"',
)
"""All that a fence asks for: no pool, and no other command."""


class CephUnitData(wire.Databag):
    """Unit databag of the provider; some units have a monitor, one or all the key."""

    key: wire.SecretLine | None = None
    address: wire.Line | None = pydantic.Field(None, alias="ceph-public-address")


class CephAppData(wire.Databag):
    """Application databag of the provider; not all of them write it."""

    addresses: list[wire.Line] = pydantic.Field(alias="ceph-mon-public-addresses")


class CephAccount(wire.Databag):
    """What a client needs to speak to the cluster."""

    hosts: list[wire.Line]
    """The monitors' addresses."""
    user: wire.Line
    """Without ``client.``."""
    key: wire.SecretLine

    def conf(self) -> str:
        """Return the configuration with which Ceph's tools find the cluster; no secret in it."""
        hosts = ",".join(f"[{host}]" if ":" in host else host for host in self.hosts)
        return f"[global]\nmon_host = {hosts}\nauth_client_required = cephx\n"

    def keyring(self) -> str:
        """Return the keyring with which they prove who they are."""
        return f"[client.{self.user}]\n\tkey = {self.key.get_secret_value()}\n"


def request(relation: ops.Relation, unit: ops.Unit, *, user: str) -> None:
    """Ask for the account of *user*, and once it is there, for as few rights as will do."""
    is_there = any("key" in relation.data[each] for each in relation.units)
    phase = "narrow" if is_there else "create"
    operation = {"op": "set-key-permissions", "client": user, "permissions": list(RIGHTS)}
    wanted = {
        "api-version": 1,
        "ops": [operation],
        "request-id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{user}:{phase}:{RIGHTS}")),
    }
    values = {"application-name": user, "broker_req": json.dumps(wanted, sort_keys=True)}
    wire.publish(relation.data[unit], values)


def read(relation: ops.Relation, *, user: str) -> CephAccount | None:
    """Return the account of *user*, or None until the cluster has made it."""
    units = _units(relation)
    listed = wire.load(relation, CephAppData, source=relation.app, decode=json.loads)
    own = [said.address for said in units if said.address]
    hosts = sorted(set(listed.addresses if listed else own))
    key = next((said.key for said in units if said.key), None)
    return CephAccount(hosts=hosts, user=user, key=key) if key and hosts else None


def _units(relation: ops.Relation) -> Sequence[CephUnitData]:
    units = sorted(relation.units, key=lambda unit: unit.name)
    said = [wire.load(relation, CephUnitData, source=unit, decode=wire.text) for unit in units]
    return [data for data in said if data]
