# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``instance-ha-hypervisor``: who a hypervisor is, in everybody's words.

Each unit beside a hypervisor speaks in its own unit databag, every value is JSON.
"""

import json
from typing import Literal

import ops
import pydantic

from instance_ha_relations import wire


class HypervisorData(wire.Databag):
    """Unit databag of the provider."""

    contract: Literal[1] = 1
    nova_host: wire.Line
    """The name of its nova-compute, which is also its name in Masakari."""
    fqdn: str = ""
    hostname: str = ""
    system_id: str = ""
    """MAAS system id; empty where the machine does not come from MAAS."""
    juju_machine: str = ""
    boot_id: str = ""
    """Changes with every boot of the machine."""
    address: str = ""
    storage_addresses: list[wire.Line] = pydantic.Field(default_factory=list)
    """From which it speaks to the storage."""


def write(relation: ops.Relation, unit: ops.Unit, data: HypervisorData) -> None:
    """Publish who this hypervisor is."""
    wire.publish(relation.data[unit], wire.as_json(data))


def read(relation: ops.Relation, unit: ops.Unit) -> HypervisorData | None:
    """Return who the hypervisor of the remote *unit* is, or None while it is silent."""
    return wire.load(relation, HypervisorData, source=unit, decode=json.loads)
