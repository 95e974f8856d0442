# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How many servers a minute the engine moves, and how many Nova moves without anything between.

Nova's driver is the fake one: nothing computes, so what is left is what evacuating itself costs.
"""

import json
import os

import pytest

from lab import compute, deployment, host, measure, paths, servers
from lab.openstack import current_profile
from lab.stories.scene import Scene

pytestmark = [pytest.mark.bench, pytest.mark.lab]

SERVERS = int(os.environ.get("LAB_BENCH_SERVERS", "100"))
AT_ONCE = 10
"""Servers under way at a time: the charm's own default."""
PATIENCE_S = 15.0 * SERVERS
GOAL = 0.9
REPORT = paths.REPOSITORY / "build/bench/evacuations.json"


@pytest.fixture
def scene(up_s):
    """The light lab, whole again after each measurement."""
    if current_profile() != "light":
        pytest.skip("a lab with real guests has no room for so many")
    made = Scene(say=lambda text: print(f"... {text}", flush=True))  # noqa: T201
    yield made
    made.restore(host.hosts(3))


@pytest.fixture(scope="module")
def found():
    """Who moved them -> how fast; printed and written down in the end."""
    made: dict[str, measure.Throughput] = {}
    yield made
    rates = {who: throughput.per_minute for who, throughput in made.items()}
    for who, rate in rates.items():
        print(f"\nevacuations  {SERVERS} servers, {AT_ONCE} at once, {who}: {rate:.1f} a minute")  # noqa: T201
    if len(rates) == 2:
        ratio = rates["the engine"] / rates["Nova alone"]
        verdict = "reached" if ratio >= GOAL else "missed"
        print(f"evacuations  ratio {ratio:.2f}, goal >= {GOAL}: {verdict}")  # noqa: T201
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    told = {"servers": SERVERS, "at_once": AT_ONCE, "per_minute": rates}
    REPORT.write_text(json.dumps(told, indent=2) + "\n")


def test_the_engine(scene, found):
    lost = host.hosts(3)[0]
    ids = [each.id for each in servers.boot(SERVERS, on=lost, within_s=PATIENCE_S)]

    def move() -> None:
        host.kill(lost)
        # The incident is not looked at meanwhile: our command would take a processor each second.
        servers.wait_evacuated(ids, lost=lost, within_s=PATIENCE_S)

    found["the engine"] = measure.throughput(ids, move=move)
    scene.wait_incident(lost, state="recovered", within_s=240)


def test_nova_alone(scene, found):
    # Another host: Masakari would take the same one's notification for a duplicate.
    lost = host.hosts(3)[1]
    ids = [each.id for each in servers.boot(SERVERS, on=lost, within_s=PATIENCE_S)]

    def move() -> None:
        host.kill(lost)
        compute.force_down(lost)
        servers.evacuate_all(ids, lost=lost, at_once=AT_ONCE, within_s=PATIENCE_S)

    deployment.instance_ha(scene.juju, "pause", "--reason", "Nova is measured alone")
    try:
        found["Nova alone"] = measure.throughput(ids, move=move)
    finally:
        deployment.instance_ha(scene.juju, "resume")
    scene.wait_incident(lost, state="recovered", within_s=240)
