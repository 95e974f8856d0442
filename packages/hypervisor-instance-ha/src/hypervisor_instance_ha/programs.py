# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Put the programs together from settings, and run them until they are told to stop."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from hypervisor_instance_ha import drill, machine, metrics, settings, storage
from hypervisor_instance_ha.agents import AgentMonitor
from hypervisor_instance_ha.cloud import Cloud
from hypervisor_instance_ha.courier import Courier, Decision
from hypervisor_instance_ha.errors import LibvirtError
from hypervisor_instance_ha.files import Report, write_whole
from hypervisor_instance_ha.guard import Standing
from hypervisor_instance_ha.guarding import ReturnGuard, Surroundings, emulators_run
from hypervisor_instance_ha.hypervisor import Hypervisor
from hypervisor_instance_ha.instances import Inbox, InstanceMonitor
from hypervisor_instance_ha.keystone import Session
from hypervisor_instance_ha.ledger import Ledger
from hypervisor_instance_ha.processes import ProcessMonitor
from hypervisor_instance_ha.settings import Settings
from hypervisor_instance_ha.settling import Settling
from hypervisor_instance_ha.spool import Entry, Spool
from hypervisor_instance_ha.station import Station
from hypervisor_instance_ha.tally import Tally

if TYPE_CHECKING:
    from hypervisor_instance_ha.virt import Libvirt

logger = logging.getLogger(__name__)

SETTLED_LOOK_S = 10.0
"""Pause between two looks at what Nova still has against a host that came back."""
RESUME_S = 60.0
"""So long after its permission nova-compute may be starting guests by itself, where it does."""


def watch_instances(stop: threading.Event) -> None:
    """Run the instance monitor."""
    said = settings.load()
    station = _station("instances", said)
    monitor = InstanceMonitor(
        station,
        connect=functools.partial(_watched_libvirt, said),
        boot=machine.boot_id(),
        ledger=Ledger(settings.STATE / "ledger.json"),
        audit_interval_s=said.audit_interval_s,
    )
    _start_courier(station, judge=monitor.judge, send=monitor.send, stop=stop)
    monitor.run(stop.is_set, pause=lambda seconds: _pause(stop, seconds))


def watch_processes(stop: threading.Event) -> None:
    """Run the process monitor."""
    said = settings.load()
    station = _station("processes", said)
    monitor = ProcessMonitor(station, units=said.processes, retries=said.process_retries)
    _start_courier(station, judge=monitor.judge, send=monitor.send, stop=stop)
    while not stop.wait(said.process_interval_s):
        monitor.step()


def watch_agents(stop: threading.Event) -> None:
    """Run the agent monitor."""
    said = settings.load()
    if said.agent is None:
        return
    station = _station("agents", said)
    connect = functools.partial(_libvirt, said, read_only=False)
    monitor = AgentMonitor(station, options=said.agent, connect=connect)
    _start_courier(station, judge=monitor.judge, send=monitor.send, stop=stop)
    while not stop.wait(said.agent.interval_s):
        monitor.step()


def probe_storage(stop: threading.Event) -> None:
    """Run the storage probe."""
    said = settings.load().storage
    if said is None:
        return
    made = storage.Probe(said, argv=storage.command(said), report=_report("storage"))
    with contextlib.closing(made) as probe:
        while not stop.wait(said.interval_s):
            probe.step()


def serve_metrics(stop: threading.Event) -> None:
    """Serve the page of metrics."""
    with metrics.serve(lambda: metrics.read(settings.RUN)) as server:
        threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
        stop.wait()
        server.shutdown()


def guard_return(stop: threading.Event) -> None:
    """Hold nova-compute until it may start; a wrong or absent settings file holds it too."""

    def standing() -> Standing:
        return _cloud(settings.load()).standing(now_s=time.time())

    def connect() -> Hypervisor:
        return _libvirt(settings.load(), read_only=False)

    units = _guarded_units()
    around = Surroundings(
        standing=standing, connect=connect, guests_run=emulators_run, units=units
    )
    report = _report("guard")
    guard = ReturnGuard(around, report=report)
    while not stop.is_set() and not guard.step():
        _pause_unless_overridden(stop)
    settling = Settling(around, report=report)
    while guard.let_back and not stop.wait(SETTLED_LOOK_S) and not settling.step(time.monotonic()):
        pass


def run_drill(uuid: str) -> str:
    """Kill the process of a server that is marked for it; return what was killed.

    Raises:
        DrillError: if it is no test server of this host.
        CloudError: if Nova cannot be asked.
    """
    said = settings.load()
    server = _cloud(said).server(uuid)
    drill.require_marked(server, uuid=uuid, nova_host=said.nova_host)
    return f"{uuid} pid {drill.kill(uuid)}"


def tell_maintenance(*, on: bool) -> str:
    """Tell Masakari that an operator works on this host, or no more; return what came of it.

    Only a maintenance that was begun here is ended here: Masakari's own, after a loss, is not.

    Raises:
        CloudError: if Masakari declines or cannot be asked.
    """
    ours = settings.STATE / "maintenance"
    if not on and not ours.exists():
        return "unchanged: it was not begun by pause"
    changed = _cloud(settings.load()).set_maintenance(on)
    if on and changed:
        write_whole(ours, "begun by pause\n")
    elif not on:
        ours.unlink(missing_ok=True)
    return ("on" if on else "off") if changed else "unchanged"


def _guarded_units() -> tuple[str, ...]:
    """Return the units that have the guard's permission as a condition."""
    found = settings.UNITS.glob(f"*.service.d/{settings.DROP_IN}")
    return tuple(sorted(path.parent.name.removesuffix(".d") for path in found))


def _pause_unless_overridden(stop: threading.Event) -> None:
    for _ in range(6):
        if machine.OVERRIDE.exists() or stop.wait(0.5):
            return


def _cloud(said: Settings) -> Cloud:
    return Cloud(Session(said.login), nova_host=said.nova_host)


def _report(name: str) -> Report:
    return Report(settings.RUN / f"{name}.json")


def _station(name: str, said: Settings) -> Station:
    settle_s = RESUME_S if said.resumes_guests else 0.0
    return Station(
        nova_host=said.nova_host,
        cloud=_cloud(said),
        spool=Spool(settings.STATE / name, most=said.queue_length),
        tally=Tally(limit=said.restart_limit, window_s=said.restart_window_s),
        report=_report(name),
        now_s=time.time,
        quiet=functools.partial(machine.why_quiet, settle_s=settle_s),
    )


def _libvirt(said: Settings, *, read_only: bool) -> Libvirt:
    """Connect to libvirt; its library may be installed while we run."""
    try:
        from hypervisor_instance_ha import virt  # noqa: PLC0415 - absent on a bare machine
    except ImportError as error:
        raise LibvirtError(f"{error}; install the package python3-libvirt") from error
    return virt.Libvirt(said.libvirt_uri, read_only=read_only)


def _watched_libvirt(said: Settings, inbox: Inbox) -> Hypervisor:
    connection = _libvirt(said, read_only=True)
    connection.watch(started=inbox.started, ended=inbox.ended, lost=inbox.lost)
    return connection


def _start_courier(
    station: Station,
    *,
    judge: Callable[[Entry], Decision],
    send: Callable[[Entry], None],
    stop: threading.Event,
) -> None:
    courier = Courier(
        station.spool, judge=judge, send=send, now_s=station.now_s, report=station.report
    )
    threading.Thread(target=courier.run, args=[stop.is_set], name="courier", daemon=True).start()


def _pause(stop: threading.Event, seconds: float) -> None:
    stop.wait(seconds)
