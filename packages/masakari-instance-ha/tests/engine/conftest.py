# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the engine side is tested with: a Nova, a power controller, and a whole masakari-engine.

The Nova moves servers as the real one does and can be made to fail; the engine is Masakari's own
driver, taskflow and objects on a real database, without its message queue.
"""

from __future__ import annotations

import contextlib
import itertools
import uuid
import warnings
from typing import TYPE_CHECKING, Any

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

from .evacuating import evacuate, report  # noqa: F401 - fixtures
from .nova_cloud import NovaCloud

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from instance_ha.errors import FenceError

_numbers = itertools.count(1)


@pytest.fixture
def cloud(clock: Any, monkeypatch: pytest.MonkeyPatch) -> NovaCloud:
    """A Nova behind ``masakari.compute.nova.novaclient``, on a simulated clock."""
    made = NovaCloud(clock)
    monkeypatch.setattr(masakari.compute.nova, "novaclient", made.client)
    monkeypatch.setattr(Nova, "_shared", None)
    return made


@pytest.fixture
def real_time(cloud: NovaCloud) -> None:
    """Let the Nova run on the machine's clock, in a hurry."""
    cloud.clock = SystemClock()
    cloud.rebuild_s = 0.05


@pytest.fixture
def option() -> Iterator[Callable[..., None]]:
    """Set options for one test: ``option(group, name=value)``; the whole process has them."""
    changed: list[tuple[str, str | None]] = []

    def change(group: str | None, **values: Any) -> None:
        for name, value in values.items():
            CONF.set_override(name, value, group=group)
            changed.append((name, group))

    yield change
    for name, group in changed:
        CONF.clear_override(name, group=group)


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

    def told(self, kind: str) -> list[str]:
        """Return the texts of one kind of event of h1's open incident."""
        incident = self.journal.unclosed()["h1"]
        return [event.text for event in self.journal.events(incident) if event.kind == kind]

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
def engine(database, cloud, power, option, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr(base, "PERSISTENCE_BACKEND", CONF.taskflow.connection)
    flows = recovery.task_flows()
    option(
        "taskflow_driver_recovery_flows",
        host_auto_failure_recovery_tasks=flows["auto"],
        host_rh_failure_recovery_tasks=flows["rh"],
    )
    option("instance_ha_recovery", poll_interval=0.1, evacuation_pause=0.0, heartbeat=0.5)
    option("instance_ha_fencing", patience=0.0)
    option(None, wait_period_after_service_update=0, host_failure_recovery_threads=10)
    made = Engine(database, cloud)
    yield made
    for incident in made.journal.unclosed().values():
        made.journal.move(incident, IncidentState.CLOSED, at_s=0)
