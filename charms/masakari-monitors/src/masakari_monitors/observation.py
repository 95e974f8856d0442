# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an observability agent on the same machine gets: metrics, alerts and a dashboard."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ops
import yaml

from hypervisor_instance_ha import metrics
from instance_ha_relations import cos_agent
from instance_ha_relations.topology import Topology
from masakari_monitors import snapshot

_HOME = pathlib.Path(__file__).with_name("observe")
DASHBOARD = _HOME / "hypervisor-monitors.json"


def alerts() -> Sequence[Mapping[str, Any]]:
    """Return the groups of rules over our metrics."""
    text = (_HOME / "alerts.yaml").read_text(encoding="utf-8")
    groups: Sequence[Mapping[str, Any]] = yaml.safe_load(text)["groups"]
    return groups


def publish(charm: ops.CharmBase) -> None:
    """Write our side of the relation with whoever collects on this machine."""
    for relation in charm.model.relations[snapshot.COS_AGENT]:
        cos_agent.offer(
            relation,
            charm.unit,
            topology=Topology.of(charm),
            ports={"monitors": metrics.PORT},
            rules=alerts(),
            dashboards=[json.dumps(json.loads(DASHBOARD.read_text(encoding="utf-8")))],
        )
