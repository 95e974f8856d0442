# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A killed server's way back to ACTIVE, and what a hypervisor pays for its monitors."""

import dataclasses
import json
import os
import statistics
import time

import pytest

from lab import deployment, figures, host, juju, paths, process, servers
from lab.errors import LabError
from lab.figures import Figure
from lab.openstack import cloud, current_profile
from lab.stories import faults

pytestmark = [pytest.mark.bench, pytest.mark.lab]

REPORT = paths.REPOSITORY / "build/bench/monitors.json"
GUESTS, KILLS = 4, 10
"""No server is killed a fourth time: the engine would move it elsewhere."""
SETTLE_S, REST_S = 20.0, 60.0
ALL_ON = {"agent-monitor": True, "storage-probe": "/var/lib/nova"}
"""Beside the instance and the process monitor, which are on anyway."""


@dataclasses.dataclass(kw_only=True)
class Sheet:
    """What was measured so far."""

    back_s: list[float] = dataclasses.field(default_factory=list)
    rest: dict[str, Figure] = dataclasses.field(default_factory=dict)

    def figures(self) -> list[Figure]:
        median = statistics.median(self.back_s) if self.back_s else None
        longest = max(self.back_s, default=None)
        return [
            Figure(name=f"kill to ACTIVE, median of {len(self.back_s)}", ours=median, at_most=5),
            Figure(name=f"kill to ACTIVE, longest of {len(self.back_s)}", ours=longest),
            *self.rest.values(),
        ]


@pytest.fixture(scope="module")
def h1(up_s):
    if current_profile() != "full":
        pytest.skip("needs real guests: `python -m lab up`, then this")
    everyone = host.hosts(3)
    deployment.ensure_enrolled(juju.client(), everyone)
    yield everyone[0]
    servers.delete_all()


@pytest.fixture(scope="module")
def sheet(h1):
    """What is measured; printed and written down in the end."""
    made = Sheet()
    yield made
    found = made.figures()
    print(f"\n\nmonitors  {os.cpu_count()} processors\n\n{figures.table(found)}\n")  # noqa: T201
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    told = {"at_s": time.time(), "back_s": made.back_s, "figures": figures.records(found)}
    REPORT.write_text(json.dumps(told, indent=2) + "\n")


def test_a_killed_server_is_active_again(h1, sheet):
    guests = servers.boot(GUESTS, on=h1, prefix="killed")
    for guest in guests:
        servers.wait_first_write(guest.id, on=h1)
    for number in range(KILLS):
        sheet.back_s.append(back_s(h1, guests[number % GUESTS]))
        print(f"... back after {sheet.back_s[-1]:.1f} s", flush=True)  # noqa: T201


def back_s(on, guest):
    """Kill a server's process; return the seconds until another one runs and Nova is content."""
    old = faults.emulator(on, guest)
    began_s = time.time()
    host.run(on, ["kill", "-KILL", *old])
    # As long as no other process runs, Nova is asked nothing: it holds the server ACTIVE.
    process.wait_until(
        lambda: faults.emulator(on, guest) not in ([], old),
        within_s=120,
        what=f"{guest.name} to run again",
        every_s=0.1,
    )
    with cloud() as connection:

        def content():
            now = connection.compute.get_server(guest.id)
            return now.status == "ACTIVE" and now.task_state is None

        process.wait_until(content, within_s=120, what=f"{guest.name} to be ACTIVE", every_s=0.1)
    return time.time() - began_s


@pytest.mark.parametrize("options", [{}, ALL_ON], ids=["defaults", "all"])
def test_at_rest(h1, sheet, options):
    client = juju.client()
    client.config(deployment.MONITORS, options)
    try:
        deployment.wait_active(client)
        time.sleep(SETTLE_S)
        which = f"{len(pids(h1))} monitors"
        mib, before_s = memory_mib(h1), processor_s(h1)
        time.sleep(REST_S)
        percent = 100 * (processor_s(h1) - before_s) / REST_S
    finally:
        client.config(deployment.MONITORS, reset=list(ALL_ON))
        deployment.wait_active(client)
    sheet.rest[f"{which} mib"] = Figure(
        name=f"memory of {which}", ours=mib, unit="MiB", at_most=95
    )
    sheet.rest[f"{which} cpu"] = Figure(
        name=f"processor at rest, {which}", ours=percent, unit="%", at_most=0.5
    )


def show(on, name):
    """Return a property of each of our units that runs a process now."""
    told = host.run(
        on, ["systemctl", "show", f"--property=MainPID,{name}", "instance-ha-*.service"]
    ).stdout
    found = [dict(line.split("=", 1) for line in b.split()) for b in told.split("\n\n")]
    return [each[name] for each in found if each.get("MainPID", "0") != "0"]


def pids(on):
    return show(on, "MainPID")


def memory_mib(on):
    files = [f"/proc/{number}/smaps_rollup" for number in pids(on)]
    told = host.run(on, ["grep", "--no-filename", "^Pss:", *files]).stdout
    return sum(int(line.split()[1]) for line in told.splitlines()) / 1024


def processor_s(on):
    """Return the processor time that our units have taken, with all that they had run."""
    told = show(on, "CPUUsageNSec")
    if not all(value.isdigit() for value in told):
        raise LabError(f"systemd of {on.name} counts no processor time: {told}; is cgroup2 there?")
    return sum(int(value) for value in told) / 1e9
