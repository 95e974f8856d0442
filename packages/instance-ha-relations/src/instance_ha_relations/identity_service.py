# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``keystone`` of Sunbeam: endpoints in the catalogue and a service user.

Both sides use their application databags; lists are JSON, the rest is bare text. The user is a
secret that Keystone's charm replaces every month, name and password both.
"""

import json
from collections.abc import Sequence

import ops
import pydantic

from instance_ha_relations import wire


class ServiceEndpoint(wire.Databag):
    """One service for Keystone's catalogue."""

    service_name: str
    type: str
    description: str
    internal_url: str
    public_url: str
    admin_url: str


class IdentityService(wire.Databag):
    """Application databag of the provider.

    Its host and port keys name Keystone's own unit, not its ingress, so only the URLs count.
    """

    service_credentials: wire.Line = pydantic.Field(alias="service-credentials")
    internal_auth_url: wire.Line = pydantic.Field(alias="internal-auth-url")
    public_auth_url: wire.Line = pydantic.Field(alias="public-auth-url")
    service_domain_name: wire.Line = pydantic.Field(alias="service-domain-name")
    service_project_name: wire.Line = pydantic.Field(alias="service-project-name")


class ServiceUser(wire.SecretContent):
    """Content of the secret that ``service-credentials`` names."""

    username: wire.Line
    password: wire.SecretLine


def request(
    relation: ops.Relation,
    app: ops.Application,
    *,
    endpoints: Sequence[ServiceEndpoint],
    region: str,
    extra_roles: Sequence[str] = (),
) -> None:
    """Ask for a service user, with *extra_roles*, and for entries in the catalogue."""
    listed = [endpoint.model_dump() for endpoint in endpoints]
    values = {
        "service-endpoints": json.dumps(listed, sort_keys=True),
        "region": region,
        "extra-roles": json.dumps(sorted(extra_roles)) if extra_roles else None,
    }
    wire.publish(relation.data[app], values)


def read(relation: ops.Relation) -> IdentityService | None:
    """Return what Keystone made for us, or None while it is silent."""
    return wire.load(relation, IdentityService, source=relation.app, decode=wire.text)


def read_user(model: ops.Model, data: IdentityService, *, relation: ops.Relation) -> ServiceUser:
    """Return the newest user name and password."""
    return wire.read_secret(model, data.service_credentials, ServiceUser, relation=relation)
