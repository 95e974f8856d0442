# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can befall a component for a while, what mends it, and what a long calm must lead to."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from instance_ha.model import IncidentState
from instance_ha.simulation.power import Fault
from instance_ha.simulation.process import Line, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.model import Network
    from instance_ha.simulation.process import Process
    from instance_ha.simulation.world import SimWorld

    Begin = Callable[[Trouble, float], Callable[[], None]]

MAAS = {
    Trouble.DOWN: Fault.FAILING,
    Trouble.HUNG: Fault.HANGING,
    Trouble.DEAF: Fault.LYING,
    Trouble.LATE: Fault.HANGING,
}


def trouble(world: SimWorld, what: str, kind: str, seconds: str) -> None:
    """Have a component be down, hung, deaf or late for so long; it is well again afterwards.

    The components are those of :func:`components`. A program that is down is killed, and started
    anew afterwards; one that is hung is stopped, and goes on where it was.
    """
    lasts_s = float(seconds)
    end = components(world)[what](Trouble(kind), lasts_s)
    world.at(world.clock.now_s() + lasts_s, end)


def components(world: SimWorld) -> dict[str, Begin]:
    """Return component -> what begins its trouble and gives back what ends it."""
    found: dict[str, Begin] = {
        "database": functools.partial(_on_line, world.database),
        "api": functools.partial(_on_line, world.api),
        "nova": functools.partial(_on_line, world.nova_api),
        "rabbitmq": functools.partial(_rabbitmq, world),
        "maas": functools.partial(_maas, world),
    }
    found |= {name: functools.partial(_engine, world, name) for name in world.engines}
    found |= {name: functools.partial(_controller, world, name) for name in world.names}
    found |= {
        server: functools.partial(_consul, world, network, server)
        for network, servers in world.networks.items()
        for server in servers.servers
    }
    return found


def isolate(world: SimWorld, controller: str, seconds: str) -> None:
    """Cut a controller off from everything for so long."""
    process = world.processes.get(controller)
    if process is not None:
        process.cut_off = True
        world.at(world.clock.now_s() + float(seconds), functools.partial(_see_again, process))


def skew(world: SimWorld, controller: str, seconds: str) -> None:
    """Have the clock of a controller's machine jump; its next start goes by it."""
    world.skews[controller] = world.skews.get(controller, 0.0) + float(seconds)


def mend(world: SimWorld) -> None:
    """Make everything but the hosts well again."""
    for line in (world.database, world.api, world.nova_api):
        line.fall_into(Trouble.NONE)
    world.masakari.reachable = world.journal.reachable = True
    world.masakari.broker.start()
    world.power.fault = world.bmc.fault = Fault.NONE
    world.storage.reachable = True
    for network in world.networks.values():
        for server in network.servers.values():
            server.blind_since_s, server.answers = None, True
    for segment in world.masakari.segments():
        world.masakari.set_segment(segment, enabled=True)
    _start_everything(world)


def _start_everything(world: SimWorld) -> None:
    for engine in world.engines.values():
        if not engine.process.alive:
            engine.start()
    for name in world.names:
        if name not in world.controllers:
            world.start_controller(name)
    for process in world.processes.values():
        process.cut_off = False
    world.skews.clear()


def bring_back(world: SimWorld) -> None:
    """Give every host its power and its networks back, as people do."""
    for machine in world.machines.values():
        for network in world.networks:
            machine.heal(network)
        if not machine.powered:
            machine.power_on()


def forgotten(world: SimWorld) -> str:
    """``forgotten``: the lost hosts that are neither recovered nor held with a reason.

    In a calm nothing holds a host but that most of them are lost, or that somebody paused.
    """
    hosts = [host.name for host in world.masakari.hosts()]
    lost = [host for host in hosts if world.witness.is_lost(host)]
    may_be_held = 2 * len(lost) > len(hosts) or bool(world.journal.rulings().pauses)
    forgotten = [h for h in lost if not _is_taken_care_of(world, h, may_be_held=may_be_held)]
    return " ".join(forgotten) or "nothing"


def idle(world: SimWorld) -> str:
    """``idle``: the hosts that are well, and not at work."""
    return (
        " ".join(
            host.name
            for host in world.masakari.hosts()
            if not world.witness.is_lost(host.name)
            and (
                host.on_maintenance
                or host.service is None
                or not (host.service.up and host.service.enabled)
            )
        )
        or "nothing"
    )


def _is_taken_care_of(world: SimWorld, host: str, *, may_be_held: bool) -> bool:
    incident = world.journal.unclosed().get(host)
    if incident is None:
        return False
    if incident.state is IncidentState.RECOVERED:
        return not world.nova.servers_on(host)
    return may_be_held and incident.state is IncidentState.HELD and bool(incident.reason)


def _on_line(line: Line, kind: Trouble, _: float) -> Callable[[], None]:
    line.fall_into(kind)
    return functools.partial(line.fall_into, Trouble.NONE)


def _rabbitmq(world: SimWorld, _kind: Trouble, _: float) -> Callable[[], None]:
    world.masakari.broker.kill()
    return world.masakari.broker.start


def _maas(world: SimWorld, kind: Trouble, _: float) -> Callable[[], None]:
    world.power.fault = MAAS[kind]
    return functools.partial(setattr, world.power, "fault", Fault.NONE)


def _engine(world: SimWorld, name: str, kind: Trouble, lasts_s: float) -> Callable[[], None]:
    engine = world.engines[name]
    if kind is Trouble.DOWN:
        engine.kill()
    else:
        engine.process.stop(lasts_s)
    return functools.partial(_start_engine, world, name)


def _start_engine(world: SimWorld, name: str) -> None:
    if not world.engines[name].process.alive:
        world.engines[name].start()


def _controller(world: SimWorld, name: str, kind: Trouble, lasts_s: float) -> Callable[[], None]:
    process = world.processes.get(name)
    if process is not None and kind is Trouble.DOWN:
        world.kill_controller(name)
    elif process is not None:
        process.stop(lasts_s)
    return functools.partial(_start_controller, world, name)


def _start_controller(world: SimWorld, name: str) -> None:
    if name not in world.controllers:
        world.start_controller(name)


def _consul(
    world: SimWorld, network: Network, server: str, kind: Trouble, _: float
) -> Callable[[], None]:
    one = world.networks[network].servers[server]
    if kind is Trouble.DEAF:
        one.blind_since_s = world.clock.now_s()
    else:
        one.answers = False
    return functools.partial(_see, world, network, server)


def _see(world: SimWorld, network: Network, server: str) -> None:
    one = world.networks[network].servers[server]
    one.blind_since_s, one.answers = None, True


def _see_again(process: Process) -> None:
    process.cut_off = False
