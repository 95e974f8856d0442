# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask MAAS for power states, in the same way as the engine that fences; knows nothing of Juju."""

import contextlib
import pathlib
import tempfile
from collections.abc import Callable, Iterator

from hacluster_shim.snapshot import Maas
from instance_ha.errors import FenceError
from instance_ha_relations.hypervisor import HypervisorData
from masakari_instance_ha.fencing.maas_api import Access, MaasApi
from masakari_instance_ha.fencing.targets import Target

TIMEOUT_S = 35.0
"""MAAS itself gives a BMC up to 30 s."""

Ask = Callable[[HypervisorData], str]


@contextlib.contextmanager
def asking(maas: Maas) -> Iterator[Ask]:
    """Give a function that returns a hypervisor's power state as MAAS tells it now.

    The function raises ``InstanceHaError`` when there is no such machine, more than one, or no
    answer. The key is in a file of this process's own only while the block lasts.
    """
    with tempfile.TemporaryDirectory(prefix="hacluster-shim-") as name:
        directory = pathlib.Path(name)
        key = directory / "api-key"
        key.touch(mode=0o600)
        key.write_text(maas.api_key.get_secret_value(), encoding="utf-8")
        ca = directory / "ca.pem"
        ca.write_text(maas.ca, encoding="utf-8")
        access = Access(
            url=maas.url,
            credentials=key,
            ca=ca if maas.ca else None,
            timeout_s=TIMEOUT_S,
        )

        def ask(hypervisor: HypervisorData) -> str:
            return _power_state(access, hypervisor)

        yield ask


def _power_state(access: Access, hypervisor: HypervisorData) -> str:
    target = Target(
        system_id=hypervisor.system_id, fqdn=hypervisor.fqdn, hostname=hypervisor.hostname
    )
    with MaasApi(access) as api:
        machines = api.machines(target)
        if len(machines) != 1:
            names = ", ".join(str(machine.get("system_id")) for machine in machines)
            raise FenceError(
                hypervisor.nova_host,
                f"MAAS has several machines of its name: {names}"
                if machines
                else "MAAS has no machine of its system id or name",
                hint="Compare `maas admin machines read` with the hypervisor's host name",
            )
        return api.power_state(str(machines[0]["system_id"]))
