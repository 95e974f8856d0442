# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Peers of a ring: each unit says who it is, the leader says who forms the ring.

Every value is JSON. One writer of the layout means that all members render the same text.
"""

import json
from typing import Literal

import ops
import pydantic

from instance_ha_relations import wire

_NAME = r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$"


class NodeData(wire.Databag):
    """Unit databag of one node."""

    contract: Literal[1] = 1
    hostname: str = pydantic.Field(pattern=_NAME)
    addresses: tuple[pydantic.IPvAnyAddress, ...] = pydantic.Field(min_length=1, max_length=3)
    """One per link, the first of the first link."""
    system_id: str = ""
    """Its machine in MAAS; empty where it has none."""
    container: bool = False
    """Whether it has no power of its own to cut."""
    files: str = ""
    """Fingerprint of the configuration and keys that it has; empty before it has any."""


class LayoutMember(wire.Databag):
    """One node of the ring, as the leader wrote it down."""

    name: str
    unit: str
    node_id: int
    addresses: tuple[str, ...]
    system_id: str = ""
    container: bool = False


class LayoutData(wire.Databag):
    """Application databag, written by the leader."""

    members: tuple[LayoutMember, ...] = ()
    secret: str = ""
    """Juju secret ID of the ring's keys, never the keys themselves."""
    loaded: str = ""
    """Fingerprint of the configuration and keys that the members were told to read last."""
    watched: tuple[str, ...] = ()
    """Remotes that have been connected, so that they are fenced when they are lost."""


def read_node(relation: ops.Relation, unit: ops.Unit) -> NodeData | None:
    """Return what *unit* says of itself, or None while it is silent."""
    return wire.load(relation, NodeData, source=unit, decode=json.loads)


def write_node(relation: ops.Relation, unit: ops.Unit, data: NodeData) -> None:
    """Say who this node is."""
    wire.publish(relation.data[unit], wire.as_json(data))


def read_layout(relation: ops.Relation) -> LayoutData:
    """Return the ring as the leader wrote it down; an empty one before it did."""
    return wire.load(relation, LayoutData, source=relation.app, decode=json.loads) or LayoutData()


def write_layout(relation: ops.Relation, app: ops.Application, data: LayoutData) -> None:
    """Write down who forms the ring; the leader only."""
    wire.publish(relation.data[app], wire.as_json(data))
