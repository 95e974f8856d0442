# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Stories of hosts that are lost, and of one that is not."""

import json
import time
from collections.abc import Sequence

from lab import deployment, host, network
from lab.host import Host
from lab.servers import Server

from . import faults
from .scene import Scene

DETECTED_S = 60.0
RECOVERED_S = 240.0
QUIET_S = 30.0
"""More than three times as long as a real loss needs to be noticed."""


def power_loss(scene: Scene, lost: Host) -> None:
    """A host loses power while its guests write; they write on elsewhere."""
    guests = _recovered(scene, lost)
    scene.check_fenced_recovery(guests, lost=lost)
    scene.check_one_writer(guests)


def storage_lost(scene: Scene, lost: Host) -> None:
    """A live host loses its storage network; it is fenced, and its guests start elsewhere."""
    guests = scene.boot_servers(lost)
    scene.fault(f"{lost.name} loses its storage network; its nova-compute lives")
    network.cut(lost.netns, off=network.STORAGE)
    scene.wait_incident(lost, state="recovered", within_s=RECOVERED_S)
    scene.check(f"{lost.name} was powered off", not host.is_on(lost))
    scene.wait_elsewhere(guests, lost=lost)
    scene.check_fenced_recovery(guests, lost=lost)
    scene.check_one_writer(guests)


def management_lost(scene: Scene, cut_off: Host) -> None:
    """A host loses its management network only; nothing is touched, and that is said."""
    guests = scene.boot_servers(cut_off)
    scene.fault(f"{cut_off.name} loses its management network only")
    network.cut(cut_off.netns, off=network.MANAGEMENT)
    said = faults.wait_controller_says(scene, f"{cut_off.name}: management down")
    scene.note("controller", said)
    time.sleep(QUIET_S)
    scene.check("no incident was opened", scene.incident(cut_off) is None)
    scene.check("nobody ordered its power off", not scene.power_orders(cut_off))
    scene.check("Nova was asked to evacuate nothing", not scene.evacuations())
    scene.check(f"{cut_off.name} is on", host.is_on(cut_off))
    scene.check_one_writer(guests)


def looks_dead(scene: Scene, silent: Host) -> None:
    """Nobody hears of a host whose guests write on; it is fenced before they start elsewhere."""
    guests = scene.boot_servers(silent)
    scene.fault(f"every agent of {silent.name} dies; the host and its guests live")
    faults.stop_agents(silent)
    scene.wait_incident(silent, state="recovered", within_s=RECOVERED_S)
    scene.check(f"{silent.name} was powered off", not host.is_on(silent))
    scene.wait_elsewhere(guests, lost=silent)
    scene.check_fenced_recovery(guests, lost=silent)
    scene.check_one_writer(guests)


def unfenced(scene: Scene, silent: Host) -> None:
    """The same without fencing, by the operator's choice: the oracle must see two writers."""
    with deployment.option(scene.juju, "fencing-mode", "none"):
        guests = scene.boot_servers(silent)
        scene.fault(f"every agent of {silent.name} dies; nobody may fence it")
        faults.stop_agents(silent)
        scene.wait_incident(silent, state="recovered", within_s=RECOVERED_S)
        scene.wait_elsewhere(guests, lost=silent)
        scene.check(f"{silent.name} still runs", host.is_on(silent))
        scene.check_two_writers(guests)
        host.kill(silent)  # what nobody may fence must be stopped by hand
        host.boot(silent)


def down_before_start(scene: Scene, lost: Host) -> None:
    """A host dies while no controller runs; the next one to start acts upon it."""
    guests = scene.boot_servers(lost)
    with faults.stopped(scene, faults.HOSTMONITOR):
        scene.fault(f"{lost.name} loses power; no controller runs")
        host.kill(lost)
        time.sleep(QUIET_S / 3)
        scene.check("nothing has happened yet", scene.incident(lost) is None)
    scene.note("story", "the controller starts")
    scene.wait_incident(lost, state="recovered", within_s=RECOVERED_S)
    scene.wait_elsewhere(guests, lost=lost)
    scene.check_fenced_recovery(guests, lost=lost)


def killed_midway(scene: Scene, lost: Host) -> None:
    """Controller and engine are killed in the middle; each server moves exactly once."""
    guests = scene.boot_servers(lost)
    scene.fault(f"{lost.name} loses power")
    host.kill(lost)
    faults.wait_event(scene, lost, kind="proof", within_s=DETECTED_S)
    faults.crash(scene, faults.ENGINE)
    scene.note("story", "masakari-engine is killed")
    faults.crash(scene, faults.HOSTMONITOR)
    scene.note("story", "the controller is killed")
    scene.wait_incident(lost, state="recovered", within_s=2 * RECOVERED_S)
    scene.wait_elsewhere(guests, lost=lost)
    scene.check_fenced_recovery(guests, lost=lost)
    scene.check_one_writer(guests)


def moved_back(scene: Scene, lost: Host) -> None:
    """A host that was lost works again; what it lost is moved back to it, live and by hand."""
    guests = _recovered(scene, lost)
    scene.note("story", f"{lost.name} has power again")
    host.boot(lost)
    scene.wait_incident(lost, state="closed", within_s=RECOVERED_S)
    scene.note("story", f"an operator runs move-back host={lost.name}")
    told = scene.juju.run(faults.UNIT, "move-back", {"host": lost.name}, wait=RECOVERED_S)
    came_of = [row["result"] for row in json.loads(told.results["moves"])]
    scene.check(f"it says that each was moved: {came_of}", came_of == ["moved"] * len(guests))
    scene.wait_on(lost, guests)
    scene.check_one_writer(guests)


def _recovered(scene: Scene, lost: Host) -> Sequence[Server]:
    """Let a host lose power, and return its servers once they are elsewhere."""
    guests = scene.boot_servers(lost)
    scene.fault(f"{lost.name} loses power")
    host.kill(lost)
    scene.wait_incident(lost, state="recovered", within_s=RECOVERED_S)
    scene.wait_elsewhere(guests, lost=lost)
    return guests
