# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A MAAS that answers what the test told it to."""

import contextlib
from collections.abc import Iterator, Mapping

import pytest
from ops import testing

from charm import HaclusterShimCharm
from hacluster_shim import power
from hacluster_shim.checks import Ask
from hacluster_shim.snapshot import Maas
from instance_ha.errors import FenceError
from instance_ha_relations.hypervisor import HypervisorData


class Machines:
    """The machines of a MAAS, by system id, with their power states."""

    def __init__(self) -> None:
        self.states = {"sys-h1": "on", "sys-h2": "on"}
        self.bmcs: dict[str, str | FenceError] = {}
        """What every hypervisor's own controllers say, by rung."""
        self.asked: list[str] = []
        self.keys: list[str] = []

    @contextlib.contextmanager
    def asking(self, maas: Maas, hypervisors: Mapping[str, HypervisorData]) -> Iterator[Ask]:
        self.keys.append(maas.api_key.get_secret_value())

        def ask(host: str) -> Mapping[str, str | FenceError]:
            self.asked.append(host)
            known = self.states.get(hypervisors[host].system_id)
            unknown = FenceError(host, "MAAS has no such machine", hint="Enlist it")
            return {"maas": known or unknown, **self.bmcs}

        yield ask


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    machines = Machines()
    monkeypatch.setattr(power, "asking", machines.asking)
    return machines


@pytest.fixture
def ctx() -> testing.Context[HaclusterShimCharm]:
    return testing.Context(HaclusterShimCharm)
