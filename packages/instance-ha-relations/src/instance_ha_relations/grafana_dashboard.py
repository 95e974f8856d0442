# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``grafana_dashboard``: dashboards that come with a charm."""

import base64
import hashlib
import json
import lzma
import uuid
from collections.abc import Mapping

import ops

from instance_ha_relations import wire
from instance_ha_relations.topology import Topology


def offer(
    relation: ops.Relation,
    app: ops.Application,
    *,
    topology: Topology,
    dashboards: Mapping[str, str],
) -> None:
    """Hand over, as the leader, dashboards by name; each is Grafana's JSON."""
    templates = {
        f"file:{name}": {
            "charm": topology.charm_name,
            "content": compressed(text),
            "juju_topology": topology.as_dict(),
            "inject_dropdowns": True,
            "dashboard_alt_uid": hashlib.sha256(
                f"{topology.charm_name}/{name}".encode()
            ).hexdigest()[:40],
        }
        for name, text in sorted(dashboards.items())
    }
    said = json.dumps(templates, sort_keys=True)
    # Grafana looks again whenever this changes; a random one would change in every hook.
    mark = uuid.uuid5(uuid.NAMESPACE_OID, said)
    value = json.dumps({"templates": templates, "uuid": str(mark)}, sort_keys=True)
    wire.publish(relation.data[app], {"dashboards": value})


def compressed(text: str) -> str:
    """Return a dashboard as it travels."""
    return base64.b64encode(lzma.compress(text.encode())).decode()
