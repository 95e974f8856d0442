# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud: machines, networks, power, Nova, Masakari, engine, controllers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha import ladder, recovery
from instance_ha.controller import Controller
from instance_ha.ladder import Ladder, Rung
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import Policy
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.engine import SimEngine
from instance_ha.simulation.flow import Flow
from instance_ha.simulation.gossip import SimNetwork, SimObserver
from instance_ha.simulation.machines import Machine
from instance_ha.simulation.masakari import SimMasakari
from instance_ha.simulation.memory import LeaseRow, MemoryJournal, MemoryLease
from instance_ha.simulation.nova import SimNova
from instance_ha.simulation.power import SimFencer, SimPower
from instance_ha.simulation.storage import SimStorage, SimStorageFencer
from instance_ha.simulation.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import Notification
    from instance_ha.ports import Fencer

STEP_S = 0.5


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """One host of a scenario."""

    name: str
    segment: str = "rack-1"
    servers: tuple[str, ...] = ()
    powered: bool = True
    enrolled: bool = True
    on_maintenance: bool = False


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    """What a scenario begins with."""

    hosts: tuple[HostPlan, ...]
    networks: tuple[Network, ...] = tuple(Network)
    """Those declared; Nova reports over the first."""
    consul_servers: int = 3
    controllers: tuple[str, ...] = ("masakari-0",)
    fence_patience_s: float = 300.0
    rungs: tuple[str, ...] = ("maas",)
    """The ladder of fences; with ``ceph`` in it, the locks of what is off are freed too."""
    order: Sequence[str] = field(default=recovery.ORDER)


class SimWorld:
    """Everything outside the rules, and the rules in it."""

    def __init__(self, plan: WorldPlan) -> None:
        self.clock = SimClock()
        self.journal = MemoryJournal()
        self.witness = Witness(clock=self.clock, journal=self.journal)
        self.machines = {
            host.name: Machine(
                host.name, networks=plan.networks, clock=self.clock, powered=host.powered
            )
            for host in plan.hosts
        }
        self.networks = {
            network: SimNetwork(
                network,
                servers=plan.consul_servers,
                machines=tuple(self.machines.values()),
                clock=self.clock,
            )
            for network in plan.networks
        }
        self.power = SimPower(self.machines, clock=self.clock)
        self.bmc = SimPower(self.machines, clock=self.clock)
        self.storage = SimStorage(self.machines)
        self.nova = SimNova(
            self.machines,
            placements={server: host.name for host in plan.hosts for server in host.servers},
            network=plan.networks[0],
            clock=self.clock,
            witness=self.witness,
        )
        self.masakari = _enrolled(plan, nova=self.nova, storage=self.storage, clock=self.clock)
        self.engine = SimEngine(
            clock=self.clock,
            masakari=self.masakari,
            journal=self.journal,
            make_flow=self._make_flow,
            order=plan.order,
        )
        self.controllers: dict[str, Controller] = {}
        self._plan = plan
        self._lease_row = LeaseRow()
        for name in plan.controllers:
            self.start_controller(name)

    def start_controller(self, name: str) -> None:
        """Run a controller that knows nothing yet, as after any start."""
        networks = self._plan.networks
        self.controllers[name] = Controller(
            clock=self.clock,
            observer=SimObserver(tuple(self.networks.values())),
            cloud=self.masakari,
            journal=self.journal,
            lease=MemoryLease(self._lease_row, holder=name, clock=self.clock),
            policy=Policy(networks=networks, matrix=default_matrix(networks)),
            actor=f"controller@{name}",
        )

    def kill_controller(self, name: str) -> None:
        """Lose a controller with all that it has in memory; it says no goodbye."""
        del self.controllers[name]

    def advance(self) -> None:
        """Let one step of time pass, in which the controllers tick each full second."""
        if self.clock.now_s().is_integer():
            for controller in tuple(self.controllers.values()):
                controller.tick()
        self.clock.sleep(STEP_S)
        self.power.advance()
        self.bmc.advance()
        for network in self.networks.values():
            network.advance()
        self.nova.advance()
        self.engine.advance()
        self.witness.see_guests(self.machines.values())

    def _make_flow(self, notification: Notification) -> Flow:
        segment = self.masakari.segment_of(notification.host).name
        rungs = self._rungs()
        return Flow(
            host=notification.host,
            segment=segment,
            clock=self.clock,
            nova=self.nova,
            fencer=Ladder(rungs),
            storage=rungs.get(Rung.CEPH),
            journal=self.journal,
            fence_patience_s=self._plan.fence_patience_s,
        )

    def _rungs(self) -> dict[Rung, Fencer]:
        fencers: dict[Rung, Fencer] = {
            Rung.MAAS: SimFencer(self.power, clock=self.clock, by="engine"),
            Rung.IPMI: SimFencer(self.bmc, clock=self.clock, by="engine", method=Rung.IPMI),
            Rung.CEPH: SimStorageFencer(self.storage, clock=self.clock, by="engine"),
        }
        return {rung: fencers[rung] for rung in ladder.read(self._plan.rungs)}


def _enrolled(
    plan: WorldPlan, *, nova: SimNova, storage: SimStorage, clock: SimClock
) -> SimMasakari:
    masakari = SimMasakari(nova=nova, storage=storage, clock=clock)
    for host in plan.hosts:
        masakari.set_segment(host.segment, enabled=True)
        if host.enrolled:
            masakari.enrol(host.name, segment=host.segment)
            masakari.set_maintenance(host.name, on=host.on_maintenance)
    return masakari
