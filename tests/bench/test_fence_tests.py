# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs hacluster-shim, and MAAS, to test the fence paths of 1,000 hypervisors."""

from __future__ import annotations

import collections
import json
import os
import pathlib
import subprocess
import sys
import threading

import pytest

from lab import maas
from lab.host import Host
from lab.maas.machines import Machines
from lab.maas.oauth import ApiKey, Verifier
from lab.maas.server import Server

HOSTS, AT_ONCE = 1000, 100
GOAL_MB = 60

pytestmark = pytest.mark.bench

TESTER = """
import datetime, json, pathlib, re, sys, time
import pydantic
from hacluster_shim import checks, power
from hacluster_shim.snapshot import Maas
from instance_ha_relations.hypervisor import HypervisorData

url, key, hosts, at_once = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
names = [f"h{number}" for number in range(1, hosts + 1)]
known = {n: HypervisorData(nova_host=n, hostname=n, system_id=f"sys-{n}") for n in names}
maas = Maas(url=url, api_key=pydantic.SecretStr(key), ca="")
now, found = datetime.datetime.now(tz=datetime.UTC), {}
for hook in range(-(-hosts // at_once)):
    with power.asking(maas, known) as ask:
        found = checks.refresh(
            found, known, ask=ask, now=now + datetime.timedelta(seconds=hook),
            interval=datetime.timedelta(hours=1), at_most=at_once,
        )
    tested = sum(bool(target.tested_at) for target in found.values())
    print(json.dumps({"tested": tested}), flush=True)
good = sum(target.result == "ok" for target in found.values())
# Of this program alone: what the kernel says of resources counts its parent before the exec, too.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
print(json.dumps({"good": good, "mb": int(peak[1]) / 1024, "cpu_s": time.process_time()}))
"""


class Switch:
    """A thousand machines that are on."""

    def known(self):
        return [Host(number=number) for number in range(1, HOSTS + 1)]

    def is_on(self, each):
        return True

    def turn(self, each, *, on, hard):
        raise AssertionError("a test switches nothing")


@pytest.fixture
def simulator(tmp_path: pathlib.Path):
    server = Server(
        ("127.0.0.1", 0),
        machines=Machines(Switch()),
        verifier=Verifier(ApiKey.parse(maas.API_KEY)),
        log=tmp_path / "requests.jsonl",
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/MAAS", tmp_path / "requests.jsonl"
    server.shutdown()
    server.server_close()


def test_the_fence_paths_of_a_thousand_hosts(simulator, capsys):
    url, log = simulator
    shim = pathlib.Path(__file__).parents[2] / "charms" / "hacluster-shim" / "src"
    path = os.pathsep.join([str(shim), os.environ.get("PYTHONPATH", "")])

    done = subprocess.run(
        [sys.executable, "-c", TESTER, url, maas.API_KEY, str(HOSTS), str(AT_ONCE)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    *hooks, spent = [json.loads(line) for line in done.stdout.splitlines()]
    requests = [json.loads(line) for line in log.read_text().splitlines()]
    asked = collections.Counter(
        request["machine"] for request in requests if "query_power_state" in request["path"]
    )
    with capsys.disabled():
        print(  # noqa: T201
            f"\nfence tests  {HOSTS} hosts in {len(hooks)} hooks: {spent['mb']:.0f} MB "
            f"(goal {GOAL_MB} MB: {'reached' if spent['mb'] < GOAL_MB else 'missed'}), "
            f"{1000 * spent['cpu_s'] / HOSTS:.0f} ms CPU and "
            f"{len(requests) / HOSTS:.1f} questions a host",
            end=" ",
        )
    assert [hook["tested"] for hook in hooks] == list(range(AT_ONCE, HOSTS + 1, AT_ONCE))
    assert spent["good"] == HOSTS
    assert len(asked) == HOSTS
    assert set(asked.values()) == {1}
