#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""rabbitmq's relation in front of the lab's real RabbitMQ."""

from __future__ import annotations

import secrets
from urllib.parse import quote

import ops
import requests


class RabbitmqCharm(ops.CharmBase):
    """Make an account and a vhost for whoever asks."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        framework.observe(self.on.amqp_relation_changed, self._reconcile)
        framework.observe(self.on.config_changed, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        for relation in self.model.relations["amqp"]:
            asked = relation.data[relation.app] if relation.app else {}
            if asked.get("username") and "password" not in relation.data[self.app]:
                password = secrets.token_urlsafe(18)
                self._create(asked["username"], password, asked["vhost"])
                relation.data[self.app].update(
                    {"password": password, "hostname": str(self.config["host"])}
                )
        self.unit.status = ops.ActiveStatus()

    def _create(self, user: str, password: str, vhost: str) -> None:
        path = quote(vhost, safe="")
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self._put(f"users/{user}", {"password": password, "tags": ""})
        self._put(f"vhosts/{path}", {})
        self._put(f"permissions/{path}/{user}", everything)

    def _put(self, path: str, body: dict[str, str]) -> None:
        base = f"http://{self.config['host']}:{self.config['management-port']}/api"
        account = (str(self.config["admin-user"]), str(self.config["admin-password"]))
        requests.put(f"{base}/{path}", json=body, auth=account, timeout=30).raise_for_status()


if __name__ == "__main__":
    ops.main(RabbitmqCharm)
