#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A principal that asks for what masakari of Charmed OpenStack asks for."""

from __future__ import annotations

import json

import ops


class RingPrincipalCharm(ops.CharmBase):
    """Ask for an address beside a clone, and wait until the ring has both."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        ha = self.on["ha"]
        for event in (self.on.config_changed, ha.relation_joined, ha.relation_changed):
            framework.observe(event, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        said = False
        for relation in self.model.relations["ha"]:
            for key, value in self._asks_for().items():
                relation.data[self.unit][key] = json.dumps(value, sort_keys=True)
            said = any(relation.data[unit].get("clustered") == "yes" for unit in relation.units)
        self.unit.status = ops.ActiveStatus() if said else ops.WaitingStatus("not clustered")

    def _asks_for(self) -> dict[str, dict[str, str]]:
        address = f'params ip="{self.config["vip"]}" cidr_netmask="24"'
        checks = 'op monitor timeout="20s" interval="10s" depth="0"'
        return {
            "json_resources": {
                "res_lab_vip": "ocf:heartbeat:IPaddr2",
                "res_lab_haproxy": "ocf:pacemaker:Dummy",
            },
            "json_resource_params": {
                "res_lab_vip": f'{address} meta migration-threshold="INFINITY" {checks}',
                "res_lab_haproxy": 'op monitor interval="5s"',
            },
            "json_groups": {"grp_lab_vips": "res_lab_vip"},
            "json_clones": {"cl_lab_haproxy": "res_lab_haproxy"},
            "json_colocations": {"lab_vip_with_haproxy": "inf: grp_lab_vips cl_lab_haproxy"},
        }


if __name__ == "__main__":
    ops.main(RingPrincipalCharm)
