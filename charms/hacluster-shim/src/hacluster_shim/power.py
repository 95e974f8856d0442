# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask MAAS for power states, in the same way as the engine that fences; knows nothing of Juju."""

import contextlib
import json
import pathlib
import tempfile
from collections.abc import Generator, Mapping

from hacluster_shim.checks import Ask
from hacluster_shim.snapshot import Maas
from instance_ha.ladder import Rung
from instance_ha_relations.hypervisor import HypervisorData
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.maas import Maas as Machines
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerFencer

TIMEOUT_S = 35.0
"""MAAS itself gives a BMC up to 30 s."""


@contextlib.contextmanager
def asking(maas: Maas, hypervisors: Mapping[str, HypervisorData]) -> Generator[Ask]:
    """Give a function that returns the power state of a hypervisor, by Nova's name, as it is now.

    The function raises ``InstanceHaError`` when there is no such machine, more than one, or no
    answer. The key is in a file of this process's own only while the block lasts.
    """
    with tempfile.TemporaryDirectory(prefix="hacluster-shim-") as name:
        directory = pathlib.Path(name)
        key, ca, targets = (directory / file for file in ("api-key", "ca.pem", "targets.json"))
        key.touch(mode=0o600)
        key.write_text(maas.api_key.get_secret_value(), encoding="utf-8")
        ca.write_text(maas.ca, encoding="utf-8")
        listed = {host: data.model_dump() for host, data in hypervisors.items()}
        targets.write_text(json.dumps(listed), encoding="utf-8")
        access = Access(
            url=maas.url,
            credentials=key,
            ca=ca if maas.ca else None,
            timeout_s=TIMEOUT_S,
        )
        fencer = PowerFencer(
            Machines(access=access, targets=targets).reach,
            rung=Rung.MAAS,
            pace=Pace(deadline_s=TIMEOUT_S, interval_s=1.0),
            clock=SystemClock(),
            by="hacluster-shim",
        )
        yield fencer.check
