# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Stories of a product that refuses: no proof, no plugin, no evacuation."""

import time

import jubilant

from lab import deployment, host, maas, servers
from lab.host import Host
from lab.maas import Fault
from lab.process import wait_until

from . import faults
from .losses import DETECTED_S, RECOVERED_S
from .scene import Scene

HOLD_S = 15.0
"""More than the five seconds in which a host is fenced and its first server ordered elsewhere."""


MAAS_FAULTS = (
    (Fault.FAILING, "answers every request with an error"),
    (Fault.STUCK, "takes the order and leaves the host on"),
    (Fault.HANGING, "takes connections and never answers"),
)


def maas_unwell(scene: Scene, lost: Host) -> None:
    """MAAS fails, lies, then hangs; nothing is evacuated until it is well."""
    guests = scene.boot_servers(lost)
    maas.inject(MAAS_FAULTS[0][0])
    scene.fault(f"MAAS {MAAS_FAULTS[0][1]}, and every agent of {lost.name} dies")
    faults.stop_agents(lost)
    faults.wait_event(scene, lost, kind="fence", within_s=2 * DETECTED_S)
    for fault, words in MAAS_FAULTS:
        maas.inject(fault)
        scene.note("story", f"MAAS {words}")
        time.sleep(HOLD_S)
        scene.check("Nova was asked to evacuate nothing", not scene.evacuations())
        scene.check(f"{lost.name} is on", host.is_on(lost))
    scene.check(
        "the servers are where they were",
        all(servers.server(guest.id).host == lost.name for guest in guests),
    )
    scene.check("the incident says why", faults.says_why(scene, lost))
    maas.clear()
    scene.note("story", "MAAS is well again")
    scene.wait_incident(lost, state="recovered", within_s=RECOVERED_S)
    scene.wait_elsewhere(guests, lost=lost)
    scene.check_fenced_recovery(guests, lost=lost)
    scene.check_one_writer(guests)


def plugin_missing(scene: Scene, _: Host) -> None:
    """The plugin does not load; the engine is not started, and the unit says so."""
    scene.fault("the charm is refreshed to one whose plugin does not load")
    scene.juju.refresh(deployment.MASAKARI, path=str(faults.broken_charm()))
    wait_until(
        lambda: _is_blocked(scene.juju),
        within_s=180,
        what="the unit to be blocked",
        every_s=1.0,
    )
    status = scene.juju.status().apps[deployment.MASAKARI].units[f"{deployment.MASAKARI}/0"]
    scene.note("juju", f"{status.workload_status.current}: {status.workload_status.message}")
    scene.check("the engine does not run", not faults.is_running(scene, faults.ENGINE))
    scene.note("story", "the charm is refreshed to the whole one")
    scene.juju.refresh(deployment.MASAKARI, path=str(deployment.STAGE / "masakari-k8s"))
    deployment.wait_active(scene.juju)
    scene.check("the engine runs again", faults.is_running(scene, faults.ENGINE))


def _is_blocked(client: jubilant.Juju) -> bool:
    unit = client.status().apps[deployment.MASAKARI].units[f"{deployment.MASAKARI}/0"]
    return unit.workload_status.current == "blocked"


def process_killed(scene: Scene, alive: Host) -> None:
    """The process of one server is killed; the same server runs again on the same host."""
    (guest,) = scene.boot_servers(alive, count=1)
    scene.fault(f"the process of {guest.name} is killed")
    faults.kill_guest(alive, guest)
    wait_until(
        lambda: servers.server(guest.id).status == "SHUTOFF",
        within_s=60,
        what=f"Nova to see {guest.name} stopped",
    )
    scene.note("nova", f"{guest.name} is SHUTOFF")
    wait_until(
        lambda: servers.server(guest.id).status == "ACTIVE",
        within_s=RECOVERED_S,
        what=f"{guest.name} to be ACTIVE again",
        every_s=0.5,
    )
    scene.note("active", f"{guest.name} is ACTIVE again")
    where = scene.wait_writing(guest)
    scene.note("writes", f"{guest.name} writes on {where.name}")
    scene.check(f"it is on {alive.name} as before", where == alive)
    scene.check("nobody ordered the power off", not scene.power_orders(alive))
