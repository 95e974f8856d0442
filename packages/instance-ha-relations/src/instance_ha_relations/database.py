# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``mysql_client`` v0: a MySQL database and an account for it.

Both sides use their application databags; values are bare text, account and certificates are
Juju secrets because we ask for that.
"""

import json
from urllib.parse import quote

import ops
import pydantic

from instance_ha_relations import wire

SECRETS = ("username", "password", "tls", "tls-ca")


class Database(wire.Databag):
    """Application databag of the provider."""

    endpoints: wire.Line
    """``host:port``, several separated by commas; the first one takes writes."""
    secret_user: wire.Line = pydantic.Field(alias="secret-user")
    secret_tls: wire.Line | None = pydantic.Field(None, alias="secret-tls")

    @property
    def endpoint(self) -> str:
        """The ``host:port`` to write to."""
        return self.endpoints.split(",")[0].strip()


class DatabaseUser(wire.SecretContent):
    """Content of the secret that ``secret-user`` names."""

    username: wire.Line
    password: wire.SecretLine


class DatabaseTls(wire.SecretContent):
    """Content of the secret that ``secret-tls`` names."""

    tls: str = ""
    tls_ca: str = pydantic.Field("", alias="tls-ca")


def request(relation: ops.Relation, app: ops.Application, *, database: str) -> None:
    """Ask for a database of that name."""
    secrets = json.dumps(list(SECRETS))
    wire.publish(relation.data[app], {"database": database, "requested-secrets": secrets})


def read(relation: ops.Relation) -> Database | None:
    """Return where the database is, or None while the provider is silent."""
    return wire.load(relation, Database, source=relation.app, decode=wire.text)


def read_user(model: ops.Model, data: Database, *, relation: ops.Relation) -> DatabaseUser:
    """Return the newest account."""
    return wire.read_secret(model, data.secret_user, DatabaseUser, relation=relation)


def read_ca(model: ops.Model, data: Database, *, relation: ops.Relation) -> str:
    """Return the PEM of the authority to check the server against; empty where TLS is off."""
    if data.secret_tls is None:
        return ""
    tls = wire.read_secret(model, data.secret_tls, DatabaseTls, relation=relation)
    return tls.tls_ca if tls.tls.lower() == "true" else ""


def url(data: Database, user: DatabaseUser, *, database: str, ca_file: str = "") -> str:
    """Return SQLAlchemy's connection URL. It holds the password: write it into files only."""
    account = f"{quote(user.username, safe='')}:{quote(user.password.get_secret_value(), safe='')}"
    query = f"?ssl_ca={quote(ca_file)}" if ca_file else ""
    return f"mysql+pymysql://{account}@{data.endpoint}/{quote(database)}{query}"
