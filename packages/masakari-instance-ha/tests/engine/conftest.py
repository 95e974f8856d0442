# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the engine side is tested with: a Nova, a power controller, and a whole masakari-engine.

The Nova moves servers as the real one does and can be made to fail; the engine is Masakari's own
driver, taskflow and objects on a real database, without its message queue.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import types
import uuid
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import keystoneauth1.exceptions
import novaclient.exceptions
import pytest

from instance_ha import recovery
from instance_ha.model import FenceProof, IncidentState
from masakari_instance_ha import fencing, store
from masakari_instance_ha.clock import SystemClock

with warnings.catch_warnings():  # upstream's own: it imports what is deprecated
    warnings.simplefilter("ignore")
    import masakari.compute.nova
    import oslo_messaging.conffixture
    from masakari import context, exception, objects, rpc
    from masakari.db import migration
    from masakari.engine import manager
    from masakari.engine.drivers.taskflow import base
    from masakari.engine.drivers.taskflow.driver import TaskFlowDriver

    from masakari_instance_ha.engine import FencedFlowDriver
    from masakari_instance_ha.nova import Nova
    from masakari_instance_ha.tasks.work import CONF

if TYPE_CHECKING:
    from collections.abc import Iterator

    from instance_ha.errors import FenceError

_numbers = itertools.count(1)


