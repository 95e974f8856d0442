# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``service-ready``: whether a service can be used. One JSON boolean."""

import json

import ops

from instance_ha_relations import wire


class ServiceReady(wire.Databag):
    """Application databag of the provider."""

    ready: bool = False


def write(relation: ops.Relation, app: ops.Application, *, ready: bool) -> None:
    """Say, as the leader of the provider, whether the service can be used."""
    wire.publish(relation.data[app], {"ready": json.dumps(ready)})


def read(relation: ops.Relation) -> bool:
    """Return whether the service can be used; silence means no."""
    data = wire.load(relation, ServiceReady, source=relation.app, decode=json.loads)
    return data is not None and data.ready
