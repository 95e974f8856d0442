# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``loki_push_api``: where logs go, and what in them to alert on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ops
import pydantic

from instance_ha_relations import wire
from instance_ha_relations.topology import Topology


class _Endpoint(wire.Databag):
    url: pydantic.HttpUrl


class _LokiData(wire.Databag):
    endpoint: _Endpoint


def offer(
    relation: ops.Relation,
    app: ops.Application,
    *,
    topology: Topology,
    rules: Sequence[Mapping[str, Any]],
) -> None:
    """Tell, as the leader, who logs and what to alert on."""
    values = {
        "metadata": json.dumps(topology.as_dict()),
        "alert_rules": json.dumps(topology.rules(rules)),
    }
    wire.publish(relation.data[app], values)


def read(relation: ops.Relation) -> Mapping[str, str]:
    """Return unit of Loki -> URL to push to, of those that have said one.

    Raises:
        RelationDataError: if a unit wrote what is no URL.
    """
    found: dict[str, str] = {}
    for unit in sorted(relation.units, key=lambda unit: unit.name):
        data = wire.load(relation, _LokiData, source=unit, decode=wire.json_or_text)
        if data is not None:
            found[unit.name] = str(data.endpoint.url)
    return found
