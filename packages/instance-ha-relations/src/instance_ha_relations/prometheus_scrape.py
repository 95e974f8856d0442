# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``prometheus_scrape``: where a Prometheus finds our metrics, and what to alert on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ops

from instance_ha_relations import wire
from instance_ha_relations.topology import Topology


def offer(
    relation: ops.Relation,
    app: ops.Application,
    *,
    topology: Topology,
    ports: Mapping[str, int],
    rules: Sequence[Mapping[str, Any]],
) -> None:
    """Tell, as the leader, what to scrape of every unit.

    Args:
        relation: The relation with the Prometheus.
        app: Our application.
        topology: Where it runs.
        ports: Name of a job -> port at which each unit serves ``/metrics``.
        rules: Groups of alert rules, as :meth:`Topology.rules` takes them.
    """
    jobs = [
        {
            "job_name": name,
            "metrics_path": "/metrics",
            "static_configs": [{"targets": [f"*:{port}"]}],
        }
        for name, port in ports.items()
    ]
    values = {
        "scrape_metadata": json.dumps(topology.as_dict()),
        "scrape_jobs": json.dumps(jobs),
        "alert_rules": json.dumps(topology.rules(rules)),
    }
    wire.publish(relation.data[app], values)


def announce(relation: ops.Relation, unit: ops.Unit, *, address: str) -> None:
    """Say where this unit answers."""
    values = {
        "prometheus_scrape_unit_address": address,
        "prometheus_scrape_unit_name": unit.name,
    }
    wire.publish(relation.data[unit], values)
