# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Nova as the engine's tasks need it: one login for all of them, failures translated here."""

from __future__ import annotations

import contextlib
import http
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import masakari.compute.nova
from keystoneauth1 import exceptions as keystone_errors
from novaclient import api_versions
from novaclient import exceptions as nova_errors

from instance_ha.errors import CloudUnreachableError, InstanceHaError
from instance_ha.model import ComputeService
from masakari_instance_ha import catalog, claims, records, servers
from masakari_instance_ha.records import Evacuation, Server

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from keystoneauth1.session import Session
    from masakari.context import RequestContext
    from novaclient.base import Resource

CALL_TIMEOUT_S = 60.0
"""Of one call; masakari's own client would wait for ever."""

_STARTS = frozenset({"start", "reboot"})
"""Actions of Nova that begin a server's process anew."""

_ASKING = api_versions.APIVersion("2.13")
"""The last version at which a caller may say that the disk is on shared storage. The destination
then looks for it before it touches anything; later versions rebuild what they do not find."""


class NovaRefusedError(InstanceHaError):
    """Nova understood a call and declined it; the message has its own words."""

    def __init__(self, doing: str, *, status: int, reason: str) -> None:
        super().__init__(f"nova does not {doing}: {reason} (HTTP {status})")
        self.status = status


class Nova:
    """Calls of Nova's API.

    Every method may raise ``NovaRefusedError`` or ``CloudUnreachableError``.
    """

    _shared: ClassVar[Session | None] = None

    def __init__(self, context: RequestContext) -> None:
        """Make ready; nothing is called yet.

        Masakari's client logs in to Keystone for each object of it, a second with a careful
        password hash. So all of ours share the first one's session, which renews its token by
        itself; only the request id is each one's own.
        """
        self._client: Any = masakari.compute.nova.novaclient(context)
        self.session: Session = Nova._shared or self._client.client.session
        self.session.timeout = CALL_TIMEOUT_S
        Nova._shared = self._client.client.session = self.session
        self._context = context
        self._on_volume: dict[str, bool] = {}
        self._images: dict[str, Mapping[str, str]] = {}

    def servers_on(self, host: str) -> Mapping[str, Server]:
        """Return uuid -> server of all projects that Nova places on *host*."""
        with _calling(f"list the servers of {host}"):
            found = self._client.servers.list(
                search_opts={"host": host, "all_tenants": True}, limit=-1
            )
            return {server.uuid: server for server in map(self._server, found)}

    def server(self, uuid: str) -> Server | None:
        """Return one server, or None if it was deleted."""
        with _calling(f"show server {uuid}"):
            try:
                return self._server(self._client.servers.get(uuid))
            except nova_errors.NotFound:
                return None

    def evacuations_from(self, host: str) -> Mapping[str, Evacuation]:
        """Return server -> the newest evacuation of it from *host*."""
        with _calling(f"list the evacuations from {host}"):
            found = self._client.migrations.list(source_compute=host, migration_type="evacuation")
        newest: dict[str, Evacuation] = {}
        for record in sorted(map(records.evacuation, found), key=lambda record: record.id):
            older = newest.get(record.server)
            newest[record.server] = replace(record, older=older.traces if older else ())
        return newest

    def with_image(self, server: Server) -> Server:
        """Return *server* with the properties of its image; none if the image is gone."""
        image = server.facts.image
        if image not in self._images:
            with _calling(f"find image {image} of server {server.uuid}"):
                self._images[image] = self._image_properties(image)
        properties = self._images[image]
        return replace(server, facts=replace(server.facts, image_properties=properties))

    def evacuate(self, uuid: str, *, target: str | None, ask: bool = False) -> None:
        """Order a server to be rebuilt elsewhere, on *target* or where the scheduler likes.

        Args:
            uuid: The server.
            target: Checked by the scheduler, unless Nova is asked for the disk.
            ask: Let the destination look for the server's disk first, and refuse if it is not
                there.
        """
        with _calling(f"evacuate server {uuid}"):
            if ask:
                client = self._asking_client()
                client.servers.evacuate(uuid, host=target, on_shared_storage=True)
            else:
                self._client.servers.evacuate(uuid, host=target)

    def release_claim(self, uuid: str, *, node: str) -> None:
        """Let Placement forget what a server has claimed of a hypervisor."""
        with _calling(f"release what server {uuid} has claimed of {node}"):
            claims.release(self.session, uuid, node=node)

    def reset_to_active(self, uuid: str) -> None:
        """Set a server's state to active: what Nova called it before it was tried in vain."""
        with _calling(f"reset the state of server {uuid}"):
            self._client.servers.reset_state(uuid, "active")

    def reset_to_error(self, uuid: str) -> None:
        """Set a server's state to error and forget what it was doing."""
        with _calling(f"reset the state of server {uuid}"):
            self._client.servers.reset_state(uuid, "error")

    def stop(self, uuid: str) -> None:
        """Order a server to be shut down."""
        with _calling(f"stop server {uuid}"):
            self._client.servers.stop(uuid)

    def start(self, uuid: str) -> None:
        """Order a stopped server to be started."""
        with _calling(f"start server {uuid}"):
            self._client.servers.start(uuid)

    def started_s(self, uuid: str) -> float | None:
        """Return when a server was ordered to start or to reboot last, by whoever it was."""
        with _calling(f"list what was done to server {uuid}"):
            found = self._client.instance_action.list(uuid)
        said = [one.start_time for one in found if one.action in _STARTS]
        return max(filter(None, map(records.time_s, said)), default=None)

    def migrate(self, uuid: str) -> None:
        """Order a stopped server to be moved to another host, its disks along."""
        with _calling(f"migrate server {uuid}"):
            self._client.servers.migrate(uuid)

    def confirm_migration(self, uuid: str) -> None:
        """Let go of what a migrated server left on its old host."""
        with _calling(f"confirm the migration of server {uuid}"):
            self._client.servers.confirm_resize(uuid)

    def force_down(self, host: str) -> bool:
        """Make nova-compute of *host* count as down; return whether it did not before."""
        with _calling(f"force nova-compute of {host} down"):
            service = self._compute_service(host)
            if service.forced_down:
                return False
            self._client.services.force_down(service.id, True)
            return True

    def service(self, host: str) -> ComputeService:
        """Return nova-compute of *host*."""
        with _calling(f"show nova-compute of {host}"):
            service = self._compute_service(host)
        return ComputeService(
            up=service.state == "up",
            enabled=service.status == "enabled",
            forced_down=service.forced_down,
            disabled_reason=service.disabled_reason or "",
        )

    def forced_down_hosts(self) -> frozenset[str]:
        """Return the hosts whose nova-compute was forced down, which a fence precedes."""
        with _calling("list the compute services"):
            found = self._client.services.list(binary="nova-compute")
        return frozenset(service.host for service in found if service.forced_down)

    def usable_hosts(self) -> frozenset[str]:
        """Return the hosts whose nova-compute is up and takes servers."""
        with _calling("list the compute services"):
            found = self._client.services.list(binary="nova-compute")
        return frozenset(
            service.host
            for service in found
            if service.state == "up" and service.status == "enabled" and not service.forced_down
        )

    def enable(self, host: str) -> bool:
        """Let the scheduler use *host*; return whether it was not allowed to before."""
        with _calling(f"enable nova-compute of {host}"):
            service = self._compute_service(host)
            if service.status == "enabled":
                return False
            self._client.services.enable(service.id)
            return True

    def disable(self, host: str, *, reason: str) -> None:
        """Keep the scheduler off *host*."""
        with _calling(f"disable nova-compute of {host}"):
            self._client.services.disable_log_reason(self._compute_service(host).id, reason)

    def share_aggregates(self, host: str, *, with_host: str) -> Sequence[str]:
        """Add *with_host* to every aggregate of *host* that it is not in yet.

        Returns:
            Which aggregates Nova keeps it out of, and why: for example, a host is in one
            availability zone only. Its servers may still find a place there.
        """
        kept_out: list[str] = []
        with _calling(f"add {with_host} to the aggregates of {host}"):
            for aggregate in self._client.aggregates.list():
                if host not in aggregate.hosts or with_host in aggregate.hosts:
                    continue
                try:
                    self._client.aggregates.add_host(aggregate.id, with_host)
                except nova_errors.Conflict as error:
                    kept_out.append(f"{aggregate.name}: {error.message}")
        return kept_out

    def _server(self, found: Resource) -> Server:
        said = found.to_dict()
        uuid = said["id"]

        def devices() -> list[str | None]:
            return [volume.device for volume in self._client.volumes.get_server_volumes(uuid)]

        read = servers.facts(said, attached=devices if uuid not in self._on_volume else tuple)
        on_volume = self._on_volume.setdefault(uuid, read.on_volume)
        return Server(
            uuid=uuid,
            name=said.get("name", ""),
            host=said.get("OS-EXT-SRV-ATTR:host"),
            vm_state=said["OS-EXT-STS:vm_state"],
            task_state=said.get("OS-EXT-STS:task_state"),
            power_state=int(said.get("OS-EXT-STS:power_state") or 0),
            facts=replace(read, on_volume=on_volume),
            fault=records.fault(**(said.get("fault") or {})),
            launched_at_s=records.time_s(said.get("OS-SRV-USG:launched_at")),
        )

    def _image_properties(self, image: str) -> Mapping[str, str]:
        answer = self.session.get(
            f"/v2/images/{image}", endpoint_filter=catalog.endpoint("image"), raise_exc=False
        )
        if answer.status_code in {http.HTTPStatus.NOT_FOUND, http.HTTPStatus.FORBIDDEN}:
            return {}
        if answer.status_code != http.HTTPStatus.OK:
            raise CloudUnreachableError(
                f"glance does not show image {image}: HTTP {answer.status_code}. See its log"
            )
        return {key: value for key, value in answer.json().items() if isinstance(value, str)}

    def _asking_client(self) -> Any:  # noqa: ANN401 - novaclient has no types
        """Return a client of its own for the version at which Nova may be asked for a disk."""
        client: Any = masakari.compute.nova.novaclient(self._context)
        client.client.session = self.session
        client.api_version = client.client.api_version = _ASKING
        return client

    def _compute_service(self, host: str) -> Resource:
        found = self._client.services.list(host=host, binary="nova-compute")
        if len(found) != 1:
            raise NovaRefusedError(
                f"know one nova-compute of {host}",
                status=http.HTTPStatus.NOT_FOUND,
                reason=f"it lists {len(found)}; compare openstack compute service list with the "
                "host's name in masakari",
            )
        return found[0]


@contextlib.contextmanager
def _calling(doing: str) -> Generator[None]:
    """Translate the failures of one call; *doing* completes "nova does not ..."."""
    try:
        yield
    except nova_errors.ClientException as error:
        status = int(error.code or 0)
        if http.HTTPStatus.BAD_REQUEST <= status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
            raise NovaRefusedError(doing, status=status, reason=error.message) from error
        raise CloudUnreachableError(
            f"nova does not {doing}: {error}. See nova-api's log"
        ) from error
    except keystone_errors.ClientException as error:
        message = f"nova does not {doing}: {error}. Check that Keystone and nova-api answer"
        raise CloudUnreachableError(message) from error
