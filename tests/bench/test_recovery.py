# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How long servers are gone, with the product and with Sunbeam's settings in its place."""

import dataclasses
import json
import os
import time

import pytest

from lab import deployment, figures, host, measure, memory, paths, rival
from lab.figures import Figure
from lab.openstack import Profile, current_profile
from lab.stories.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.lab]

REPORT = paths.REPOSITORY / "build/bench/recovery.json"
SERVERS = {"light": 4, "full": 2}
"""Guests that really compute and write would measure two processors, not the recovery."""


@dataclasses.dataclass(kw_only=True)
class Sheet:
    """What was measured so far."""

    profile: Profile
    up_s: dict[str, float]
    mib: float | None = None
    ours: measure.Recovery | None = None
    rival: measure.Recovery | None = None
    notified_s: float | None = None
    proven_s: float | None = None

    @property
    def servers(self) -> int:
        return SERVERS[self.profile]

    def figures(self) -> list[Figure]:
        found = [
            Figure(name="loss to confirmed off, by MAAS", ours=self.proven_s),
            self._both("loss to first evacuate call", "first_call_s", ratio_at_most=1 / 7),
            self._both(f"loss to {self.servers} servers ACTIVE elsewhere", "all_active_s"),
            Figure(
                name=f"notification to {self.servers} servers ACTIVE elsewhere",
                ours=self.notified_s,
                at_most=15 if self.profile == "light" else None,
            ),
        ]
        if self.profile == "full":
            found += [
                self._both("loss to first accepted write elsewhere", "first_write_s"),
                self._both("loss to writes of every server elsewhere", "all_write_s"),
            ]
        found += [
            Figure(name=f"up: {name}", ours=took_s, at_most=180 if name == "all of it" else None)
            for name, took_s in self.up_s.items()
        ]
        found.append(Figure(name="memory of the lab", ours=self.mib, unit="MiB", at_most=6144))
        return found

    def _both(self, name: str, of: str, *, ratio_at_most: float | None = None) -> Figure:
        ours, theirs = (
            None if recovery is None else getattr(recovery, of)
            for recovery in (self.ours, self.rival)
        )
        return Figure(name=name, ours=ours, rival=theirs, ratio_at_most=ratio_at_most)


@pytest.fixture(scope="module")
def sheet(up_s):
    """The lab and what is measured in it; printed and written down in the end."""
    made = Sheet(profile=current_profile(), up_s=up_s)
    yield made
    report(made)


def report(sheet: Sheet) -> None:
    found = sheet.figures()
    machine = f"{os.cpu_count()} processors, profile {sheet.profile}"
    print(f"\n\nrecovery  {machine}\n\n{figures.table(found)}\n")  # noqa: T201
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    told = {
        "at_s": time.time(),
        "processors": os.cpu_count(),
        "profile": sheet.profile,
        "servers": sheet.servers,
        "figures": figures.records(found),
    }
    REPORT.write_text(json.dumps(told, indent=2) + "\n")


def say(text: str) -> None:
    print(f"... {text}", flush=True)  # noqa: T201


def test_memory(sheet):
    sheet.mib = memory.pss_mib()


def test_the_product(sheet):
    everyone = host.hosts(3)
    lost = everyone[0]
    scene = Scene(say=say)
    try:
        guests = scene.boot_servers(lost, count=sheet.servers)
        sheet.ours = measure.power_loss(scene, lost, guests)
        scene.wait_incident(lost, state="recovered", within_s=240)
        told = deployment.instance_ha(scene.juju, "incident", "show", "--host", lost.name)
        sheet.notified_s = measure.notification_to_active_s(told["events"])
        proven_at_s = min(proof["confirmed_at_s"] for proof in told["proofs"])
        sheet.proven_s = proven_at_s - scene.chronicle.zero_s
    finally:
        scene.restore(everyone)


def test_its_rival(sheet):
    everyone = host.hosts(3)
    # Another host: Masakari would take the same one's notification for a duplicate.
    lost = everyone[1]
    scene = Scene(say=say)
    try:
        guests = scene.boot_servers(lost, count=sheet.servers)
        say("the rival takes over and looks at the hosts")
        with rival.in_charge(scene, everyone):
            sheet.rival = measure.power_loss(scene, lost, guests)
            say("the rival ends its notification")
    finally:
        scene.restore(everyone)
