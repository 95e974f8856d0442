# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Simulated Consul servers of one network, as they were measured with default gossip."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.agreement import MemberState, ServerView, agree
from instance_ha.simulation.machines import Machine, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.model import Network, Reach
    from instance_ha.ports import Clock
    from instance_ha.simulation.process import Process

SEEN_AFTER_S = {Presence.THERE: 1.0, Presence.GONE: 6.0, Presence.LEFT: 1.0}
STATES = {
    Presence.THERE: MemberState.ALIVE,
    Presence.GONE: MemberState.FAILED,
    Presence.LEFT: MemberState.LEFT,
}
BLIND_SCORES = ((13.0, 7), (6.0, 6), (2.0, 3))
"""Seconds since a server was cut off -> memberlist's own score."""
LEADER_LOST_S = 7.0
FALSE_CLAIMS_S = 26.0
"""From here on a server that was cut off calls its members failed."""
SERVER_LOST_S = 9.0


class SimServer:
    """One server, which may be cut off from its network and still answer who asks it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers = True
        self.blind_since_s: float | None = None


class SimNetwork:
    """The servers of one network and what they see of the machines."""

    def __init__(
        self, network: Network, *, servers: int, machines: Sequence[Machine], clock: Clock
    ) -> None:
        self.network = network
        self.servers = {
            f"{network}-{k}": SimServer(f"{network}-{k}") for k in range(1, servers + 1)
        }
        self._machines = machines
        self._clock = clock
        self._seen = {machine.name: machine.presence(network)[0] for machine in machines}
        self._rumours: dict[str, float] = {}
        self._agreed: Mapping[str, Reach] | None = None
        """What was agreed since time last passed; every observer is told the same."""

    def advance(self) -> None:
        """Let what has been so for long enough be seen."""
        now_s = self._clock.now_s()
        self._agreed = None
        for machine in self._machines:
            presence, since_s = machine.presence(self.network)
            if now_s - since_s >= SEEN_AFTER_S[presence]:
                self._seen[machine.name] = presence

    def spread_rumour(self, machine: str, *, until_s: float) -> None:
        """Have every server call *machine* failed until then, though it is well."""
        self._rumours[machine] = until_s

    @property
    def has_rumours(self) -> bool:
        """Whether any machine is called failed now that is not."""
        return any(self._clock.now_s() < until_s for until_s in self._rumours.values())

    def agreed(self) -> Mapping[str, Reach]:
        """Return what the servers say together, by the real rules."""
        if self._agreed is None:
            self._agreed = self._agree()
        return self._agreed

    def _agree(self) -> Mapping[str, Reach]:
        views = [self._view(server) for server in self.servers.values() if server.answers]
        return agree(views, len(self.servers))

    def _view(self, server: SimServer) -> ServerView:
        blind_s = self._blind_s(server)
        members = {name: self._state(name, blind_s=blind_s) for name in self._seen}
        alone = len(self.servers) == 1
        seen_servers = 1 if blind_s >= SERVER_LOST_S else self._servers_seen_by(server)
        return ServerView(
            server=server.name,
            network=self.network,
            members=members,
            health_score=next((score for s, score in BLIND_SCORES if blind_s >= s), 0),
            known_leader=alone or blind_s < LEADER_LOST_S,
            last_contact_ms=0 if alone else int(1000 * blind_s),
            servers_alive=seen_servers,
            servers_total=len(self.servers),
            agents_alive=sum(state is MemberState.ALIVE for state in members.values()),
        )

    def _state(self, machine: str, *, blind_s: float) -> MemberState:
        if blind_s >= FALSE_CLAIMS_S:
            return MemberState.FAILED
        if blind_s > 0:
            return MemberState.ALIVE
        if self._clock.now_s() < self._rumours.get(machine, float("-inf")):
            return MemberState.FAILED
        return STATES[self._seen[machine]]

    def _servers_seen_by(self, server: SimServer) -> int:
        others = [other for other in self.servers.values() if other is not server]
        return 1 + sum(o.answers and self._blind_s(o) < SERVER_LOST_S for o in others)

    def _blind_s(self, server: SimServer) -> float:
        """Return for how long it has been cut off; 0 if it is not."""
        if server.blind_since_s is None:
            return 0.0
        return self._clock.now_s() - server.blind_since_s


class SimObserver:
    """Implements ``ports.Observer`` over the networks that are declared."""

    def __init__(self, networks: Sequence[SimNetwork], *, process: Process | None = None) -> None:
        """Make ready; *process* is who observes, and may be cut off."""
        self._networks = networks
        self._process = process

    def observe(self) -> Mapping[str, Mapping[Network, Reach]]:
        """Return host -> network -> reach, as the servers agree."""
        if self._process is not None and self._process.cut_off:
            return {}
        reach: dict[str, dict[Network, Reach]] = {}
        for network in self._networks:
            for host, seen in network.agreed().items():
                reach.setdefault(host, {})[network.network] = seen
        return reach
