# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated fleet, the roll of those enrolled by rule, and what people do to both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.enrolment import Hypervisor
from instance_ha.model import Event
from instance_ha.moving_back import Place
from instance_ha.past import RETURN_ASKED, SPENT_RESERVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from instance_ha.model import Host
    from instance_ha.simulation.masakari import SimMasakari
    from instance_ha.simulation.nova import SimNova
    from instance_ha.simulation.world import HostPlan, SimWorld


class SimRoll:
    """Implements ``ports.Roll`` in memory."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def names(self) -> frozenset[str]:
        """Return every name."""
        return frozenset(self._names)

    def add(self, name: str) -> None:
        """Add a name."""
        self._names.add(name)

    def strike(self, name: str) -> None:
        """Remove a name."""
        self._names.discard(name)


class SimFleet:
    """Implements ``ports.Fleet`` over the simulated Nova and Masakari."""

    def __init__(self, plans: Sequence[HostPlan], *, nova: SimNova, masakari: SimMasakari) -> None:
        self._plans: Mapping[str, HostPlan] = {plan.name: plan for plan in plans}
        self._nova = nova
        self._masakari = masakari

    def hypervisors(self) -> Sequence[Hypervisor]:
        """Return every hypervisor that Nova has."""
        return [
            Hypervisor(
                name=name,
                up=self._nova.service(name).up,
                zone=self._plans[name].zone,
                aggregates=self._plans[name].aggregates,
            )
            for name in self._nova.hosts()
        ]

    def enrol(self, host: str, *, segment: str) -> None:
        """Make *host* one of the segment's, marked as enrolled by rule."""
        self._masakari.ensure_segment(segment)
        self._masakari.enrol(host, segment=segment, automatic=True)

    def dismiss(self, host: Host) -> None:
        """Take a host out of its segment."""
        self._masakari.remove(host.name)


class SimMover:
    """Nova's live migration; implements as much of ``ports.Mover`` as moving back needs."""

    def __init__(self, nova: SimNova) -> None:
        self._nova = nova

    def places(self, servers: Iterable[str]) -> Mapping[str, Place]:
        """Return server -> where it is now."""
        return {
            server: Place(
                server=server,
                name=server,
                host=self._nova.host_of[server],
                idle=server not in self._nova.moves,
            )
            for server in servers
        }

    def move(self, server: str, *, target: str) -> None:
        """Move a running server to *target*."""
        self._nova.migrate(server, target=target)


def enrol(world: SimWorld, host: str, name: str) -> None:
    """Enrol a host by hand."""
    world.masakari.ensure_segment(name)
    world.masakari.enrol(host, segment=name)


def scale_in(world: SimWorld, host: str) -> None:
    """Take a host's compute service out of Nova, as a person does who retires it."""
    world.nova.forget(host)


def disable(world: SimWorld, host: str, *reason: str) -> None:
    """Disable a host in Nova, as a person does."""
    world.nova.disable(host, reason=" ".join(reason))


def enable(world: SimWorld, host: str) -> None:
    """Un-force and enable a host in Nova, as a person does."""
    world.nova.bring_back(host)


def reserve(world: SimWorld, host: str) -> None:
    """Make a host a reserve of its segment, whose recovery method uses it from now on."""
    segment = world.masakari.segment_of(host).name
    world.masakari.methods[segment] = "reserved_host"
    world.masakari.set_segment(segment, enabled=True)
    world.masakari.set_reserved(host, reserved=True)
    world.nova.disable(host, reason="reserve")


def take_over(world: SimWorld, reserved: str, host: str) -> None:
    """Have a reserve take over from a host under recovery, as the reserved-host flow does."""
    world.masakari.set_reserved(reserved, reserved=False)
    world.nova.enable(reserved)
    _say(
        world, host, kind="reserve", text=f"{reserved} takes over", key=SPENT_RESERVE, of=reserved
    )


def ask_return(world: SimWorld, host: str) -> None:
    """Ask to have a host back."""
    _say(world, host, kind="return", text="asked for", key=RETURN_ASKED, of="operator")


ACTS: tuple[Callable[..., None], ...] = (
    enrol,
    scale_in,
    disable,
    enable,
    reserve,
    take_over,
    ask_return,
)


def enrolled(world: SimWorld, host: str) -> str:
    """``enrolled HOST``: its segment, if it has one."""
    found = [known.segment.name for known in world.masakari.hosts() if known.name == host]
    return found[0] if found else "nowhere"


def role(world: SimWorld, host: str) -> str:
    """``role HOST``: what Masakari and Nova have it as."""
    known = next(known for known in world.masakari.hosts() if known.name == host)
    if known.service is None or not known.service.up:
        return "down"
    if known.service.enabled:
        return "work"
    return "reserve" if known.reserved else f"disabled: {known.service.disabled_reason}"


FACTS: Mapping[str, Callable[..., str]] = {"enrolled": enrolled, "role": role}


def _say(world: SimWorld, host: str, *, kind: str, text: str, key: str, of: str) -> None:
    event = Event(
        at_s=world.clock.now_s(), actor="operator", kind=kind, text=text, detail={key: of}
    )
    world.journal.record(world.journal.unclosed()[host], event)
