# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Nova that moves servers as the real one does, and can be made to fail."""

from __future__ import annotations

import collections
import datetime
import itertools
import types
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import keystoneauth1.exceptions
import novaclient.exceptions

from .placement_cloud import PlacementCloud


def nova_time(at_s: float) -> str:
    return datetime.datetime.fromtimestamp(at_s, tz=datetime.UTC).strftime("%FT%T.%f")


@dataclass
class FakeServer:
    id: str
    host: str
    vm_state: str = "active"
    task_state: str | None = None
    power_state: int = 1
    metadata: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    image: str = ""
    """Empty: booted from a volume."""
    volumes: dict[str, str] = field(default_factory=dict)
    """Volume -> device."""
    launched_at_s: float = 0.0
    said: dict[str, Any] = field(default_factory=dict)
    """What else the API says."""

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.id, "name": self.id, "metadata": self.metadata}
        said["OS-EXT-SRV-ATTR:host"] = self.host
        said["OS-EXT-SRV-ATTR:root_device_name"] = "/dev/vda"
        said["image"] = {"id": self.image} if self.image else ""
        said["os-extended-volumes:volumes_attached"] = [{"id": volume} for volume in self.volumes]
        said["OS-SRV-USG:launched_at"] = nova_time(self.launched_at_s)
        said |= self.said
        for name in ("vm_state", "task_state", "power_state"):
            said[f"OS-EXT-STS:{name}"] = getattr(self, name)
        told = self.vm_state == "error" and self.task_state is None  # else it is called REBUILD
        return said | ({"fault": {"message": self.fault}} if told else {})


@dataclass
class FakeMigration:
    id: int
    instance_uuid: str
    source_compute: str
    dest_compute: str | None
    """Also the name of its hypervisor."""
    ordered_at_s: float
    was: str
    status: str = "accepted"
    asked: bool = False
    failed_at_s: float | None = None

    @property
    def created_at(self) -> str:
        return nova_time(self.ordered_at_s)

    @property
    def updated_at(self) -> str | None:
        return None if self.failed_at_s is None else nova_time(self.failed_at_s)

    @property
    def dest_node(self) -> str | None:
        return self.dest_compute


@dataclass
class FakeService:
    host: str
    id: str
    status: str = "enabled"
    forced_down: bool = False
    state: str = "up"
    disabled_reason: str = ""


