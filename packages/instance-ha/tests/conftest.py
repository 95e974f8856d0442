# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest
from hypothesis import settings

from instance_ha.judge import judge
from instance_ha.matrix import default_matrix
from instance_ha.model import (
    ComputeService,
    Host,
    Incident,
    IncidentState,
    Network,
    Notification,
    NotificationStatus,
    Reach,
    Segment,
    Verdict,
)
from instance_ha.policy import Policy
from instance_ha.steps import Case

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")

ALL = tuple(Network)
POLICY = Policy(networks=ALL, matrix=default_matrix(ALL))


class Ordinary:
    """Makes the domain's things, each one ordinary but for what a test says."""

    policy = POLICY
    segment = Segment(uuid="segment-1", name="rack-1", recovery_method="auto")

    def host(self, name: str = "h1", **changes) -> Host:
        service = ComputeService(up=False, enabled=True, forced_down=False)
        host = Host(name=name, uuid=f"host-{name}", segment=self.segment, service=service)
        return dataclasses.replace(host, **changes)

    def incident(self, host: str = "h1", **changes) -> Incident:
        incident = Incident(
            id=1,
            host=host,
            segment="rack-1",
            state=IncidentState.OPEN,
            opened_at_s=1000.0,
            reason="storage down",
        )
        return dataclasses.replace(incident, **changes)

    def notification(self, status: NotificationStatus, **changes) -> Notification:
        notification = Notification(
            uuid="n-1", host="h1", status=status, generated_at_s=1000.0, updated_at_s=1001.0
        )
        return dataclasses.replace(notification, **changes)

    def verdict(self, host: str = "h1", *, states: str) -> Verdict:
        reach = dict(zip(ALL, map(Reach, states.split()), strict=True))
        return judge(host, reach=reach, matrix=POLICY.matrix)

    def case(self, *, states: str = "down down down", **changes) -> Case:
        case = Case(
            now_s=1010.0,
            incident=self.incident(),
            verdict=self.verdict(states=states),
            host=self.host(),
            notification=None,
            hold=None,
            well_since_s=None,
        )
        return dataclasses.replace(case, **changes)


@pytest.fixture(scope="session")
def ordinary() -> Ordinary:
    return Ordinary()
