# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The metrics of one hypervisor: what its monitors say of themselves, for Prometheus.

It reads what they write for people, so that both see the same; it watches nothing itself. The
page is served on the loopback only, to an agent on the same machine.
"""

from __future__ import annotations

import http.server
import pathlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import cast

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.errors import UnitError
from hypervisor_instance_ha.files import read_report

PORT = 15871
UNITS = {
    "instances": "instance-ha-instancemonitor.service",
    "processes": "instance-ha-processmonitor.service",
    "agents": "instance-ha-agentmonitor.service",
    "storage": "instance-ha-storageprobe.service",
    "host": "instance-ha-hostmonitor.service",
    "guard": "instance-ha-return-guard.service",
}
"""Program -> the unit that runs it, where the charm has it run."""

Facts = Mapping[str, object]


def read(run: pathlib.Path) -> str:
    """Return the page of this machine.

    Args:
        run: Where the programs say how they are.

    Raises:
        UnitError: if systemd does not answer.
    """
    reports = {name: read_report(run / f"{name}.json") for name in UNITS}
    return page(reports, runs=running(), paused=machine.paused())


def running() -> Mapping[str, bool]:
    """Return whether each program that this machine has runs.

    Raises:
        UnitError: if systemd does not answer.
    """
    told = machine.show(UNITS.values(), properties=("LoadState", "ActiveState"))
    return {
        name: unit["ActiveState"] == "active"
        for name, unit in zip(UNITS, told, strict=True)
        if unit["LoadState"] == "loaded"
    }


def page(reports: Mapping[str, Facts], *, runs: Mapping[str, bool], paused: bool) -> str:
    """Return the metrics as Prometheus reads them; of what nobody has said anything, nothing."""
    said = {name: reports.get(name, {}) for name in UNITS}
    waiting = {name: facts["waiting"] for name, facts in said.items() if "waiting" in facts}
    ours = (
        _gauge("instance_ha_monitor_up", "1 while the program runs.", runs, labels=["monitor"]),
        _gauge(
            "instance_ha_monitor_reports_waiting",
            "Reports that wait on disk for Masakari to take them.",
            waiting,
            labels=["monitor"],
        ),
        _gauge(
            "instance_ha_monitors_paused",
            "1 while an operator's pause lets nothing be reported or restarted.",
            {"": paused},
        ),
    )
    return "".join((*ours, *_of_host(said)))


def _of_host(said: Mapping[str, Facts]) -> Iterator[str]:
    """Yield what the programs see on this hypervisor."""
    yield _gauge(
        "instance_ha_libvirt_up",
        "1 while libvirt tells the instance monitor what its servers do.",
        _holds(said["instances"], "libvirt", "ok"),
    )
    yield _gauge(
        "instance_ha_servers_running",
        "Servers of Nova that run on this hypervisor.",
        _figure(said["instances"], "running"),
    )
    yield _gauge(
        "instance_ha_services_down",
        "Services of the list of processes that do not run.",
        _figure(said["processes"], "down"),
    )
    yield _gauge(
        "instance_ha_storage_up",
        "1 while the storage probe writes and reads back in time.",
        _holds(said["storage"], "storage", "ok"),
    )
    yield _gauge(
        "instance_ha_return_guard_holds",
        "1 while the return guard keeps nova-compute from starting.",
        _holds(said["guard"], "state", "held"),
    )
    yield _gauge(
        "instance_ha_ring_seen",
        "1 while Pacemaker answers the host monitor.",
        _holds(said["host"], "state", "acts", "stands by"),
    )


def serve(current: Callable[[], str], *, port: int = PORT) -> http.server.ThreadingHTTPServer:
    """Return a server of ``/metrics`` on the loopback; the caller has it serve.

    Args:
        current: Returns the page; may raise ``UnitError``, which is told with a status of 503.
        port: Where to listen; 0 takes any that is free.
    """

    class Page(http.server.BaseHTTPRequestHandler):
        timeout = 10
        """Seconds after which a connection that asks nothing is closed."""

        def do_GET(self) -> None:
            if self.path != "/metrics":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            try:
                body = current().encode()
            except UnitError as error:
                self.send_error(HTTPStatus.SERVICE_UNAVAILABLE, explain=str(error))
                return
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - upstream's name
            """Say nothing of what is asked every minute."""

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Page)


def _holds(facts: Facts, fact: str, *values: str) -> Facts:
    return {"": facts[fact] in values} if fact in facts else {}


def _figure(facts: Facts, fact: str) -> Facts:
    return {"": facts[fact]} if fact in facts else {}


def _gauge(name: str, text: str, values: Facts, *, labels: Sequence[str] = ()) -> str:
    """Return one family; *values* is by the value of the only label, or has one for none."""
    lines = [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
    for value_of_label, value in sorted(values.items()):
        label = "".join(f'{{{each}="{value_of_label}"}}' for each in labels)
        lines.append(f"{name}{label} {_number(value)}")
    return "\n".join(lines) + "\n"


def _number(value: object) -> int:
    """Return a figure of a report; a list counts by what is in it."""
    if isinstance(value, list):
        return len(cast("list[object]", value))
    return int(value) if isinstance(value, int) else 0
