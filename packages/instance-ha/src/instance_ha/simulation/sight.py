# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether anything keeps the controllers from seeing how the machines are, or from saying so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.simulation.process import Trouble

if TYPE_CHECKING:
    from instance_ha.simulation.world import SimWorld


def is_clear(world: SimWorld) -> bool:
    """Tell whether every controller, all that it sees by, and all that it writes to is well."""
    return _controllers_run(world) and _they_see(world) and _they_can_write(world)


def _controllers_run(world: SimWorld) -> bool:
    processes = world.processes.values()
    return len(processes) == len(world.names) and not any(
        process.stopped or process.cut_off for process in processes
    )


def _they_see(world: SimWorld) -> bool:
    return all(
        server.answers and server.blind_since_s is None
        for network in world.networks.values()
        for server in network.servers.values()
    ) and not any(network.has_rumours for network in world.networks.values())


def _they_can_write(world: SimWorld) -> bool:
    well = all(line.trouble is Trouble.NONE for line in (world.database, world.api))
    return well and world.journal.reachable and world.masakari.reachable
