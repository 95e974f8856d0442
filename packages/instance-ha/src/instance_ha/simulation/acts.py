# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The words of a timeline: what can be done to a simulated world, and what can be expected."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from instance_ha.model import Approval, Network, Pause, PauseScope
from instance_ha.simulation import fleet, troubles
from instance_ha.simulation.power import Fault
from instance_ha.simulation.process import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.simulation.gossip import SimServer
    from instance_ha.simulation.world import SimWorld


def power_off(world: SimWorld, host: str) -> None:
    """Cut a host's power."""
    world.machines[host].power_off()


def crash(world: SimWorld, host: str, seconds: str) -> None:
    """Have a host's kernel fail and write a dump for so long; 0: it has no fence_kdump."""
    world.machines[host].crash()
    world.dumps.begin(host, lasts_s=float(seconds))


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
    """Take the store away, or give it back; Masakari's API answers nothing without it."""
    world.journal.reachable = state == "up"
    world.database.fall_into(Trouble.NONE if state == "up" else Trouble.DOWN)


def api(world: SimWorld, state: str) -> None:
    """Take Masakari's API away, or give it back."""
    world.masakari.reachable = state == "up"


def scheduler(world: SimWorld, state: str) -> None:
    """Stop nova-scheduler, or start it."""
    world.nova.schedules = state == "up"


def pause(world: SimWorld, scope: str, target: str = "", seconds: str = "") -> None:
    """Pause ``cloud``, ``segment NAME SECONDS`` or ``host NAME SECONDS``."""
    now_s = world.clock.now_s()
    world.journal.pause(
        Pause(
            id=0,
            scope=PauseScope(scope),
            target=world.masakari.segment_uuid(target) if scope == "segment" else target,
            name=target,
            reason="switch work",
            author="ada",
            since_s=now_s,
            until_s=now_s + float(seconds) if seconds else None,
        )
    )


def resume(world: SimWorld, scope: str, target: str = "") -> None:
    """End the pauses of ``cloud``, ``segment NAME`` or ``host NAME``."""
    uuid = world.masakari.segment_uuid(target) if scope == "segment" else target
    world.journal.resume(PauseScope(scope), uuid, at_s=world.clock.now_s())


def approve(world: SimWorld, host: str) -> None:
    """Let a host's incident go on."""
    incident = world.journal.unclosed()[host]
    world.journal.approve(
        Approval(
            incident=incident.id,
            author="ada",
            reason="the plan is good",
            at_s=world.clock.now_s(),
        )
    )


def before(world: SimWorld, step: str, *do: str) -> None:
    """Carry an act out as soon as a step is about to be taken."""
    world.once(f"before {step}", functools.partial(carry_out, world, *do))


def within(world: SimWorld, step: str, *do: str) -> None:
    """Carry an act out in the middle of a step: between two servers of ``evacuate``."""
    world.once(f"within {step}", functools.partial(carry_out, world, *do))


def after(world: SimWorld, step: str, *do: str) -> None:
    """Carry an act out as soon as a step has been taken."""
    world.once(f"after {step}", functools.partial(carry_out, world, *do))


def carry_out(world: SimWorld, verb: str, *arguments: str) -> None:
    """Do what one line of a timeline says."""
    ACTS[verb](world, *arguments)


ACTS: dict[str, Callable[..., None]] = {
    act.__name__.replace("_", "-"): act
    for act in (
        power_off, crash, boot, leave, cut, heal, rumour, blind, see, silence, kill, start, maas,
        bmc, ceph, segment, maintenance, remove, place, database, api,
        scheduler, pause, resume, approve, before, within, after,
        troubles.trouble, troubles.isolate, troubles.skew, troubles.mend, troubles.bring_back,
        *fleet.ACTS,
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
    "forgotten": troubles.forgotten,
    "idle": troubles.idle,
    "evacuated": evacuated,
    "storage": storage_of,
    "incidents": incidents,
    "notifications": notifications,
    "on": servers_on,
    "state": state_of,
    **fleet.FACTS,
}


def _chosen(world: SimWorld, host: str) -> list[str]:
    return list(world.machines) if host == "all" else [host]


def _server(world: SimWorld, name: str) -> SimServer:
    network, _, _ = name.rpartition("-")
    return world.networks[Network(network)].servers[name]
