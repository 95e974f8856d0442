# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``hacluster``: what a principal wants Pacemaker to run for it.

The principal's unit speaks in its unit databag; each part is a key ``json_NAME`` with a JSON
object of names and texts in crmsh's language. The older keys without ``json_``, which hold Python
literals, are not read.
"""

import json
from collections.abc import Mapping

import ops
import pydantic

from instance_ha_relations import wire

Texts = Mapping[str, str]


def _field() -> Texts:
    return {}


class Request(wire.Databag):
    """Unit databag of the principal."""

    resources: Texts = pydantic.Field(default_factory=_field, alias="json_resources")
    """Name -> agent, for example ``ocf:heartbeat:IPaddr2``."""
    resource_params: Texts = pydantic.Field(default_factory=_field, alias="json_resource_params")
    """Name of a resource -> its params, meta and op."""
    groups: Texts = pydantic.Field(default_factory=_field, alias="json_groups")
    clones: Texts = pydantic.Field(default_factory=_field, alias="json_clones")
    ms: Texts = pydantic.Field(default_factory=_field, alias="json_ms")
    """Promotable clones, by their name of long ago."""
    orders: Texts = pydantic.Field(default_factory=_field, alias="json_orders")
    colocations: Texts = pydantic.Field(default_factory=_field, alias="json_colocations")
    locations: Texts = pydantic.Field(default_factory=_field, alias="json_locations")
    init_services: Texts | list[str] = pydantic.Field(
        default_factory=_field, alias="json_init_services"
    )
    systemd_services: Texts | list[str] = pydantic.Field(
        default_factory=_field, alias="json_systemd_services"
    )
    delete_resources: list[str] = pydantic.Field(
        default_factory=list[str], alias="json_delete_resources"
    )

    @property
    def services(self) -> frozenset[str]:
        """System services that Pacemaker starts from now on, and nobody else."""
        return frozenset((*_values(self.init_services), *_values(self.systemd_services)))


def _values(said: Texts | list[str]) -> tuple[str, ...]:
    return tuple(said.values()) if isinstance(said, Mapping) else tuple(said)


def read(relation: ops.Relation, unit: ops.Unit) -> Request | None:
    """Return what the principal's unit asks for, or None while it is silent."""
    return wire.load(relation, Request, source=unit, decode=json.loads)


def say_clustered(relation: ops.Relation, unit: ops.Unit) -> None:
    """Tell the principal that all it asked for is set up and this node is a member."""
    wire.publish(relation.data[unit], {"clustered": "yes"})
