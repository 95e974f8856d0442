# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Nova's live migration; implements ``ports.Mover``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import NotYetError
from instance_ha.evasion import Movable
from instance_ha.moving_back import Place
from masakari_instance_ha.connection import CloudRefusedError, calling
from masakari_instance_ha.restoring import BINARY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import openstack.connection
    from openstack.compute.v2.server import Server


class NovaMover:
    """Move running servers, and say whether a host is given new ones."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection

    def servers(self, host: str) -> Sequence[Movable]:
        """Return the servers that Nova places on *host*, by their names."""
        with calling(f"list the servers on {host}"):
            found = list(self._connection.compute.servers(all_projects=True, host=host))
        return sorted(map(_movable, found), key=lambda server: (server.name, server.uuid))

    def move(self, server: str, *, target: str | None) -> None:
        """Begin to move a running server to *target*, or to where the scheduler likes.

        Raises:
            NotYetError: if Nova declines, for example as the server has a device that cannot move.
        """
        try:
            with calling(f"move server {server} live"):
                self._connection.compute.live_migrate_server(server, host=target)
        except CloudRefusedError as error:
            raise NotYetError(error.reason) from error

    def places(self, servers: Iterable[str]) -> Mapping[str, Place]:
        """Return server -> where it is now; one that was deleted is left out."""
        found: dict[str, Place] = {}
        for uuid in servers:
            with calling(f"show server {uuid}"):
                server = self._connection.compute.find_server(
                    uuid, ignore_missing=True, all_projects=True
                )
            if server is not None:
                known = _movable(server)
                found[uuid] = Place(
                    server=uuid,
                    name=known.name,
                    host=server.compute_host or "",
                    idle=known.active,
                )
        return found

    def cordon(self, host: str, *, reason: str) -> None:
        """Keep new servers off *host*."""
        with calling(f"disable nova-compute of {host}"):
            self._connection.compute.disable_service(self._service(host), disabled_reason=reason)

    def release(self, host: str) -> None:
        """Let *host* have new servers again."""
        with calling(f"enable nova-compute of {host}"):
            self._connection.compute.enable_service(self._service(host))

    def _service(self, host: str) -> str:
        found = list(self._connection.compute.services(binary=BINARY, host=host))
        if not found:
            raise NotYetError(f"nova knows no compute service of {host}")
        return found[0].id


def _movable(server: Server) -> Movable:
    return Movable(
        uuid=server.id,
        name=server.name or server.id,
        active=server.vm_state == "active" and server.task_state is None,
        moving=server.task_state == "migrating",
    )
