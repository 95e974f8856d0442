# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""For how long nobody acts when, of two controllers on one database, the one that acts is lost."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import random
import signal
import time
import types

import pytest
import sqlalchemy as sa

from instance_ha.controller import Controller
from instance_ha.matrix import default_matrix
from instance_ha.model import Network
from instance_ha.policy import Policy
from masakari_instance_ha import schema, store
from masakari_instance_ha.clock import SystemClock

ROUNDS = 3
GOAL_S = 10.0
PATIENCE_S = 120.0
NETWORKS = tuple(Network)
NAMES = ("masakari-0", "masakari-1")

pytestmark = pytest.mark.bench


def control(url: str, name: str) -> None:
    """Be a controller with its default options, of a cloud in which nothing happens."""
    kept = store.connect(url)
    Controller(
        clock=SystemClock(),
        observer=types.SimpleNamespace(observe=dict),
        cloud=types.SimpleNamespace(),  # nobody is lost, so it is asked nothing
        journal=kept,
        lease=kept.lease("controller", holder=name),
        policy=Policy(networks=NETWORKS, matrix=default_matrix(NETWORKS)),
        actor=name,
    ).run(lambda: False)


class Pair:
    """Two controllers, each a process of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._engine = sa.create_engine(url)
        self.processes = {name: self.start(name) for name in NAMES}

    def start(self, name: str) -> multiprocessing.Process:
        made = multiprocessing.Process(target=control, args=(self._url, name), daemon=True)
        made.start()
        return made

    def acting(self, *, other_than: str = "") -> str:
        """Wait until somebody (else) has the lease, and return who."""
        until_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < until_s:
            with self._engine.connect() as connection:
                holder = connection.execute(sa.select(schema.leases.c.holder)).scalar()
            if holder and holder != other_than:
                return holder
            time.sleep(0.02)
        raise AssertionError(f"nobody but {other_than or 'nobody'} acts")

    def lose(self, how: signal.Signals) -> float:
        """Lose the one that acts, and return after how many seconds the other one acts."""
        lost = self.acting()
        time.sleep(random.uniform(0.0, 2.0))
        os.kill(self.processes[lost].pid, how)
        began_s = time.monotonic()
        self.acting(other_than=lost)
        took_s = time.monotonic() - began_s
        if how is signal.SIGSTOP:
            os.kill(self.processes[lost].pid, signal.SIGCONT)
        else:
            self.processes[lost].join()
            self.processes[lost] = self.start(lost)
        time.sleep(2.0)
        return took_s


def test_another_one_acts(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    url = f"sqlite:///{tmp_path}/store.sqlite"
    store.migrate(url)
    pair = Pair(url)
    ways = (signal.SIGSTOP, signal.SIGKILL)
    try:
        took_s = {how: [pair.lose(how) for _ in range(ROUNDS)] for how in ways}
    finally:
        for process in pair.processes.values():
            process.kill()

    with capsys.disabled():
        for how, found in took_s.items():
            longest = max(found)
            verdict = "reached" if longest <= GOAL_S else "missed"
            print(  # noqa: T201
                f"\nfail-over  {how.name}, {ROUNDS} times: {min(found):.1f} to {longest:.1f} s, "
                f"goal <= {GOAL_S:g} s: {verdict}"
            )
