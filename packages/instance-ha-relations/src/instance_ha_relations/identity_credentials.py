# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``keystone-credentials`` of Sunbeam: a Keystone user without an endpoint.

Both sides use their application databags, with bare text as values; the password is a Juju secret.
"""

import ops
import pydantic

from instance_ha_relations import wire


class IdentityCredentials(wire.Databag):
    """Application databag of the provider."""

    credentials: wire.Line
    """Juju secret ID of user name and password."""
    internal_endpoint: wire.Line = pydantic.Field(alias="internal-endpoint")
    public_endpoint: str | None = pydantic.Field(None, alias="public-endpoint")
    project_name: wire.Line = pydantic.Field(alias="project-name")
    user_domain_name: wire.Line = pydantic.Field(alias="user-domain-name")
    project_domain_name: wire.Line = pydantic.Field(alias="project-domain-name")
    region: wire.Line


class KeystoneUser(wire.SecretContent):
    """Content of the secret that ``credentials`` names."""

    username: wire.Line
    password: wire.SecretLine


def request(relation: ops.Relation, app: ops.Application, *, username: str) -> None:
    """Ask for a user of that name."""
    wire.publish(relation.data[app], {"username": username})


def read(relation: ops.Relation) -> IdentityCredentials | None:
    """Return what Keystone made for us, or None while it is silent."""
    return wire.load(relation, IdentityCredentials, source=relation.app, decode=wire.text)


def read_user(
    model: ops.Model, data: IdentityCredentials, *, relation: ops.Relation
) -> KeystoneUser:
    """Return the newest user name and password."""
    return wire.read_secret(model, data.credentials, KeystoneUser, relation=relation)
