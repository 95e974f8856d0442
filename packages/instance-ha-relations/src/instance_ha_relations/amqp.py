# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``rabbitmq``: an account and a virtual host of a message queue.

Both sides use their application databags, values are bare text. The interface knows no secrets:
the password is a plain value, written by its provider.
"""

import json
from urllib.parse import quote

import ops

from instance_ha_relations import wire

PORT = 5672


class Amqp(wire.Databag):
    """Application databag of the provider."""

    hostname: wire.Line
    password: wire.SecretLine


def request(relation: ops.Relation, app: ops.Application, *, username: str, vhost: str) -> None:
    """Ask for an account on a virtual host, to be used inside the cluster."""
    values = {
        "username": username,
        "vhost": vhost,
        "external_connectivity": json.dumps(False),
    }
    wire.publish(relation.data[app], values)


def read(relation: ops.Relation) -> Amqp | None:
    """Return where the queue is, or None while the provider is silent."""
    return wire.load(relation, Amqp, source=relation.app, decode=wire.text)


def url(data: Amqp, *, username: str, vhost: str) -> str:
    """Return oslo.messaging's URL. It holds the password: write it into files only."""
    account = f"{quote(username, safe='')}:{quote(data.password.get_secret_value(), safe='')}"
    host = f"[{data.hostname}]" if ":" in data.hostname else data.hostname
    return f"rabbit://{account}@{host}:{PORT}/{quote(vhost, safe='')}"
