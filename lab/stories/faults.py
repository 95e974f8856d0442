# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How stories break the product and its surroundings, and see what became of it."""

import contextlib
import datetime
import json
import pathlib
import re
import shutil
from collections.abc import Generator
from typing import Any

import jubilant

from lab import deployment, host
from lab.host import Host
from lab.process import wait_until
from lab.servers import Server

from .scene import Scene

API = "masakari-api"
ENGINE = "masakari-engine"
HOSTMONITOR = "masakari-hostmonitor"
UNIT = f"{deployment.MASAKARI}/0"
PEBBLE = ("env", "PEBBLE_SOCKET=/charm/container/pebble.socket", "/charm/bin/pebble")
AGENTS = ("consul-management", "consul-tenant", "consul-storage")


def stop_agents(on: Host) -> None:
    """End the host's Consul agents without a farewell: to the servers, the host is dead."""
    host.run(on, ["systemctl", "kill", "--signal=SIGKILL", *AGENTS])
    host.run(on, ["systemctl", "stop", *AGENTS])


def emulator(on: Host, guest: Server) -> list[str]:
    """Return the host's pid of the process that is a server there; empty: none is."""
    return host.run(
        on, ["pgrep", "--full", f"qemu-system.*{guest.id}"], check=False
    ).stdout.split()


def kill_guest(on: Host, guest: Server, *, signal: str = "KILL") -> list[str]:
    """Kill the process of one server, as a crash would; return what it was."""
    found = emulator(on, guest)
    host.run(on, ["kill", f"-{signal}", *found])
    return found


def pebble(scene: Scene, container: str, *words: str, unit: str = UNIT) -> str:
    """Run a command of Pebble's in one container of a unit."""
    return scene.juju.ssh(unit, *PEBBLE, *words, container=container)


def is_running(scene: Scene, container: str) -> bool:
    """Return whether Pebble has the container's service running."""
    return bool(re.search(r"\bactive\b", pebble(scene, container, "services", container)))


@contextlib.contextmanager
def stopped(scene: Scene, container: str) -> Generator[None]:
    """Keep a service of every unit stopped while the block lasts."""
    everywhere = deployment.units(scene.juju)
    for unit in everywhere:
        pebble(scene, container, "stop", container, unit=unit)
    try:
        yield
    finally:
        for unit in everywhere:
            pebble(scene, container, "start", container, unit=unit)


def is_well(client: jubilant.Juju, unit: str, container: str) -> bool:
    """Return whether a service does its work, by Pebble's own check of it, made now."""
    words = ("check", container, "--refresh", "--format=json")
    found = json.loads(client.ssh(unit, *PEBBLE, *words, container=container))
    return found["status"] == "up" and not found.get("failures")


@contextlib.contextmanager
def more_units(client: jubilant.Juju, count: int) -> Generator[set[str]]:
    """Run more units of the product while the block lasts, and give their names."""
    before = set(deployment.units(client))
    client.add_unit(deployment.MASAKARI, num_units=count)
    try:
        deployment.wait_active(client)
        yield set(deployment.units(client)) - before
    finally:
        client.remove_unit(deployment.MASAKARI, num_units=count)
        deployment.wait_active(client)


def crash(scene: Scene, container: str) -> None:
    """Kill a service's processes in every unit; Pebble starts them again by itself."""
    for unit in deployment.units(scene.juju):
        signal(scene, container, "SIGKILL", unit=unit)


def signal(scene: Scene, container: str, name: str, *, unit: str = UNIT) -> None:
    """Send a signal to the processes of a unit's service."""
    pebble(scene, container, "signal", name, container, unit=unit)


def events(scene: Scene, of: Host) -> list[dict[str, Any]]:
    """Return the events of the host's incident of this story."""
    if scene.incident(of) is None:
        return []
    return deployment.instance_ha(scene.juju, "incident", "show", "--host", of.name)["events"]


def wait_event(scene: Scene, of: Host, *, kind: str, within_s: float) -> None:
    """Wait until the host's incident has an event of that kind."""
    wait_until(
        lambda: any(event["kind"] == kind for event in events(scene, of)),
        within_s=within_s,
        what=f"an event {kind} of {of.name}",
        every_s=0.5,
    )


def says_why(scene: Scene, of: Host) -> bool:
    """Return whether the incident tells that the fence fails, and because of MAAS."""
    told = [event["text"] for event in events(scene, of) if event["kind"] == "fence"]
    return any("MAAS" in text for text in told)


def wait_controller_says(scene: Scene, words: str) -> str:
    """Wait until the log of a unit's controller has these words; return the line's end."""
    everywhere = deployment.units(scene.juju)

    def line() -> str | None:
        found = [
            text
            for unit in everywhere
            for text in pebble(
                scene, HOSTMONITOR, "logs", "-n", "200", HOSTMONITOR, unit=unit
            ).splitlines()
            if words in text
        ]
        return found[-1].partition(words)[1] + found[-1].partition(words)[2] if found else None

    return wait_until(line, within_s=60, what=f"the controller to say {words!r}", every_s=1.0)


def wait_acts(scene: Scene, *, unit: str, since_s: float) -> float:
    """Wait until a unit's controller has got the lease after *since_s*; return when that was."""
    words = f"controller@{unit.replace('/', '-')} acts"

    def moment() -> float | None:
        logs = pebble(scene, HOSTMONITOR, "logs", "-n", "100", HOSTMONITOR, unit=unit)
        told = [line.split()[0] for line in logs.splitlines() if line.endswith(words)]
        times = [datetime.datetime.fromisoformat(text).timestamp() for text in told]
        return next((at_s for at_s in reversed(times) if at_s >= since_s), None)

    return wait_until(moment, within_s=60, what=f"the controller of {unit} to act", every_s=0.5)


def broken_charm() -> pathlib.Path:
    """Return a staged charm whose plugin lacks the entry points that Masakari loads it by."""
    broken = deployment.STAGE / "masakari-k8s-broken"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(deployment.STAGE / "masakari-k8s", broken, symlinks=True)
    for entry_points in broken.glob("plugin/masakari_instance_ha-*.dist-info/entry_points.txt"):
        entry_points.unlink()
    return broken
