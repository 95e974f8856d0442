# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The words of a timeline: what can be done to a simulated world, and what can be expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.model import Network
from instance_ha.simulation.power import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.simulation.gossip import SimServer
    from instance_ha.simulation.world import SimWorld


def power_off(world: SimWorld, host: str) -> None:
    """Cut a host's power."""
    world.machines[host].power_off()


def boot(world: SimWorld, host: str) -> None:
    """Give it power again."""
    world.machines[host].power_on()


def leave(world: SimWorld, host: str) -> None:
    """Stop its agents in good order."""
    world.machines[host].leave()


def cut(world: SimWorld, host: str, network: str) -> None:
    """Take a host off a network; ``all`` takes every host."""
    for machine in _chosen(world, host):
        world.machines[machine].cut(Network(network))


def heal(world: SimWorld, host: str, network: str) -> None:
    """Put it back."""
    for machine in _chosen(world, host):
        world.machines[machine].heal(Network(network))


def rumour(world: SimWorld, host: str, network: str, seconds: str) -> None:
    """Have the servers of a network call a host failed that is well."""
    until_s = world.clock.now_s() + float(seconds)
    world.networks[Network(network)].spread_rumour(host, until_s=until_s)


def blind(world: SimWorld, server: str) -> None:
    """Cut a Consul server off its network; it still answers who asks it."""
    _server(world, server).blind_since_s = world.clock.now_s()


def see(world: SimWorld, server: str) -> None:
    """Put it back on its network, and start it if it was stopped."""
    _server(world, server).blind_since_s = None
    _server(world, server).answers = True


def silence(world: SimWorld, server: str) -> None:
    """Stop a Consul server."""
    _server(world, server).answers = False


def kill(world: SimWorld, what: str, name: str = "") -> None:
    """Kill the engine, or a controller by its name."""
    if what == "engine":
        world.engine.kill()
    else:
        world.kill_controller(name)


def start(world: SimWorld, what: str, name: str = "") -> None:
    """Start it again, with nothing in memory."""
    if what == "engine":
        world.engine.start()
    else:
        world.start_controller(name)


def maas(world: SimWorld, fault: str) -> None:
    """Switch the power controller's fault; ``well`` ends it."""
    world.power.fault = Fault(fault)


def bmc(world: SimWorld, fault: str) -> None:
    """Switch the fault of the hosts' own power controllers; ``well`` ends it."""
    world.bmc.fault = Fault(fault)


def ceph(world: SimWorld, state: str) -> None:
    """Take the storage's monitors away, or give them back."""
    world.storage.reachable = state == "up"


def segment(world: SimWorld, name: str, state: str) -> None:
    """Enable or disable a segment."""
    world.masakari.set_segment(name, enabled=state == "enabled")


def maintenance(world: SimWorld, host: str, state: str) -> None:
    """Set a host's maintenance flag in Masakari."""
    world.masakari.set_maintenance(host, on=state == "on")


def remove(world: SimWorld, host: str) -> None:
    """Take a host out of its segment."""
    world.masakari.remove(host)


def place(world: SimWorld, server: str, host: str) -> None:
    """Have a server appear on a host that nobody counted on."""
    world.nova.place(server, host)


def database(world: SimWorld, state: str) -> None:
    """Take the store away, or give it back."""
    world.journal.reachable = state == "up"


def api(world: SimWorld, state: str) -> None:
    """Take Masakari's API away, or give it back."""
    world.masakari.reachable = state == "up"


ACTS: dict[str, Callable[..., None]] = {
    act.__name__.replace("_", "-"): act
    for act in (
        power_off, boot, leave, cut, heal, rumour, blind, see, silence, kill, start, maas, bmc,
        ceph, segment, maintenance, remove, place, database, api,
    )
}  # fmt: skip


def fact(world: SimWorld, words: str) -> str:
    """Return what is so now; *words* begin with one of ``FACTS``."""
    name, *arguments = words.split()
    return FACTS[name](world, *arguments)


def evacuated(world: SimWorld) -> str:
    """``evacuated``: how many servers were moved."""
    return str(world.witness.evacuated.total())


def incidents(world: SimWorld) -> str:
    """``incidents``: how many there were."""
    return str(len(world.journal.incidents()))


def notifications(world: SimWorld) -> str:
    """``notifications``: how many Masakari took."""
    return str(len(world.masakari.all_notifications()))


def servers_on(world: SimWorld, host: str) -> str:
    """``on HOST``: the servers that Nova places there."""
    return " ".join(world.nova.servers_on(host)) or "nothing"


def state_of(world: SimWorld, host: str) -> str:
    """``state HOST``: where its newest incident stands."""
    states = [i.state.value for i in world.journal.incidents() if i.host == host]
    return states[-1] if states else "none"


def storage_of(world: SimWorld, host: str) -> str:
    """``storage HOST``: whether its storage refuses it."""
    return "fenced" if world.storage.refuses(host) else "open"


FACTS: dict[str, Callable[..., str]] = {
    "evacuated": evacuated,
    "storage": storage_of,
    "incidents": incidents,
    "notifications": notifications,
    "on": servers_on,
    "state": state_of,
}


def _chosen(world: SimWorld, host: str) -> list[str]:
    return list(world.machines) if host == "all" else [host]


def _server(world: SimWorld, name: str) -> SimServer:
    network, _, _ = name.rpartition("-")
    return world.networks[Network(network)].servers[name]
