#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Keystone's relations in front of the lab's real Keystone."""

from __future__ import annotations

import json
import secrets
from urllib.parse import urlsplit

import ops
from identity import Keystone

ROLES = ["admin", "service"]
SERVED = "processed-endpoints"
"""What was asked for and is done, so that no other hook asks Keystone again."""


class KeystoneCharm(ops.CharmBase):
    """Make service users and endpoints for whoever asks."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for name in ("identity-service", "identity-credentials", "send-ca-cert"):
            framework.observe(self.on[name].relation_changed, self._reconcile)
            framework.observe(self.on[name].relation_joined, self._reconcile)
        framework.observe(self.on.config_changed, self._reconcile)
        framework.observe(self.on.secret_remove, self._on_secret_remove)
        framework.observe(self.on.rotate_service_credentials_action, self._on_rotate)

    def _reconcile(self, _: ops.EventBase) -> None:
        for relation in self.model.relations["identity-service"]:
            asked = relation.data[relation.app].get("service-endpoints") if relation.app else None
            if asked and relation.data[self.app].get(SERVED) != asked:
                self._serve(self._keystone(), relation)
                relation.data[self.app][SERVED] = asked
        for relation in self.model.relations["identity-credentials"]:
            asked = relation.data[relation.app].get("username") if relation.app else None
            if asked and "credentials" not in relation.data[self.app]:
                self._give_credentials(self._keystone(), relation)
        for relation in self.model.relations["send-ca-cert"]:
            relation.data[self.unit].update({"certificate": "", "ca": "", "chain": "[]"})
        self.unit.status = ops.ActiveStatus()

    def _serve(self, keystone: Keystone, relation: ops.Relation) -> None:
        asked = relation.data[relation.app]
        region = asked.get("region", str(self.config["region"]))
        for entry in json.loads(asked["service-endpoints"]):
            service = keystone.ensure("service", entry["service_name"], type=entry["type"])
            for interface in ("internal", "public", "admin"):
                keystone.ensure_endpoint(
                    service["id"], interface, entry[f"{interface}_url"], region
                )
        ours = relation.data[self.app]
        if "service-credentials" not in ours:
            content = self._new_user(keystone, relation.app.name, asked)
            secret = self.app.add_secret(content, label=f"service-{relation.id}")
            secret.grant(relation)
            ours["service-credentials"] = secret.get_info().id
        ours.update(self._addresses() | {"region": str(self.config["region"])})
        ours["processed-extra-roles"] = json.dumps(
            sorted(json.loads(asked.get("extra-roles", "[]")))
        )

    def _give_credentials(self, keystone: Keystone, relation: ops.Relation) -> None:
        ours = relation.data[self.app]
        name = relation.data[relation.app]["username"]
        content = self._new_user(keystone, name, {})
        secret = self.app.add_secret(content, label=f"credentials-{relation.id}")
        secret.grant(relation)
        ours["credentials"] = secret.get_info().id
        url = str(self.config["auth-url"])
        ours.update(
            self._hosts()
            | {
                "api-version": "3",
                "project-name": "services",
                "user-domain-name": "service_domain",
                "project-domain-name": "service_domain",
                "region": str(self.config["region"]),
                "internal-endpoint": url,
                "public-endpoint": url,
                "admin-role": "admin",
            }
        )

    def _new_user(
        self, keystone: Keystone, app: str, asked: ops.RelationDataContent | dict[str, str]
    ) -> dict[str, str]:
        domain = keystone.ensure("domain", "service_domain")["id"]
        project = keystone.ensure("project", "services", domain_id=domain)["id"]
        name = f"svc_{app.replace('-', '_')}-{secrets.token_hex(3)}"
        password = secrets.token_urlsafe(18)
        roles = ROLES + json.loads(asked.get("extra-roles", "[]"))
        keystone.ensure_user(name, password=password, domain=domain, project=project, roles=roles)
        return {"username": name, "password": password}

    def _on_rotate(self, event: ops.ActionEvent) -> None:
        keystone = self._keystone()
        for relation in self.model.relations["identity-service"]:
            secret = self.model.get_secret(label=f"service-{relation.id}")
            secret.set_content(
                self._new_user(keystone, relation.app.name, relation.data[relation.app])
            )
        event.set_results({"rotated": len(self.model.relations["identity-service"])})

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        event.remove_revision()

    def _keystone(self) -> Keystone:
        return Keystone(str(self.config["auth-url"]), str(self.config["admin-password"]))

    def _hosts(self) -> dict[str, str]:
        url = urlsplit(str(self.config["auth-url"]))
        one = {"host": str(url.hostname), "port": str(url.port), "protocol": url.scheme}
        return {
            f"{kind}-{key}": value
            for kind in ("auth", "internal", "service")
            for key, value in one.items()
        }

    def _addresses(self) -> dict[str, str]:
        url = str(self.config["auth-url"])
        return self._hosts() | {
            "api-version": "v3",
            "service-domain-name": "service_domain",
            "service-project-name": "services",
            "internal-auth-url": url,
            "admin-auth-url": url,
            "public-auth-url": url,
            "admin-role": "admin",
        }


if __name__ == "__main__":
    ops.main(KeystoneCharm)
