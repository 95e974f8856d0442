# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Evacuate h1 of the played Nova, and look at what became of it."""

from __future__ import annotations

from typing import Any

import pytest

from instance_ha.order import Place
from masakari_instance_ha.evacuation import EndsAs, Move
from masakari_instance_ha.evacuator import Evacuator, Limits
from masakari_instance_ha.nova import Nova


class Report:
    """Remembers what it hears, and may be told to end the work."""

    def __init__(self) -> None:
        self.ordered_servers: list[str] = []
        self.ended_servers: list[str] = []
        self.passes_left = 10_000

    def ordered(self, move: Move) -> None:
        self.ordered_servers.append(move.server)

    def ended(self, move: Move) -> None:
        self.ended_servers.append(move.server)

    def going_on(self) -> None:
        self.passes_left -= 1
        if self.passes_left < 0:
            raise InterruptedError


@pytest.fixture
def report() -> Report:
    return Report()


@pytest.fixture
def evacuate(cloud, clock, report):
    """Evacuate h1, and return server -> its move."""
    cloud.hosts["h1"].forced_down = True

    def run(
        *,
        target: str | None = None,
        at_once: int = 10,
        stagger_s: float = 0.0,
        ends_as=None,
        places=None,
        asks: bool = False,
    ) -> dict[str, Move]:
        nova = Nova(None)
        ends_as = ends_as or {}
        moves = [
            Move(
                server=s.uuid,
                name=s.name,
                ends_as=ends_as.get(s.uuid) or EndsAs.of(s),
                place=(places or {}).get(s.uuid, Place()),
                asks=asks,
            )
            for s in map(nova.server, sorted(cloud.known))
            if s is not None
        ]
        Evacuator(
            nova=nova, clock=clock, source="h1", target=target, report=report,
            limits=Limits(
                at_once=at_once, tries=3, poll_s=1, pause_s=5, untouched_s=90, deadline_s=600,
                stagger_s=stagger_s,
            ),
        ).run(moves)  # fmt: skip
        return {move.server: move for move in moves}

    return run


def outcomes(moves: dict[str, Move]) -> dict[str, Any]:
    return {server: move.outcome for server, move in moves.items()}


def states(cloud) -> dict[str, tuple[str, str]]:
    return {server.id: (server.host, server.vm_state) for server in cloud.known.values()}