class Clock:
    """A clock that moves on only when somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 1000.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, seconds: float) -> None:
        self.time_s += seconds


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
    said: dict[str, Any] = field(default_factory=dict)
    """What else the API says."""

    def to_dict(self) -> dict[str, Any]:
        said: dict[str, Any] = {"id": self.id, "name": self.id, "metadata": self.metadata}
        said["OS-EXT-SRV-ATTR:host"] = self.host
        said["OS-EXT-SRV-ATTR:root_device_name"] = "/dev/vda"
        said["image"] = {"id": self.image} if self.image else ""
        said["os-extended-volumes:volumes_attached"] = [{"id": volume} for volume in self.volumes]
        said |= self.said
        for name in ("vm_state", "task_state", "power_state"):
            said[f"OS-EXT-STS:{name}"] = getattr(self, name)
        return said | ({"fault": {"message": self.fault}} if self.vm_state == "error" else {})


@dataclass
class FakeMigration:
    id: int
    instance_uuid: str
    source_compute: str
    dest_compute: str | None
    ordered_at_s: float
    was: str
    status: str = "accepted"
    asked: bool = False


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
        self.orders: list[tuple[str, str | None]] = []
        self.stopped: list[str] = []
        self.most_at_once = 0
        self.no_valid_host: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next evacuations find no host."""
        self.shared_disks = True
        """Whether a destination finds the disk of a server that is on no volume."""
        self.broken_hosts: set[str] = set()
        """Hosts on which every rebuild fails."""
        self.images: dict[str, dict[str, Any]] = {}
        self.order_times_s: list[float] = []
        self.stuck: dict[str, str] = {}
        """Server -> status at which its evacuation stays."""
        self.lost_answers: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next orders are taken without an answer."""
        self.lost_orders: collections.Counter[str] = collections.Counter()
        """Server -> how many of its next orders never arrive."""
        self.silent_until_s = 0.0
        self.clients = 0
        self._numbers = itertools.count(1)

    def boot(self, uuid: str, host: str = "h1", **state: Any) -> FakeServer:
        self.known[uuid] = FakeServer(uuid, host, **state)
        return self.known[uuid]

    def stick(self, uuid: str, *, at: str) -> None:
        """Let the next evacuation of a server stay at one status for ever; later ones go on."""
        self.stuck[uuid] = at

    def client(self, _context: Any = None, timeout: float | None = None) -> Any:
        """Return what novaclient gives; ``novaclient(context)`` of Masakari's."""
        self.clients += 1
        made = types.SimpleNamespace
        return made(
            client=made(session=made(timeout=None, number=self.clients, get=self.get_image)),
            volumes=made(get_server_volumes=self.list_volumes),
            servers=made(
                list=self.list_servers, get=self.get, evacuate=self.evacuate,
                reset_state=self.reset_state, stop=self.stop,
            ),
            migrations=made(list=self.list_migrations),
            services=made(
                list=self.list_services, force_down=self.force_down, enable=self.enable,
                disable=self.disable, disable_log_reason=self.disable,
            ),
            aggregates=made(list=lambda: self.aggregates, add_host=self.add_host),
        )  # fmt: skip

    def list_servers(self, *, search_opts: dict[str, Any], limit: int = 0, detailed: bool = True):
        self._progress()
        return [server for server in self.known.values() if server.host == search_opts["host"]]

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
            if self.no_valid_host[server.id] > 0:
                self.no_valid_host[server.id] -= 1
                migration.status, server.fault = "error", "No valid host was found."
                server.vm_state, server.task_state = "error", None
                return
            migration.status = "pre-migrating"
            self._begin(migration, server)
        elif migration.status == "pre-migrating" and age_s >= self.rebuild_s:
            if server.task_state is not None:  # as Nova: active here, one look before it moves
                server.vm_state, server.task_state = "active", None
                if migration.was == "stopped":
                    server.vm_state, server.power_state = "stopped", 4
                return
            server.host, migration.status = str(migration.dest_compute), "done"

    def _begin(self, migration: FakeMigration, server: FakeServer) -> None:
        migration.dest_compute = migration.dest_compute or self._destination()
        if migration.asked and not (self.shared_disks and server.image):
            self._fail(migration, server, "Invalid state of instance files on shared storage")
        elif migration.dest_compute in self.broken_hosts:
            self._fail(migration, server, "Build of instance aborted")

    def _fail(self, migration: FakeMigration, server: FakeServer, fault: str) -> None:
        migration.status, server.fault = "failed", fault
        server.vm_state, server.task_state = "error", None

    def _destination(self) -> str:
        usable = (h for h in self.hosts.values() if h.status == "enabled" and not h.forced_down)
        return next(usable).host


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cloud(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> NovaCloud:
    """A Nova behind ``masakari.compute.nova.novaclient``, on a simulated clock."""
    made = NovaCloud(clock)
    monkeypatch.setattr(masakari.compute.nova, "novaclient", made.client)
    monkeypatch.setattr(Nova, "_shared", None)
    return made


class PowerController:
    """Fences at once, unless told otherwise; remembers what it was asked."""

    def __init__(self) -> None:
        self.ordered: list[str] = []
        self.checked = 0
        self.power = "off"
        self.failures: list[FenceError] = []

    def fence(self, host: str) -> FenceProof:
        self.ordered.append(host)
        if self.failures:
            raise self.failures.pop(0)
        self.power = "off"
        now_s = SystemClock().now_s()
        return FenceProof(
            host=host, method="maas", target=f"sys-{host}", answer="off",
            ordered_at_s=now_s, confirmed_at_s=now_s, by="engine@test",
        )  # fmt: skip

    def check(self, host: str) -> str:
        self.checked += 1
        return self.power


class Engine:
    """masakari-engine without its message queue: one segment, one failed host, a reserve."""

    def __init__(self, url: str, cloud: Any) -> None:
        self.context = context.get_admin_context()
        self.journal = store.connect(url)
        self.cloud = cloud
        self.number = next(_numbers)
        self.segment = objects.FailoverSegment(context=self.context)
        self.segment.name = f"segment-{self.number}"
        self.segment.service_type = "COMPUTE"
        self.segment.recovery_method = "auto"
        self.segment.create()
        self.hosts = {
            name: self._enrol(name, reserved=name == "h3") for name in ("h1", "h2", "h3")
        }
        self.cloud.hosts["h3"].status = "disabled"
        self.notification = str(uuid.uuid4())

    def _enrol(self, name: str, *, reserved: bool) -> Any:
        with contextlib.suppress(exception.HostNotFound):  # of the test before
            objects.Host.get_by_name(self.context, name).destroy()
        host = objects.Host(context=self.context)
        host.name, host.type, host.control_attributes = name, "COMPUTE", "SSH"
        host.failover_segment = self.segment
        host.failover_segment_id = self.segment.uuid
        host.reserved, host.on_maintenance = reserved, name == "h1"
        host.create()
        return host

    def recover(
        self,
        method: str = "auto",
        *,
        reserves: tuple[str, ...] = ("h3",),
        driver: type[TaskFlowDriver] = FencedFlowDriver,
    ) -> None:
        driver().execute_host_failure(
            self.context, "h1", method, self.notification, reserved_host_list=[*reserves],
            update_host_method=manager.update_host_method,
        )  # fmt: skip

    def vmoves(self) -> dict[str, tuple[str, str | None]]:
        found = objects.VMoveList.get_all_vmoves(self.context, self.notification)
        assert len({v.instance_uuid for v in found}) == len(found), "one vmove per server"
        return {v.instance_uuid: (v.status, v.dest_host) for v in found}

    def is_reserve(self, name: str) -> bool:
        return objects.Host.get_by_name(self.context, name).reserved

    def timeline(self) -> list[str]:
        incident = self.journal.unclosed()["h1"]
        return [event.kind for event in self.journal.events(incident)]


@pytest.fixture(scope="session")
def database(masakari_url: str) -> str:
    """One database for masakari, taskflow and the store, as the charm has it."""
    url = masakari_url
    CONF([], project="masakari", default_config_files=[])
    for group in ("database", "taskflow"):
        CONF.set_override("connection", url, group=group)
    oslo_messaging.conffixture.ConfFixture(CONF).transport_url = "fake:/"
    rpc.init(CONF)
    objects.register_all()
    migration.db_sync()
    store.migrate(url)
    return url


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> PowerController:
    controller = PowerController()
    monkeypatch.setattr(fencing, "build", lambda *_args, **_kw: controller)
    return controller


@pytest.fixture
def engine(database, cloud, power, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(base, "PERSISTENCE_BACKEND", CONF.taskflow.connection)
    flows = recovery.task_flows()
    for name, value, group in [
        ("host_auto_failure_recovery_tasks", flows["auto"], "taskflow_driver_recovery_flows"),
        ("host_rh_failure_recovery_tasks", flows["rh"], "taskflow_driver_recovery_flows"),
        ("poll_interval", 0.1, "instance_ha_recovery"),
        ("evacuation_pause", 0.0, "instance_ha_recovery"),
        ("heartbeat", 0.5, "instance_ha_recovery"),
        ("patience", 0.0, "instance_ha_fencing"),
        ("wait_period_after_service_update", 0, None),
        ("host_failure_recovery_threads", 10, None),
    ]:
        CONF.set_override(name, value, group=group)
    made = Engine(database, cloud)
    yield made
    for incident in made.journal.unclosed().values():
        made.journal.move(incident, IncidentState.CLOSED, at_s=0)
    for name, group in [
        ("evacuate_all_instances", "host_failure"),
        ("ignore_instances_in_error_state", "host_failure"),
        ("add_reserved_host_to_aggregate", "host_failure"),
    ]:
        CONF.clear_override(name, group=group)
