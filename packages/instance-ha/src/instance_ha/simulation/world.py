# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated cloud: machines, networks, power, Nova, Masakari, engine, controllers."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from instance_ha import ladder, recovery
from instance_ha.controller import Controller
from instance_ha.enrolling import Enrolling
from instance_ha.enrolment import EnrolPolicy
from instance_ha.errors import CloudUnreachableError, StoreUnreachableError
from instance_ha.homing import Homing
from instance_ha.ladder import Ladder, Rung
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import Policy
from instance_ha.simulation import sight
from instance_ha.simulation.clock import SimClock
from instance_ha.simulation.dumps import SimDumps
from instance_ha.simulation.engine import SimEngine
from instance_ha.simulation.fleet import SimFleet, SimMover, SimRoll
from instance_ha.simulation.flow import Flow, Means
from instance_ha.simulation.gossip import SimNetwork, SimObserver
from instance_ha.simulation.machines import Machine
from instance_ha.simulation.masakari import SimMasakari
from instance_ha.simulation.memory import LeaseRow, MemoryJournal, MemoryLease
from instance_ha.simulation.nova import SimNova
from instance_ha.simulation.permission import SimPermission
from instance_ha.simulation.power import SimFencer, SimPower
from instance_ha.simulation.process import KilledError, Line, OwnClock, Process, Remote
from instance_ha.simulation.snapshot import SnapshotCloud
from instance_ha.simulation.storage import SimStorage, SimStorageFencer
from instance_ha.simulation.witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from instance_ha.model import Notification
    from instance_ha.ports import Cloud, Duty, Fencer, Journal, Lease, Mover

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
    zone: str = ""
    aggregates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WorldPlan:
    """What a scenario begins with."""

    hosts: tuple[HostPlan, ...]
    networks: tuple[Network, ...] = tuple(Network)
    """Those declared; Nova reports over the first."""
    consul_servers: int = 3
    controllers: tuple[str, ...] = ("masakari-0",)
    engines: tuple[str, ...] = ("engine",)
    fence_patience_s: float = 300.0
    rungs: tuple[str, ...] = ("maas",)
    """The ladder of fences; with ``ceph`` in it, the locks of what is off are freed too."""
    policy: Mapping[str, Any] = field(default_factory=dict)
    """Figures of the rules that differ from their defaults."""
    enrol: Mapping[str, Any] | None = None
    """How hypervisors are enrolled by rule; None: nobody attends to that."""
    move_back: int = 0
    """How many servers at once are moved back to a host that returned; 0: none."""
    order: Sequence[str] = field(default=recovery.ORDER)