class NovaCloud:
    """Compute hosts and servers; time passes by the clock that it is given."""

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.rebuild_s = 3.0
        self.hosts = {name: FakeService(name, f"id-{name}") for name in ("h1", "h2", "h3")}
        self.known: dict[str, FakeServer] = {}
        self.migrated: list[FakeMigration] = []
        self.aggregates: list[Any] = []
        self.placement = PlacementCloud()
        self.orders: list[tuple[str, str | None]] = []
        self.stopped: list[str] = []
        self.started: list[str] = []
        self.actions: collections.defaultdict[str, list[Any]] = collections.defaultdict(list)
        self.most_at_once = 0
        self.no_valid_host: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next evacuations find no host."""
        self.shared_disks = True
        """Whether a destination finds the disk of a server that is on no volume."""
        self.broken_hosts: set[str] = set()
        """Hosts on which every rebuild fails."""
        self.fails_after_s = 0.0
        self.fails_in = "rebuild_spawning"
        """The task state in which a rebuild fails."""
        self.tells_late_s = 0.0
        """How long a server seems busy after its evacuation has failed."""
        self._untold: list[tuple[float, FakeServer]] = []
        self.images: dict[str, dict[str, Any]] = {}
        self.order_times_s: list[float] = []
        self.stuck: dict[str, str] = {}
        """Server -> status at which its evacuation stays."""
        self.left_there: set[tuple[str, str]] = set()
        """Server and host whose hypervisor keeps it from the server's first evacuation on."""
        self.unwritten: set[str] = set()
        """Servers whose first rebuild fails once its guest runs."""
        self.runs_on: dict[str, str] = {}
        """Server -> the host that was left with a guest by a rebuild that failed."""
        self.lost_answers: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next orders are taken without an answer."""
        self.lost_orders: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next orders never arrive."""
        self.silent_until_s = 0.0
        self.times_listed = 0
        self.times_read: collections.Counter[str] = collections.Counter()
        self.clients = 0
        self._numbers = itertools.count(1)

    def boot(self, uuid: str = "", host: str = "h1", **state: Any) -> FakeServer:
        uuid = uuid or str(uuid4())
        self.known[uuid] = FakeServer(uuid, host, **state)
        self.placement.claimed[uuid].add(host)
        return self.known[uuid]

    def stick(self, uuid: str, *, at: str) -> None:
        """Let the next evacuation of a server stay at one status for ever; later ones go on."""
        self.stuck[uuid] = at

    def client(self, _context: Any = None, timeout: float | None = None) -> Any:
        """Return what novaclient gives; ``novaclient(context)`` of Masakari's."""
        self.clients += 1
        made = types.SimpleNamespace
        return made(
            client=made(session=self._session()),
            volumes=made(get_server_volumes=self.list_volumes),
            servers=made(
                list=self.list_servers, get=self.read, evacuate=self.evacuate,
                reset_state=self.reset_state, stop=self.stop, start=self.start,
                migrate=self.migrate, confirm_resize=self.confirm_resize,
            ),
            instance_action=made(list=lambda uuid: self.actions[uuid]),
            migrations=made(list=self.list_migrations),
            services=made(
                list=self.list_services, force_down=self.force_down, enable=self.enable,
                disable=self.disable, disable_log_reason=self.disable,
            ),
            aggregates=made(list=lambda: self.aggregates, add_host=self.add_host),
        )  # fmt: skip

    def _session(self) -> Any:
        return types.SimpleNamespace(
            timeout=None, number=self.clients, get=self.get_image, request=self.placement.request
        )

    def list_servers(self, *, search_opts: dict[str, Any], limit: int = 0, detailed: bool = True):
        self._progress()
        self.times_listed += 1
        return [server for server in self.known.values() if server.host == search_opts["host"]]

    def read(self, uuid: str) -> FakeServer:
        self.times_read[uuid] += 1
        return self.get(uuid)

    def get(self, uuid: str) -> FakeServer:
        self._progress()
        if uuid not in self.known:
            raise novaclient.exceptions.NotFound(404, f"Instance {uuid} could not be found.")
        return self.known[uuid]

    def list_volumes(self, uuid: str) -> list[Any]:
        volumes = self.known[uuid].volumes.values()
        return [types.SimpleNamespace(device=device) for device in volumes]

    def get_image(self, url: str, **_query: Any) -> Any:
        image = self.images.get(url.rpartition("/")[2])
        return types.SimpleNamespace(status_code=404 if image is None else 200, json=lambda: image)

    def evacuate(
        self, uuid: str, host: str | None = None, on_shared_storage: bool | None = None
    ) -> None:
        server = self.get(uuid)
        if self.lost_orders[uuid] > 0:
            self.lost_orders[uuid] -= 1
            raise keystoneauth1.exceptions.ConnectFailure("connection refused")
        if not self.hosts[server.host].forced_down:
            raise novaclient.exceptions.BadRequest(
                400, f"Compute service of {server.host} is still in use."
            )
        if server.task_state is not None:
            message = f"Cannot 'evacuate' while it is in task_state {server.task_state}"
            raise novaclient.exceptions.Conflict(409, message)
        if server.vm_state not in {"active", "stopped", "error"}:
            message = f"Cannot 'evacuate' while it is in vm_state {server.vm_state}"
            raise novaclient.exceptions.Conflict(409, message)
        self.orders.append((uuid, host))
        self.order_times_s.append(self.clock.now_s())
        self.migrated.append(
            FakeMigration(
                next(self._numbers), uuid, server.host, host, self.clock.now_s(), server.vm_state,
                asked=on_shared_storage is True,
            )
        )  # fmt: skip
        server.task_state = "rebuilding"
        self.most_at_once = max(
            self.most_at_once,
            sum(m.status in {"accepted", "pre-migrating"} for m in self.migrated),
        )
        if self.lost_answers[uuid] > 0:
            self.lost_answers[uuid] -= 1
            raise keystoneauth1.exceptions.ConnectTimeout("timed out")

    def reset_state(self, uuid: str, state: str) -> None:
        server = self.get(uuid)
        server.vm_state, server.task_state = state, None

    def stop(self, uuid: str) -> None:
        self.stopped.append(uuid)
        self.get(uuid).task_state = "powering-off"
        self.act(uuid, "stop")

    def act(self, uuid: str, action: str) -> None:
        """Write down an order, as Nova does: in whole seconds."""
        at = nova_time(int(self.clock.now_s()))
        self.actions[uuid].insert(0, types.SimpleNamespace(action=action, start_time=at))

    def start(self, uuid: str) -> None:
        self._demand(uuid, "stopped").task_state = "powering-on"
        self.started.append(uuid)
        self.act(uuid, "start")

    def migrate(self, uuid: str) -> None:
        server = self._demand(uuid, "stopped")
        server.vm_state, server.fault = "resized", ""
        if self.no_valid_host[uuid] > 0:
            self.no_valid_host[uuid] -= 1
            server.vm_state, server.fault = "error", "No valid host was found."
        else:
            server.host = next(name for name in self.hosts if name != server.host)

    def confirm_resize(self, uuid: str) -> None:
        self._demand(uuid, "resized").vm_state = "stopped"

    def _demand(self, uuid: str, vm_state: str) -> FakeServer:
        server = self.get(uuid)
        if server.vm_state != vm_state or server.task_state is not None:
            raise novaclient.exceptions.Conflict(409, f"it is {server.vm_state}")
        return server

    def list_migrations(self, *, source_compute: str, migration_type: str) -> list[FakeMigration]:
        assert migration_type == "evacuation"
        self._progress()
        return [m for m in reversed(self.migrated) if m.source_compute == source_compute]

    def list_services(self, *, binary: str, host: str | None = None) -> list[FakeService]:
        self._progress()
        return [found for found in self.hosts.values() if host in {None, found.host}]

    def force_down(self, service: str, forced: bool) -> None:
        self._service(service).forced_down = forced

    def enable(self, service: str) -> None:
        self._service(service).status = "enabled"

    def disable(self, service: str, reason: str = "") -> None:
        found = self._service(service)
        found.status, found.disabled_reason = "disabled", reason

    def add_host(self, aggregate: int, host: str) -> None:
        next(a for a in self.aggregates if a.id == aggregate).hosts.append(host)

    def _service(self, number: str) -> FakeService:
        return next(found for found in self.hosts.values() if found.id == number)

    def _progress(self) -> None:
        """Let what is under way come as far as the clock says, and answer nobody meanwhile."""
        if self.clock.now_s() < self.silent_until_s:
            raise keystoneauth1.exceptions.ConnectFailure("nova-api is away")
        for server in self.known.values():
            if server.task_state == "powering-off":
                server.vm_state, server.task_state, server.power_state = "stopped", None, 4
            elif server.task_state == "powering-on" and server.id in self.started:
                server.vm_state, server.task_state, server.power_state = "active", None, 1
        self._tell()
        for migration in self.migrated:
            if migration.status in {"accepted", "pre-migrating"}:
                self._rebuild(migration, self.known[migration.instance_uuid])

    def _rebuild(self, migration: FakeMigration, server: FakeServer) -> None:
        age_s = self.clock.now_s() - migration.ordered_at_s
        newest = [m for m in self.migrated if m.instance_uuid == server.id][-1]
        first = next(m for m in self.migrated if m.instance_uuid == server.id)
        if migration is not newest:  # Nova lets the newest order through alone
            return
        if migration is first and migration.status == self.stuck.get(server.id):
            return
        if migration.status == "accepted" and age_s > 0:
            self._schedule(migration, server)
        elif migration.status == "pre-migrating" and migration.dest_compute in self.broken_hosts:
            if age_s >= self.fails_after_s:
                self._fail(migration, server, "Build of instance aborted")
        elif migration.status == "pre-migrating" and age_s >= self.rebuild_s:
            if server.id in self.unwritten and migration is first:
                self._leave_behind(migration, server)
            else:
                self._arrive(migration, server)

    def _leave_behind(self, migration: FakeMigration, server: FakeServer) -> None:
        server.launched_at_s = self.clock.now_s()
        self.runs_on[server.id] = str(migration.dest_compute)
        self.left_there.add((server.id, str(migration.dest_compute)))
        self._fail(migration, server, "DBConnectionError")

    def _arrive(self, migration: FakeMigration, server: FakeServer) -> None:
        if server.task_state is not None:  # as Nova: active here, one look before it moves
            server.vm_state, server.task_state = "active", None
            if migration.was == "stopped":
                server.vm_state, server.power_state = "stopped", 4
            return
        server.host, migration.status = str(migration.dest_compute), "done"
        self.placement.claimed[server.id].discard(migration.source_compute)

    def _schedule(self, migration: FakeMigration, server: FakeServer) -> None:
        named = migration.asked and migration.dest_compute
        if self.no_valid_host[server.id] > 0:
            self.no_valid_host[server.id] -= 1
            self._decline(migration, server, "No valid host was found.")
        elif named and len(self.placement.claimed[server.id]) > 1:
            self._decline(migration, server, "The instance has complex allocations")
        else:
            migration.status = "pre-migrating"
            self._begin(migration, server)

    def _decline(self, migration: FakeMigration, server: FakeServer, fault: str) -> None:
        migration.status, server.fault = "error", fault
        server.vm_state, server.task_state = "error", None

    def _begin(self, migration: FakeMigration, server: FakeServer) -> None:
        migration.dest_compute = migration.dest_compute or self._destination()
        self.placement.claimed[server.id].add(migration.dest_compute)
        if migration.asked and not (self.shared_disks and server.image):
            self._fail(migration, server, "Invalid state of instance files on shared storage")
        elif (server.id, migration.dest_compute) in self.left_there and self._is_repeat(migration):
            self._fail(migration, server, f"Instance {server.id} already exists.")
        elif migration.dest_compute in self.broken_hosts and not self.fails_after_s:
            self._fail(migration, server, "Build of instance aborted")

    def _is_repeat(self, migration: FakeMigration) -> bool:
        return migration is not next(
            one for one in self.migrated if one.instance_uuid == migration.instance_uuid
        )

    def _fail(self, migration: FakeMigration, server: FakeServer, fault: str) -> None:
        migration.status, server.fault = "failed", fault
        migration.failed_at_s = self.clock.now_s()
        self.placement.claimed[server.id].discard(str(migration.dest_compute))
        server.task_state = self.fails_in
        self._untold.append((self.clock.now_s() + self.tells_late_s, server))
        self._tell()

    def _tell(self) -> None:
        """Put servers into error, as Nova does some time after it called the evacuation failed."""
        for at_s, server in [one for one in self._untold if one[0] <= self.clock.now_s()]:
            server.vm_state, server.task_state = "error", None
            self._untold.remove((at_s, server))

    def _destination(self) -> str:
        usable = (h for h in self.hosts.values() if h.status == "enabled" and not h.forced_down)
        return next(usable).host
