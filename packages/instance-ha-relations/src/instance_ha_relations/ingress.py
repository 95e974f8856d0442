# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``ingress`` v2: a path of a reverse proxy. Every value on the wire is JSON."""

import json
import re

import ops
import pydantic

from instance_ha_relations import wire


class Ingress(wire.Databag):
    """What the provider offers."""

    url: pydantic.HttpUrl

    @pydantic.field_validator("url")
    @classmethod
    def _has_a_plain_path(cls, value: pydantic.HttpUrl) -> pydantic.HttpUrl:
        if value.path and not re.fullmatch(r"[\w./~-]*", value.path, re.ASCII):
            raise ValueError("must have a path of letters, digits and . _ ~ -")
        return value

    @property
    def base(self) -> str:
        """The URL without a slash at its end."""
        return str(self.url).rstrip("/")

    @property
    def path(self) -> str:
        """The path that the proxy keeps in front of every request; empty at the root."""
        return (self.url.path or "").rstrip("/")


class IngressData(wire.Databag):
    """Application databag of the provider."""

    ingress: Ingress


def request(
    relation: ops.Relation,
    app: ops.Application,
    *,
    model: str,
    port: int,
    healthcheck_path: str,
) -> None:
    """Ask, as the leader, for a route to the application's units."""
    values = {
        "model": json.dumps(model),
        "name": json.dumps(app.name),
        "port": json.dumps(port),
        "healthcheck_params": json.dumps({"path": healthcheck_path}),
    }
    wire.publish(relation.data[app], values)


def announce(relation: ops.Relation, unit: ops.Unit, *, host: str, ip: str) -> None:
    """Say where this unit answers."""
    wire.publish(relation.data[unit], {"host": json.dumps(host), "ip": json.dumps(ip)})


def read(relation: ops.Relation) -> Ingress | None:
    """Return the route, or None while the provider has none for us."""
    data = wire.load(relation, IngressData, source=relation.app, decode=json.loads)
    return data.ingress if data else None
