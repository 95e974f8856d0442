# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated Nova: compute services, placements, evacuations."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError
from instance_ha.model import ComputeService, Network

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.ports import Clock
    from instance_ha.simulation.machines import Machine
    from instance_ha.simulation.witness import Witness

SERVICE_DOWN_S = 60.0
REBUILD_S = 3.0
DISABLE_REASON = "Masakari detected host failed."


@dataclass
class _Service:
    last_seen_s: float
    enabled: bool = True
    forced_down: bool = False
    disabled_reason: str = ""
    written_s: float = float("-inf")


@dataclass(frozen=True, kw_only=True)
class Move:
    """An evacuation that Nova has under way."""

    server: str
    source: str
    target: str
    done_at_s: float


class SimNova:
    """Places servers on hosts; trusts ``forced_down`` blindly, as Nova does."""

    def __init__(
        self,
        machines: Mapping[str, Machine],
        *,
        placements: Mapping[str, str],
        network: Network,
        clock: Clock,
        witness: Witness,
    ) -> None:
        """Take over the machines.

        Args:
            machines: Name -> machine.
            placements: Server -> host; the guests are started there.
            network: The one that nova-compute reports over.
            clock: The world's.
            witness: Sees every evacuation that is asked for, and every one that ends well.
        """
        self.host_of = dict(placements)
        self.moves: dict[str, Move] = {}
        self.schedules = True
        """Whether nova-scheduler runs."""
        self._machines = machines
        self._network = network
        self._clock = clock
        self._witness = witness
        self._services = {
            name: _Service(last_seen_s=clock.now_s() if machine.runs else float("-inf"))
            for name, machine in machines.items()
        }
        for server, host in placements.items():
            if machines[host].powered:
                machines[host].processes.add(server)

    def hosts(self) -> Sequence[str]:
        """Return the hosts of which there is a compute service."""
        return tuple(self._services)

    def forget(self, host: str) -> None:
        """Delete the compute service, as a person does who scales in."""
        del self._services[host]

    def knows(self, host: str) -> bool:
        """Tell whether there is a compute service of *host*."""
        return host in self._services

    def service(self, host: str) -> ComputeService:
        """Return the compute service as the API shows it: one forced down is never up."""
        service = self._services[host]
        fresh = self._clock.now_s() - service.last_seen_s < SERVICE_DOWN_S
        return ComputeService(
            up=fresh and not service.forced_down,
            enabled=service.enabled,
            forced_down=service.forced_down,
            disabled_reason=service.disabled_reason,
            updated_at_s=max(service.last_seen_s, service.written_s),
        )

    def force_down(self, host: str) -> None:
        """Believe that the service is down."""
        self._services[host].forced_down = True
        self._written(host)

    def disable(self, host: str, *, reason: str = DISABLE_REASON) -> None:
        """Place no more servers there."""
        service = self._services[host]
        service.enabled, service.disabled_reason = False, reason
        self._written(host)

    def bring_back(self, host: str) -> None:
        """Un-force and enable, as a person does."""
        self.unforce(host)
        self.enable(host)

    def unforce(self, host: str) -> None:
        """Believe nova-compute's reports again; refused until it has been restarted.

        A restarted nova-compute ends what was evacuated from its host.
        """
        service = self._services[host]
        if not self._machines[host].runs:
            raise CloudUnreachableError(f"nova refuses: nova-compute of {host} is not running")
        self._machines[host].processes.intersection_update(self.servers_on(host))
        service.forced_down = False
        self._written(host)

    def enable(self, host: str) -> None:
        """Place servers there again."""
        service = self._services[host]
        service.enabled, service.disabled_reason = True, ""
        self._written(host)
        self._witness.see_return(self._machines[host])

    def servers_on(self, host: str) -> Sequence[str]:
        """Return the servers that Nova places on *host*."""
        return sorted(server for server, place in self.host_of.items() if place == host)

    def place(self, server: str, host: str) -> None:
        """Have a server that nobody counted on appear on *host*."""
        self.host_of[server] = host

    def evacuate(self, server: str) -> Move:
        """Rebuild a server elsewhere; refused while its host counts as up, or it is rebuilt."""
        source = self.host_of[server]
        if server in self.moves:
            raise CloudUnreachableError(
                f"cannot evacuate {server} while it is in task_state rebuilding"
            )
        if self.service(source).up:
            raise CloudUnreachableError(f"compute service of {source} is still in use")
        move = Move(
            server=server,
            source=source,
            target=self._choose(source),
            done_at_s=self._clock.now_s() + REBUILD_S,
        )
        self._witness.see_evacuation(server, machine=self._machines[source])
        self.moves[server] = move
        return move

    def migrate(self, server: str, *, target: str) -> None:
        """Move a running server live, which takes no time here."""
        self._machines[self.host_of[server]].processes.discard(server)
        self._machines[target].processes.add(server)
        self.host_of[server] = target

    def advance(self) -> None:
        """Hear the heartbeats, and end the moves that are due."""
        now_s = self._clock.now_s()
        for name, service in self._services.items():
            if self._machines[name].reaches(self._network):
                service.last_seen_s = now_s
        for move in [move for move in self.moves.values() if now_s >= move.done_at_s]:
            if self._machines[move.target].runs:
                del self.moves[move.server]
                self.host_of[move.server] = move.target
                self._machines[move.target].processes.add(move.server)
                self._witness.see_move(move.server, source=move.source)
            elif not self.service(move.target).up:  # until then it is stuck in the rebuild
                del self.moves[move.server]
                self._witness.see_failed_move(move.server, source=move.source)

    def _written(self, host: str) -> None:
        self._services[host].written_s = self._clock.now_s()

    def _choose(self, source: str) -> str:
        """Return the host with the fewest servers that takes any."""
        load = Counter(self.host_of.values()) + Counter(m.target for m in self.moves.values())
        if not self.schedules:
            raise CloudUnreachableError("no nova-scheduler answers")
        takers = [
            name
            for name in self._services
            if name != source and self.service(name).up and self.service(name).enabled
        ]
        if not takers:
            raise CloudUnreachableError("no valid host was found")
        return min(takers, key=lambda name: (load[name], name))
