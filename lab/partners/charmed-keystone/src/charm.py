#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""An account in unit data and in plain text, as Charmed OpenStack's Keystone gives it."""

from __future__ import annotations

import ops


class CharmedKeystoneCharm(ops.CharmBase):
    """Answer every unit that names the user it wants."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        asked = self.on["identity-credentials"]
        for event in (self.on.start, self.on.config_changed, asked.relation_changed):
            framework.observe(event, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        for relation in self.model.relations["identity-credentials"]:
            names = [relation.data[unit].get("username") for unit in relation.units]
            name = next(filter(None, names), None)
            if name is not None:
                relation.data[self.unit].update(self._account(name))
        self.unit.status = ops.ActiveStatus()

    def _account(self, name: str) -> dict[str, str]:
        where = {"host": str(self.config["host"]), "port": str(self.config["port"])}
        return {
            "auth_protocol": "http",
            "service_protocol": "http",
            "api_version": "3",
            "region": "RegionOne",
            "credentials_username": name,
            "credentials_password": "secret",
            "credentials_project": "services",
            "domain": "default",
            **{f"auth_{key}": value for key, value in where.items()},
            **{f"service_{key}": value for key, value in where.items()},
        }


if __name__ == "__main__":
    ops.main(CharmedKeystoneCharm)
