# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where a ring fences, nobody is told of a loss before the ring has confirmed it."""

from __future__ import annotations

import dataclasses

import pytest

from instance_ha import guards
from instance_ha.controller import Controller
from instance_ha.errors import NotificationRefusedError
from instance_ha.model import ComputeService, FenceProof
from instance_ha.simulation.gossip import SimObserver
from instance_ha.simulation.memory import LeaseRow, MemoryLease
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan
from instance_ha.survey import Survey

OFF_S = 1000.0
PROOF = FenceProof(
    host="h1",
    method="pacemaker",
    target="h1",
    answer="off",
    ordered_at_s=OFF_S,
    confirmed_at_s=OFF_S,
    by="c1 for c2",
)


def service(*, up=True, heard_s: float | None = OFF_S - 5.0) -> ComputeService:
    return ComputeService(up=up, enabled=True, forced_down=False, updated_at_s=heard_s)


@pytest.mark.parametrize(
    ("proofs", "nova", "words"),
    [
        pytest.param(None, service(), None, id="the recovery demands the proof itself"),
        pytest.param({}, service(up=False), "confirmed that it is off", id="nothing is confirmed"),
        pytest.param({"h1": PROOF}, service(), None, id="off, and nova has not noticed yet"),
        pytest.param({"h1": PROOF}, service(up=False), None, id="off, and nova knows"),
        pytest.param({"h1": PROOF}, None, None, id="off, and nova has no such service"),
        pytest.param(
            {"h1": PROOF}, service(heard_s=OFF_S + 15.0), None, id="a report that was under way"
        ),
        pytest.param({"h1": PROOF}, service(heard_s=None), None, id="nova never heard of it"),
        pytest.param(
            {"h1": PROOF}, service(heard_s=OFF_S + 16.0), "it runs", id="it reported since"
        ),
        pytest.param(
            {"h1": PROOF}, service(up=False, heard_s=OFF_S + 16.0), None, id="somebody disabled it"
        ),
    ],
)
def test_who_is_not_proven_off_is_held(ordinary, proofs, nova, words):
    survey = Survey(
        now_s=1010.0,
        verdicts={"h1": ordinary.verdict(states="down down down")},
        hosts={"h1": ordinary.host(service=nova)},
        notifications={},
        incidents={},
        proofs=proofs,
    )
    mass = guards.weigh(survey, mass_window_s=60.0)

    held = guards.hold(survey, host=survey.hosts["h1"], mass=mass, policy=ordinary.policy)

    if words is None:
        assert held is None
    else:
        assert held.guard == "proof"
        assert words in held.reason


class Fencing:
    """A ring that confirms when the test says so."""

    def __init__(self) -> None:
        self.confirmed: dict[str, FenceProof] = {}

    def proofs(self):
        return self.confirmed


def refuse(host, *, at_s):
    raise NotificationRefusedError(host, "not now")


def test_it_waits_for_the_proof_and_writes_it_down_once(ordinary, monkeypatch):
    hosts = tuple(HostPlan(name=f"h{k}", servers=(f"web-{k}",)) for k in (1, 2, 3))
    world, ring = SimWorld(WorldPlan(hosts=hosts, controllers=(), engines=())), Fencing()
    controller = Controller(
        clock=world.clock,
        observer=SimObserver(tuple(world.networks.values())),
        cloud=world.masakari,
        journal=world.journal,
        lease=MemoryLease(LeaseRow(), holder="me", clock=world.clock),
        policy=dataclasses.replace(ordinary.policy, renotify_after_s=5.0),
        actor="controller@me",
        proofs=ring,
    )

    def play(seconds: int) -> None:
        for _ in range(seconds):
            controller.tick()
            world.advance()
            world.advance()

    world.machines["h1"].power_off()
    play(30)
    assert not world.masakari.notifications()
    assert world.journal.unclosed()["h1"].reason.startswith("held by proof")

    ring.confirmed["h1"] = dataclasses.replace(PROOF, confirmed_at_s=world.clock.now_s())
    monkeypatch.setattr(world.masakari, "notify", refuse)
    play(3)
    monkeypatch.undo()
    play(3)

    incident = world.journal.unclosed()["h1"]
    told = [event.text for event in world.journal.events(incident) if event.kind == "proof"]
    assert incident.notification == world.masakari.notifications()["h1"].uuid
    assert told == ["off, confirmed by pacemaker: c1 for c2"]
