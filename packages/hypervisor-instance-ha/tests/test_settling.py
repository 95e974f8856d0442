# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""nova-compute is started again while Nova keeps records that one start did not settle."""

from __future__ import annotations

import dataclasses

import pytest

from hypervisor_instance_ha.errors import CloudUnreachableError
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.guard import Standing
from hypervisor_instance_ha.guarding import Surroundings
from hypervisor_instance_ha.settling import MOST, SETTLE_S, Settling

NOVA = "nova-compute.service"
LOST = Standing(
    enrolled=True, notification="finished", forced_down=True, evacuating=0, servers=0, unsettled=2
)
LOOK_S = 10.0


class Returned:
    """A host that was lost, and whose nova-compute settles one record at each start."""

    def __init__(self, path, systemd) -> None:
        self.systemd = systemd
        self.standing: Standing | Exception = LOST
        self.settles = True
        self._started = 0
        self.path = path
        self.now_s = 1000.0
        systemd.add(NOVA)
        around = Surroundings(
            standing=self._standing, connect=None, guests_run=lambda: False, units=[NOVA]
        )
        self.settling = Settling(around, report=Report(path))

    @property
    def restarts(self) -> int:
        return self.systemd.said.count(("restart", "--no-block", NOVA))

    def _standing(self):
        if isinstance(self.standing, Exception):
            raise self.standing
        started = 1 + self.restarts
        if self.settles and self.now_s >= 1000.0 + 2 * LOOK_S:
            left = max(0, self.standing.unsettled - (started - self._started))
            self._started = started
            self.standing = dataclasses.replace(self.standing, unsettled=left)
        return self.standing

    def work(self, *, for_s: float = 1000.0) -> bool:
        """Look until nothing is left; return whether it came to that."""
        end_s = self.now_s + for_s
        while self.now_s < end_s:
            if self.settling.step(self.now_s):
                return True
            self.now_s += LOOK_S
        return False


@pytest.fixture
def returned(tmp_path, systemd):
    return Returned(tmp_path / "guard.json", systemd)


@pytest.mark.parametrize(("records", "restarts"), [(0, 0), (1, 0), (2, 1), (3, 2)])
def test_as_often_as_there_are_records_of_one_server(returned, records, restarts):
    returned.standing = dataclasses.replace(LOST, unsettled=records)

    assert returned.work()
    assert returned.restarts == restarts


def test_a_start_is_given_time_to_settle(returned):
    returned.settles = False

    assert not returned.work(for_s=SETTLE_S)
    assert returned.restarts == 0


def test_progress_is_waited_for_anew(returned):
    returned.settles = False
    returned.standing = dataclasses.replace(LOST, unsettled=9)
    for _ in range(8):
        assert not returned.work(for_s=SETTLE_S - LOOK_S)
        left = returned.standing.unsettled - 1
        returned.standing = dataclasses.replace(LOST, unsettled=left)

    assert returned.restarts == 0


def test_starts_that_settle_nothing_come_to_an_end_and_are_told_of(returned):
    returned.settles = False

    assert returned.work()
    assert returned.restarts == MOST
    assert "Nova keeps 2 records" in returned.path.read_text()


def test_a_host_that_nova_took_back_is_left_alone(returned):
    returned.settles = False
    returned.work(for_s=SETTLE_S)
    returned.standing = dataclasses.replace(LOST, forced_down=False, unsettled=0)

    assert returned.work()
    assert returned.restarts == 0


def test_a_nova_that_does_not_run_is_nobodys_to_start(returned):
    returned.settles = False
    returned.systemd.add(NOVA, active="failed")

    assert not returned.work()
    assert returned.restarts == 0


def test_nobody_who_answers_is_no_reason_to_start_anything(returned):
    returned.standing = CloudUnreachableError("nova did not answer; see its log")

    assert not returned.work()
    assert returned.restarts == 0
