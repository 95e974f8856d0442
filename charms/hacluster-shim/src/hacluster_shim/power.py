# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask for power states, in the same way as the engine that fences; knows nothing of Juju."""

import contextlib
import json
import pathlib
import tempfile
from collections.abc import Generator, Mapping

from hacluster_shim.checks import Ask
from hacluster_shim.snapshot import Maas
from instance_ha.errors import FenceError
from instance_ha.ladder import Rung
from instance_ha_relations.hypervisor import HypervisorData
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing import bmc
from masakari_instance_ha.fencing.ipmi import Ipmi
from masakari_instance_ha.fencing.maas import Maas as MaasMachines
from masakari_instance_ha.fencing.maas_api import Access
from masakari_instance_ha.fencing.power import Pace, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

TIMEOUT_S = 35.0
"""MAAS itself gives a BMC up to 30 s."""


@contextlib.contextmanager
def asking(maas: Maas, hypervisors: Mapping[str, HypervisorData]) -> Generator[Ask]:
    """Give a function that returns what each rung of a hypervisor says, by Nova's name.

    Rung -> its power state as it is now, or the error that says why it is not known: no such
    machine, more than one, no answer. The secrets are in files of this process's own only while
    the block lasts.
    """
    with tempfile.TemporaryDirectory(prefix="hacluster-shim-") as name:
        fencers = _fencers(maas, hypervisors, directory=pathlib.Path(name))
        listed = bmc.parse(maas.bmcs) if maas.bmcs else {}

        def ask(host: str) -> Mapping[str, str | FenceError]:
            types = {Rung.MAAS, *(one.type for one in listed.get(host, ()))}
            return {rung: _said(fencers[rung], host) for rung in Rung if rung in types}

        yield ask


def _said(fencer: PowerFencer, host: str) -> str | FenceError:
    try:
        return fencer.check(host)
    except FenceError as error:
        return error


def _fencers(
    maas: Maas, hypervisors: Mapping[str, HypervisorData], *, directory: pathlib.Path
) -> Mapping[Rung, PowerFencer]:
    targets, bmcs = directory / "targets.json", _private(directory / "bmcs", maas.bmcs or "{}")
    listed = {host: data.model_dump() for host, data in hypervisors.items()}
    targets.write_text(json.dumps(listed), encoding="utf-8")
    ways = {
        Rung.MAAS: MaasMachines(access=_access(maas, directory=directory), targets=targets),
        Rung.REDFISH: Redfish(file=bmcs, timeout_s=TIMEOUT_S),
        Rung.IPMI: Ipmi(file=bmcs, timeout_s=TIMEOUT_S),
    }
    return {
        rung: PowerFencer(
            way.reach,
            rung=rung,
            pace=Pace(deadline_s=TIMEOUT_S, interval_s=1.0),
            clock=SystemClock(),
            by="hacluster-shim",
        )
        for rung, way in ways.items()
    }


def _access(maas: Maas, *, directory: pathlib.Path) -> Access:
    ca = directory / "ca.pem"
    ca.write_text(maas.ca, encoding="utf-8")
    return Access(
        url=maas.url,
        credentials=_private(directory / "api-key", maas.api_key.get_secret_value()),
        ca=ca if maas.ca else None,
        timeout_s=TIMEOUT_S,
    )


def _private(file: pathlib.Path, text: str) -> pathlib.Path:
    file.touch(mode=0o600)
    file.write_text(text, encoding="utf-8")
    return file
