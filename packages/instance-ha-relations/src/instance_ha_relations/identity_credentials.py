# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``keystone-credentials``: a Keystone user without an endpoint. Two worlds share it.

Sunbeam's Keystone uses application databags with bare text, and the password is a Juju secret.
That of Charmed OpenStack uses unit databags, with the password among the rest. We ask in both
ways, and take whichever answer comes.
"""

import ops
import pydantic

from instance_ha_relations import wire
from instance_ha_relations.errors import RelationDataError

ROLE = "admin"
"""Masakari's and Nova's policies want it for what a monitor asks and tells."""


class IdentityCredentials(wire.Databag):
    """Application databag of Sunbeam's provider."""

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


class CharmedCredentials(wire.Databag):
    """Unit databag of Charmed OpenStack's provider."""

    protocol: wire.Line = pydantic.Field("http", alias="auth_protocol")
    host: wire.Line = pydantic.Field(alias="auth_host")
    port: wire.Line = pydantic.Field(alias="auth_port")
    username: wire.Line = pydantic.Field(alias="credentials_username")
    password: wire.SecretLine = pydantic.Field(alias="credentials_password")
    project_name: wire.Line = pydantic.Field(alias="credentials_project")
    user_domain_name: wire.Line = pydantic.Field("default", alias="credentials_user_domain_name")
    project_domain_name: wire.Line = pydantic.Field(
        "default", alias="credentials_project_domain_name"
    )
    region: wire.Line

    @property
    def auth_url(self) -> str:
        """Keystone's address for administrators' clients."""
        return f"{self.protocol}://{self.host}:{self.port}/v3"


def request(relation: ops.Relation, app: ops.Application, *, username: str) -> None:
    """Ask Sunbeam's Keystone for a user of that name; only the leader may."""
    wire.publish(relation.data[app], {"username": username})


def request_as_unit(relation: ops.Relation, unit: ops.Unit, *, username: str) -> None:
    """Ask Charmed OpenStack's Keystone for a user of that name."""
    wire.publish(relation.data[unit], {"username": username, "requested_roles": ROLE})


def read(relation: ops.Relation) -> IdentityCredentials | None:
    """Return what Sunbeam's Keystone made for us, or None while it is silent."""
    return wire.load(relation, IdentityCredentials, source=relation.app, decode=wire.text)


def read_user(
    model: ops.Model, data: IdentityCredentials, *, relation: ops.Relation
) -> KeystoneUser:
    """Return the newest user name and password."""
    return wire.read_secret(model, data.credentials, KeystoneUser, relation=relation)


def read_charmed(relation: ops.Relation) -> CharmedCredentials | None:
    """Return what Charmed OpenStack's Keystone made for us, or None while it is silent.

    Its units say the same; one that is not done yet is passed over for another that is.

    Raises:
        RelationDataError: if no unit is done, and what the last one says cannot be used.
    """
    problem: RelationDataError | None = None
    for unit in sorted(relation.units, key=lambda unit: unit.name):
        if "credentials_username" not in relation.data[unit]:
            continue
        try:
            return wire.load(relation, CharmedCredentials, source=unit, decode=wire.text)
        except RelationDataError as error:
            problem = error
    if problem is not None:
        raise problem
    return None
