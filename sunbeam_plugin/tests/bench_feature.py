# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""How long the feature itself takes, beside Juju and Terraform: figures, no verdict."""

import time

import pytest
import sunbeam_cloud
from fakes import hypervisor, machine
from harness import Sunbeam, replace_machines
from instance_recovery.maas import Maas, Power
from instance_recovery.reading import ask_maas

pytestmark = pytest.mark.bench

COUNT = 100
NUMBERS = range(1, COUNT + 1)


@pytest.fixture
def maas(serve):
    """A MAAS of a hundred machines that takes 200 ms for each answer."""
    server = serve(COUNT, delay_s=0.2)
    rows = [sunbeam_cloud.vars_of(machine(number)) for number in NUMBERS]
    server.answers["machines/"] = (200, rows)
    return server


def told(what: str, begun_s: float) -> None:
    print(f"\n{what}: {time.perf_counter() - begun_s:.1f} s")  # noqa: T201


def test_preflight_of_a_hundred_hypervisors(maas):
    begun_s = time.perf_counter()
    found = ask_maas(
        Maas(url=maas.url, key="consumer:token:secret"),
        hypervisors=[hypervisor(number) for number in NUMBERS],
    )
    told("pre-flight of 100 hypervisors, MAAS answering in 200 ms", begun_s)
    assert found.power == {f"sys-h{number}": Power(state="on") for number in NUMBERS}


def test_enable_with_a_hundred_hypervisors(maas, cloud, tmp_path, monkeypatch):
    names = [f"h{number}" for number in NUMBERS]
    cloud.hosts = {"segment": dict.fromkeys(names, True)}
    cloud.fences = dict.fromkeys(names, "ok")
    sunbeam = Sunbeam(cloud, tmp_path, maas.url)
    sunbeam.services = names
    sunbeam.database.nodes = [
        {"name": f"h{number}", "machineid": number, "systemid": f"sys-h{number}"}
        for number in NUMBERS
    ]
    replace_machines(monkeypatch, sunbeam)
    begun_s = time.perf_counter()
    done = sunbeam.enable()
    told("enable with 100 hypervisors, Juju and Terraform answering at once", begun_s)
    assert done.exit_code == 0, done.output
