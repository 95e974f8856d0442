#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""consul-cluster in front of one of the lab's real Consul clusters."""

from __future__ import annotations

import json

import ops


class ConsulCharm(ops.CharmBase):
    """Tell where the servers are."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for event in (self.on.consul_cluster_relation_created, self.on.config_changed):
            framework.observe(event, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        http, gossip = str(self.config["http-endpoint"]), str(self.config["gossip-endpoint"])
        for relation in self.model.relations["consul-cluster"]:
            relation.data[self.app].update(
                {
                    "datacenter": "dc1",
                    "internal_gossip_endpoints": json.dumps([gossip] if gossip else None),
                    "external_gossip_endpoints": json.dumps(None),
                    "internal_http_endpoint": json.dumps(http or None),
                    "external_http_endpoint": json.dumps(None),
                }
            )
        self.unit.status = ops.ActiveStatus()


if __name__ == "__main__":
    ops.main(ConsulCharm)
