# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What those who watch over the cloud get: metrics, alerts, a dashboard, and logs."""

import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import ops
import yaml
from ops import pebble

from instance_ha_relations import grafana_dashboard, loki_push_api, prometheus_scrape
from instance_ha_relations.topology import Topology
from masakari_k8s import rendering, snapshot

METRICS, DASHBOARDS = "metrics-endpoint", "grafana-dashboard"
PORTS = {"controller": rendering.CONTROLLER_PORT, "engine": rendering.ENGINE_PORT}
"""Job -> where every unit serves it."""

_HOME = pathlib.Path(__file__).with_name("observe")
DASHBOARD = _HOME / "instance-recovery.json"


def alerts() -> Sequence[Mapping[str, Any]]:
    """Return the groups of rules over our metrics."""
    return _groups("alerts.yaml")


def log_alerts() -> Sequence[Mapping[str, Any]]:
    """Return the groups of rules over our logs."""
    return _groups("log-alerts.yaml")


def _groups(name: str) -> Sequence[Mapping[str, Any]]:
    groups: Sequence[Mapping[str, Any]] = yaml.safe_load((_HOME / name).read_text())["groups"]
    return groups


def publish(charm: ops.CharmBase) -> None:
    """Write our side of the relations with whoever watches."""
    relations, topology = charm.model.relations, Topology.of(charm)
    for relation in relations[METRICS]:
        binding = charm.model.get_binding(relation)
        address = binding.network.bind_address if binding else None
        if address is not None:
            prometheus_scrape.announce(relation, charm.unit, address=str(address))
    if not charm.unit.is_leader():
        return
    for relation in relations[METRICS]:
        prometheus_scrape.offer(
            relation, charm.app, topology=topology, ports=PORTS, rules=alerts()
        )
    for relation in relations[DASHBOARDS]:
        dashboard = {DASHBOARD.stem: json.dumps(json.loads(DASHBOARD.read_text()))}
        grafana_dashboard.offer(relation, charm.app, topology=topology, dashboards=dashboard)
    for relation in relations[snapshot.LOGS]:
        loki_push_api.offer(relation, charm.app, topology=topology, rules=log_alerts())


def log_targets(
    charm: ops.CharmBase, stores: Mapping[str, str]
) -> Mapping[str, pebble.LogTargetDict]:
    """Return how Pebble forwards what the services write.

    Args:
        charm: Whose services they are.
        stores: Unit of Loki -> where it takes logs.
    """
    topology = Topology.of(charm)
    labels = {**topology.labels(), "product": "Juju", "juju_unit": topology.unit}
    return {
        name: {
            "override": "replace",
            "type": "loki",
            "location": url,
            "services": ["all"],
            "labels": labels,
        }
        for name, url in stores.items()
    }
