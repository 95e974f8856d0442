# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``cos_agent``: what an observability agent on the same machine collects for us.

Everything is in one key of the unit's databag, as a subordinate knows one unit only. The other
side is ``grafana-agent`` or ``opentelemetry-collector``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import ops

from instance_ha_relations import wire
from instance_ha_relations.grafana_dashboard import compressed
from instance_ha_relations.topology import Topology

_KEY = "config"


def offer(
    relation: ops.Relation,
    unit: ops.Unit,
    *,
    topology: Topology,
    ports: Mapping[str, int],
    rules: Sequence[Mapping[str, Any]],
    dashboards: Sequence[str],
) -> None:
    """Tell the agent beside *unit* what to scrape, to alert on and to show.

    Logs are not named: the agent reads the machine's journal by itself, and its slots are for
    the logs of snaps.

    Args:
        relation: The relation with the agent.
        unit: Our unit.
        topology: Where it runs.
        ports: Name of a job -> port of the machine's loopback that serves ``/metrics``.
        rules: Groups of alert rules, as :meth:`Topology.rules` takes them.
        dashboards: Each is Grafana's JSON.
    """
    jobs = [
        {
            "job_name": f"{topology.application}_{name}",
            "metrics_path": "/metrics",
            "static_configs": [{"targets": [f"localhost:{port}"]}],
        }
        for name, port in ports.items()
    ]
    said = {
        "metrics_alert_rules": topology.rules(rules),
        "log_alert_rules": {},
        "dashboards": [compressed(text) for text in dashboards],
        "metrics_scrape_jobs": jobs,
        "log_slots": [],
    }
    wire.publish(relation.data[unit], {_KEY: json.dumps(said, sort_keys=True)})
