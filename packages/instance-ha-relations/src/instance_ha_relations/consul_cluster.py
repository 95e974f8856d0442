# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``consul-cluster``: where the servers of one gossip network are.

Only the provider's application databag is used. Its datacenter is bare text, the endpoints are
JSON, except that some peers write the HTTP endpoint bare: both are read.
"""

from typing import Annotated

import ops
import pydantic

from instance_ha_relations import wire
from instance_ha_relations.errors import RelationIncompleteError


def _require_host_and_port(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError("must be host:port")
    if not all(character.isalnum() or character in ".-_:[]" for character in host):
        raise ValueError("must be host:port")
    return value


HostPort = Annotated[str, pydantic.AfterValidator(_require_host_and_port)]


class ConsulCluster(wire.Databag):
    """Application databag of the provider."""

    datacenter: str = "dc1"
    internal_http_endpoint: HostPort | None = None
    external_http_endpoint: HostPort | None = None

    @property
    def http_endpoint(self) -> str:
        """The ``host:port`` to ask; inside the cluster where there is a choice."""
        return self.internal_http_endpoint or self.external_http_endpoint or ""


def read(relation: ops.Relation) -> ConsulCluster | None:
    """Return where the servers answer, or None while the provider is silent.

    Raises:
        RelationIncompleteError: if the provider has no HTTP endpoint yet.
    """
    data = wire.load(relation, ConsulCluster, source=relation.app, decode=wire.json_or_text)
    if data is not None and not data.http_endpoint:
        raise RelationIncompleteError(
            f"{relation.name} is not complete",
            "no HTTP endpoint yet",
            "Wait for the Consul servers to start",
            summary=f"{relation.name}: waiting for an HTTP endpoint",
        )
    return data
