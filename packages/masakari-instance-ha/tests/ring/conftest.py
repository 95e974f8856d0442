# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A ring that answers as Pacemaker's tools do, and controllers on its members."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from instance_ha.debounce import Patience
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.pacemaker import PacemakerAnswerError
from instance_ha.policy import Policy
from instance_ha.simulation.memory import MemoryJournal
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan
from masakari_instance_ha.ring import monitor
from masakari_instance_ha.ring.watch import RingWatch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from instance_ha.model import Host

MEMBERS = ("c1", "c2", "c3")
REMOTES = ("h1", "h2", "h3")


@dataclass
class Remote:
    """What the ring knows of one remote."""

    joined: bool = True
    online: bool = True
    unclean: bool = False
    fenced_at_s: int = 0
    history: str = ""


class Pacemaker:
    """The tools of a ring, as each of its members runs them."""

    def __init__(self, clock) -> None:
        self.clock = clock
        self.dc = "c1"
        self.quorate = True
        self.remotes = {name: Remote() for name in REMOTES}
        self.lost_members: set[str] = set()
        self.asked: set[str] = set()
        self.hangs = False

    def on(self, member):
        """Return how *member* asks."""

        def ask(argv):
            self.asked.add(argv[0])
            if self.hangs:
                raise PacemakerAnswerError("it hangs")
            return {"crm_node": member, "crm_mon": self._shown(), "cibadmin": self._kept()}[
                argv[0]
            ]

        return ask

    def lose(self, name, *, fenced=True):
        """Have the ring lose a remote, and confirm at once that it is off or never."""
        remote = self.remotes[name]
        remote.joined, remote.online, remote.unclean = False, False, not fenced
        if fenced:
            self.confirm(name)

    def confirm(self, name):
        """Have the fencing of a remote succeed now."""
        remote, now_s = self.remotes[name], int(self.clock.now_s())
        remote.unclean, remote.fenced_at_s = False, now_s
        at = datetime.datetime.fromtimestamp(now_s, tz=datetime.UTC)
        remote.history = (
            f'<fence_event action="off" target="{name}" status="success" delegate="c2" '
            f'completed="{at:%Y-%m-%d %H:%M:%SZ}"/>'
        )

    def rejoin(self, name):
        """Have a remote come back."""
        history = self.remotes[name].history
        self.remotes[name] = Remote(history=history)

    def _shown(self):
        members = "".join(
            f'<node name="{m}" online="{_word(m not in self.lost_members)}" type="member"/>'
            for m in MEMBERS
        )
        remotes = "".join(
            f'<node name="{name}" online="{_word(r.online)}" unclean="{_word(r.unclean)}" '
            'type="remote"/>'
            for name, r in self.remotes.items()
        )
        history = "".join(r.history for r in self.remotes.values())
        return (
            f'<pacemaker-result><summary><current_dc present="true" name="{self.dc}" '
            f'with_quorum="{_word(self.quorate)}"/></summary><nodes>{members}{remotes}</nodes>'
            f"<fence_history>{history}</fence_history></pacemaker-result>"
        )

    def _kept(self):
        remotes = "".join(
            f'<node_state remote_node="true" uname="{name}" in_ccm="{_word(r.joined)}" '
            f'node_fenced="{r.fenced_at_s}"/>'
            for name, r in self.remotes.items()
        )
        members = "".join(
            f'<node_state uname="{m}" in_ccm="{_word(m not in self.lost_members)}" crmd="online"/>'
            for m in MEMBERS
        )
        quorum = "1" if self.quorate else "0"
        return f'<cib have-quorum="{quorum}"><status>{members}{remotes}</status></cib>'


def _word(value: bool) -> str:
    return "true" if value else "false"


class Cloud:
    """A ring and a Masakari: each member has a controller with a store of its own."""

    def __init__(self, *, engines=()) -> None:
        hosts = (
            *(HostPlan(name=name, servers=(f"web-{name}",)) for name in REMOTES),
            *(HostPlan(name=name) for name in MEMBERS),
        )
        plan = WorldPlan(
            hosts=hosts, networks=(Network.MANAGEMENT,), controllers=(), engines=engines
        )
        self.world = SimWorld(plan)
        self.world.clock.sleep(1000.0)  # Pacemaker's 0 means never
        self.ring = Pacemaker(self.world.clock)
        self.watches = {m: self._watch(m) for m in MEMBERS}
        self.journals = {m: MemoryJournal() for m in MEMBERS}
        self.controllers = {m: self._controller(m) for m in MEMBERS}
        self.sent: list[tuple[float, str]] = []
        self._notify = self.world.masakari.notify
        self.world.masakari.notify = self._count

    def play(self, seconds: int) -> None:
        """Let time pass, in which every member reads the ring and its controller ticks."""
        for _ in range(seconds):
            for member in MEMBERS:
                if member not in self.ring.lost_members:
                    self.watches[member].read()
                    self.controllers[member].tick()
            self.world.advance()
            self.world.advance()

    def told(self) -> list[str]:
        """Return the hosts that Masakari was told of, as often as it was."""
        return [host for _, host in self.sent]

    def return_of(self, name: str) -> None:
        """Have a hypervisor boot and become a remote again."""
        self.world.machines[name].power_on()
        self.ring.rejoin(name)

    def decide(self, member: str, *, lost: Iterable[str] = ()) -> None:
        """Have *member* decide from now on, with those members lost and no others."""
        self.ring.dc, self.ring.lost_members = member, set(lost)

    def host(self, name: str) -> Host:
        """Return a hypervisor as Masakari and Nova have it."""
        (found,) = [host for host in self.world.masakari.hosts() if host.name == name]
        return found

    def lose(self, name: str, *, fenced: bool = True) -> None:
        """Have a hypervisor die."""
        self.world.machines[name].power_off()
        self.ring.lose(name, fenced=fenced)

    def incident(self, name: str):
        """Return what the member that decides keeps of a host."""
        return self.journals[self.ring.dc].unclosed().get(name)

    def _count(self, host, *, at_s):
        made = self._notify(host, at_s=at_s)
        self.sent.append((at_s, host))
        return made

    def _watch(self, member):
        return RingWatch(ask=self.ring.on(member), monotonic_s=self.world.clock.now_s)

    def _controller(self, member):
        networks = (Network.MANAGEMENT,)
        return monitor.controller(
            self.watches[member],
            clock=self.world.clock,
            cloud=self.world.masakari,
            journal=self.journals[member],
            policy=Policy(
                networks=networks,
                matrix=default_matrix(networks),
                patience=Patience(hold_s=3.0, samples=3),
                return_after_s=5.0,
                orphan_after_s=float("inf"),
            ),
            actor=f"controller@{member}",
        )


@pytest.fixture
def cloud():
    return Cloud()


@pytest.fixture
def recovering():
    """A cloud whose engine works."""
    return Cloud(engines=("engine",))
