# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which networks are watched: those that say something of their own about a hypervisor."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Network(enum.StrEnum):
    """A network, as the matrix of Masakari names it."""

    MANAGEMENT = "management"
    TENANT = "tenant"
    STORAGE = "storage"

    @property
    def sunbeam(self) -> str:
        """Its name among Sunbeam's networks."""
        return "data" if self is Network.TENANT else self.value


SERVER_PORT = {Network.MANAGEMENT: 30301, Network.TENANT: 30311, Network.STORAGE: 30321}
"""Port at which a Consul's servers gossip with the hypervisors."""
AGENT_PORT = {Network.MANAGEMENT: 8301, Network.TENANT: 8311, Network.STORAGE: 8321}
"""Port at which its agents do."""


def watched(spaces: Mapping[Network, str | None]) -> tuple[Network, ...]:
    """Return the networks to watch: management, and each that has a space of its own.

    Where storage shares management's space, the loss of the one is the loss of the other, and a
    second Consul would only say it twice.
    """
    found = [Network.MANAGEMENT]
    for network in (Network.STORAGE, Network.TENANT):
        space = spaces.get(network)
        if space is not None and space not in {spaces.get(other) for other in found}:
            found.append(network)
    return tuple(sorted(found, key=list(Network).index))
