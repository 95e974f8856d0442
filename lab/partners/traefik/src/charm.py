#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""ingress v2 with a small real reverse proxy under Pebble."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Mapping

import ops

PORT = 8080
LAYER: ops.pebble.LayerDict = {
    "services": {
        "proxy": {
            "override": "replace",
            "startup": "enabled",
            "command": f"python3 /srv/proxy.py {PORT} /srv/routes.json",
        }
    }
}


class TraefikCharm(ops.CharmBase):
    """Route the path /MODEL-APP to every unit of the application that asked."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        ingress = self.on["ingress"]
        for event in (
            self.on.proxy_pebble_ready,
            self.on.config_changed,
            ingress.relation_changed,
            ingress.relation_departed,
            ingress.relation_broken,
        ):
            framework.observe(event, self._reconcile)

    def _reconcile(self, event: ops.EventBase) -> None:
        container = self.unit.get_container("proxy")
        if not container.can_connect():
            self.unit.status = ops.WaitingStatus("waiting for the proxy's container")
            return
        routes = dict(self._routes(event))
        source = pathlib.Path(__file__).with_name("proxy.py").read_text()
        container.push("/srv/proxy.py", source, make_dirs=True)
        container.push("/srv/routes.json", json.dumps(routes), make_dirs=True)
        container.add_layer("proxy", ops.pebble.Layer(LAYER), combine=True)
        container.replan()
        self.unit.status = ops.ActiveStatus()

    def _routes(self, event: ops.EventBase) -> list[tuple[str, list[str]]]:
        binding = self.model.get_binding("ingress")
        address = binding.network.bind_address if binding else None
        routes: list[tuple[str, list[str]]] = []
        gone = event.relation.id if isinstance(event, ops.RelationBrokenEvent) else None
        leaving = event.departing_unit if isinstance(event, ops.RelationDepartedEvent) else None
        for relation in self.model.relations["ingress"]:
            data = relation.data[relation.app] if relation.app else {}
            units = sorted(relation.units - {leaving}, key=str)
            hosts = [host for unit in units if (host := _host(relation.data[unit]))]
            if relation.id == gone or not data.get("port") or not hosts:
                continue
            prefix = f"/{json.loads(data['model'])}-{json.loads(data['name'])}"
            port = json.loads(data["port"])
            routes.append((prefix, [f"http://{host}:{port}" for host in hosts]))
            relation.data[self.app]["ingress"] = json.dumps(
                {"url": f"http://{address}:{PORT}{prefix}"}
            )
        return routes


def _host(said: Mapping[str, str]) -> str | None:
    """Return where a unit is, or None while it has not said so."""
    told = said.get("ip") or said.get("host")
    return json.loads(told) if told else None


if __name__ == "__main__":
    ops.main(TraefikCharm)