class SimWorld:
    """Everything outside the rules, and the rules in it."""

    def __init__(
        self, plan: WorldPlan, *, make_controller: Callable[..., Controller] = Controller
    ) -> None:
        """Make it.

        Args:
            plan: What it begins with.
            make_controller: Called with the ports; a test may put something worse there.
        """
        self.clock = SimClock()
        self.journal = MemoryJournal()
        matrix = default_matrix(plan.networks)
        self._policy = Policy(networks=plan.networks, matrix=matrix, **plan.policy)
        self.witness = Witness(clock=self.clock, policy=self._policy)
        self.database = Line("the database", error=StoreUnreachableError)
        self.api = Line("masakari's API", error=CloudUnreachableError, behind=self.database)
        self.nova_api = Line("nova's API", error=CloudUnreachableError)
        self.machines = _machines(plan, clock=self.clock)
        self.networks = _networks(plan, machines=self.machines, clock=self.clock)
        self.dumps = SimDumps(self.machines, clock=self.clock)
        self.power = SimPower(self.machines, clock=self.clock, witness=self.witness)
        self.bmc = SimPower(self.machines, clock=self.clock, witness=self.witness)
        self.storage = SimStorage(self.machines)
        self.nova = SimNova(
            self.machines,
            placements={server: host.name for host in plan.hosts for server in host.servers},
            network=plan.networks[0],
            clock=self.clock,
            witness=self.witness,
        )
        self.masakari = _enrolled(
            plan, nova=self.nova, storage=self.storage, clock=self.clock, witness=self.witness
        )
        self.engines = {name: self._engine(name, order=plan.order) for name in plan.engines}
        self.roll = SimRoll()
        self.fleet = SimFleet(plan.hosts, nova=self.nova, masakari=self.masakari)
        self.controllers: dict[str, Controller] = {}
        self.processes: dict[str, Process] = {}
        """The controllers' processes."""
        self.skews: dict[str, float] = {}
        """Controller -> how far its machine's clock is ahead."""
        self._agenda: list[tuple[float, Callable[[], None]]] = []
        self._awaited: list[tuple[str, Callable[[], None]]] = []
        self._make_controller = make_controller
        self._plan = plan
        self._lease_row = LeaseRow(witness=self.witness)
        self._evacuators: dict[str, LeaseRow] = {}
        for name in plan.controllers:
            self.start_controller(name)

    @property
    def engine(self) -> SimEngine:
        """The first engine; most worlds have one."""
        return next(iter(self.engines.values()))

    @property
    def names(self) -> Sequence[str]:
        """The controllers' names, whether they run or not."""
        return self._plan.controllers

    def at(self, at_s: float, act: Callable[[], None]) -> None:
        """Have something done at a second, even while a controller waits in a call."""
        self._agenda.append((at_s, act))
        self._agenda.sort(key=lambda entry: entry[0])

    def once(self, moment: str, act: Callable[[], None]) -> None:
        """Have something done once, at a moment such as ``before fence`` or ``after notify``."""
        self._awaited.append((moment, act))

    def reached(self, moment: str) -> None:
        """Do what awaits this moment."""
        due = [entry for entry in self._awaited if entry[0] == moment]
        self._awaited = [entry for entry in self._awaited if entry[0] != moment]
        for _, act in due:
            act()

    def start_controller(self, name: str) -> None:
        """Run a controller that knows nothing yet, as after any start."""
        process = Process(
            name,
            clock=self.clock,
            let_pass=self._let_pass,
            skew_s=self.skews.get(name, 0.0),
        )
        clock = OwnClock(self.clock, process)
        lease = MemoryLease(self._lease_row, holder=name, clock=self.clock)
        cloud = SnapshotCloud(
            self.masakari, line=self.api, caller=process, clock=self.clock, world=self
        )
        remote = functools.partial(Remote, line=self.database, caller=process)
        self.processes[name] = process
        self.controllers[name] = self._make_controller(
            clock=clock,
            observer=SimObserver(tuple(self.networks.values()), process=process),
            cloud=cast("Cloud", cloud),
            journal=cast("Journal", remote(self.journal)),
            lease=cast("Lease", remote(lease)),
            policy=self._policy,
            actor=f"controller@{name}",
            duties=self._duties(),
            dumps=self.dumps,
        )

    def _duties(self) -> Sequence[Duty]:
        duties: list[Duty] = []
        if self._plan.enrol is not None:
            policy = EnrolPolicy(**self._plan.enrol)
            duties.append(Enrolling(fleet=self.fleet, roll=self.roll, policy=policy))
        if self._plan.move_back:
            homing = Homing(
                mover=cast("Mover", SimMover(self.nova)),
                journal=self.journal,
                at_once=self._plan.move_back,
                actor="controller",
            )
            duties.append(homing)
        return duties

    def kill_controller(self, name: str) -> None:
        """Lose a controller with all that it has in memory; it says no goodbye."""
        self.processes.pop(name).alive = False
        del self.controllers[name]

    def advance(self) -> None:
        """Let one step of time pass, in which the controllers tick each full second."""
        while self._agenda and self._agenda[0][0] <= self.clock.now_s():
            self._agenda.pop(0)[1]()
        if self.clock.now_s().is_integer():
            for name in tuple(self.controllers):
                self._tick(name)
        self.clock.sleep(STEP_S)
        self.power.advance()
        self.bmc.advance()
        for network in self.networks.values():
            network.advance()
        self.nova.advance()
        for engine in self.engines.values():
            engine.advance()
        self.witness.see_machines(self.machines.values(), in_sight=sight.is_clear(self))

    def _tick(self, name: str) -> None:
        """Have a controller make a pass, unless it is still at the last one, or gone."""
        process = self.processes.get(name)
        if process is None or process.busy or process.stopped:
            return
        with contextlib.suppress(KilledError):
            self.controllers[name].tick()

    def _let_pass(self, seconds: float) -> None:
        until_s = self.clock.now_s() + seconds
        while self.clock.now_s() < until_s:
            self.advance()

    def _engine(self, name: str, *, order: Sequence[str]) -> SimEngine:
        return SimEngine(
            name,
            clock=self.clock,
            masakari=self.masakari,
            journal=self.journal,
            make_flow=self._make_flow,
            order=order,
        )

    def _make_flow(self, notification: Notification, engine: Process) -> Flow:
        host = notification.host
        segment = self.masakari.segment_of(host).name
        rungs = self._rungs()
        means = Means(
            notification=notification,
            segment=segment,
            clock=self.clock,
            engine=engine,
            nova=self.nova,
            line=self.nova_api,
            lease=MemoryLease(
                self._evacuators.setdefault(host, LeaseRow()),
                holder=f"{engine.name}-{self.clock.now_s()}",
                clock=self.clock,
            ),
            reached=self.reached,
            fencer=Ladder(rungs),
            storage=rungs.get(Rung.CEPH),
            journal=self.journal,
            permission=SimPermission(
                host,
                masakari=self.masakari,
                nova=self.nova,
                journal=self.journal,
                policy=self._policy,
                clock=self.clock,
            ),
            awaits=lambda: any(f.awaits(host) for f in rungs.values() if isinstance(f, SimFencer)),
            fence_patience_s=self._plan.fence_patience_s,
        )
        return Flow(means)

    def _rungs(self) -> dict[Rung, Fencer]:
        fencers: dict[Rung, Fencer] = {
            Rung.MAAS: SimFencer(self.power, clock=self.clock, by="engine"),
            Rung.IPMI: SimFencer(self.bmc, clock=self.clock, by="engine", method=Rung.IPMI),
            Rung.CEPH: SimStorageFencer(self.storage, clock=self.clock, by="engine"),
        }
        return {rung: fencers[rung] for rung in ladder.read(self._plan.rungs)}


def _machines(plan: WorldPlan, *, clock: SimClock) -> dict[str, Machine]:
    return {
        host.name: Machine(host.name, networks=plan.networks, clock=clock, powered=host.powered)
        for host in plan.hosts
    }


def _networks(
    plan: WorldPlan, *, machines: Mapping[str, Machine], clock: SimClock
) -> dict[Network, SimNetwork]:
    return {
        network: SimNetwork(
            network,
            servers=plan.consul_servers,
            machines=tuple(machines.values()),
            clock=clock,
        )
        for network in plan.networks
    }


def _enrolled(
    plan: WorldPlan, *, nova: SimNova, storage: SimStorage, clock: SimClock, witness: Witness
) -> SimMasakari:
    masakari = SimMasakari(nova=nova, storage=storage, clock=clock, witness=witness)
    for host in plan.hosts:
        masakari.set_segment(host.segment, enabled=True)
        if host.enrolled:
            masakari.enrol(
                host.name, segment=host.segment, zone=host.zone, aggregates=host.aggregates
            )
            masakari.set_maintenance(host.name, on=host.on_maintenance)
    return masakari
