# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The few calls of Keystone's API that the partner charm needs; each one is idempotent."""

from __future__ import annotations

from typing import Any

import requests


class Keystone:
    """An admin's session with the lab's Keystone."""

    def __init__(self, auth_url: str, password: str) -> None:
        self._url = auth_url
        self._session = requests.Session()
        scope = {"project": {"name": "admin", "domain": {"id": "default"}}}
        user = {"name": "admin", "domain": {"id": "default"}, "password": password}
        identity = {"methods": ["password"], "password": {"user": user}}
        answer = self._session.post(
            f"{auth_url}/auth/tokens",
            json={"auth": {"identity": identity, "scope": scope}},
            timeout=30,
        )
        answer.raise_for_status()
        self._session.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]

    def _call(self, method: str, path: str, **kwargs: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._url}{path}", timeout=30, **kwargs)
        answer.raise_for_status()
        return answer.json() if answer.content else {}

    def ensure(self, kind: str, name: str, **fields: object) -> dict[str, Any]:
        """Return the domain, project, role, user or service of that name, made if missing."""
        query = {"name": name} | {k: v for k, v in fields.items() if k in {"domain_id", "type"}}
        found = self._call("GET", f"/{kind}s", params=query)[f"{kind}s"]
        if found:
            return found[0]
        return self._call("POST", f"/{kind}s", json={kind: {"name": name} | fields})[kind]

    def ensure_user(
        self, name: str, *, password: str, domain: str, project: str, roles: list[str]
    ) -> dict[str, Any]:
        """Return the user, with this password and these roles in the project."""
        user = self.ensure("user", name, domain_id=domain, password=password)
        for role in roles:
            role_id = self.ensure("role", role)["id"]
            self._call("PUT", f"/projects/{project}/users/{user['id']}/roles/{role_id}")
        return user

    def remove_user(self, name: str, *, domain: str) -> None:
        """Delete the user of that name, if there is one."""
        for user in self._call("GET", "/users", params={"name": name, "domain_id": domain})[
            "users"
        ]:
            self._call("DELETE", f"/users/{user['id']}")

    def ensure_endpoint(self, service: str, interface: str, url: str, region: str) -> None:
        """Make the service's endpoint of this interface and region point at *url*."""
        query = {"service_id": service, "interface": interface, "region_id": region}
        found = self._call("GET", "/endpoints", params=query)["endpoints"]
        if not found:
            body = {"service_id": service, "interface": interface, "url": url, "region_id": region}
            self._call("POST", "/endpoints", json={"endpoint": body})
        elif found[0]["url"] != url:
            self._call("PATCH", f"/endpoints/{found[0]['id']}", json={"endpoint": {"url": url}})
