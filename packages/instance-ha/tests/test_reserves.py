# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.model import ComputeService, Host, Segment
from instance_ha.reserves import NO_RESERVE, UNFIT_RESERVE, shortages
from instance_ha.survey import Survey

UP = ComputeService(up=True, enabled=False, forced_down=False)
DOWN = ComputeService(up=False, enabled=False, forced_down=False)


def found(*hosts: Host) -> list[tuple[str, str]]:
    survey = Survey(
        now_s=0.0,
        verdicts={},
        hosts={h.name: h for h in hosts},
        notifications={},
        incidents={},
    )
    return [(finding.kind, finding.about) for finding in shortages(survey)]


def host(name: str, method: str, **fields) -> Host:
    segment = Segment(uuid=f"s-{method}", name=f"s-{method}", recovery_method=method)
    return Host(name=name, uuid=name, segment=segment, **{"service": UP, **fields})


def test_a_pool_with_a_ready_reserve_is_no_finding():
    assert found(host("h1", "reserved_host"), host("h2", "reserved_host", reserved=True)) == []


def test_a_segment_that_uses_none_needs_none():
    assert found(host("h1", "auto"), host("h2", "auto", reserved=True, service=DOWN)) == []


@pytest.mark.parametrize("method", ["reserved_host", "rh_priority", "auto_priority"])
def test_an_empty_pool_is_found(method):
    assert found(host("h1", method)) == [(NO_RESERVE, f"s-{method}")]


@pytest.mark.parametrize(
    "unfit", [{"service": DOWN}, {"service": None}, {"on_maintenance": True}], ids=str
)
def test_a_reserve_that_could_not_take_over_makes_the_pool_smaller(unfit):
    spare = host("h3", "rh_priority", reserved=True)
    broken = host("h2", "rh_priority", reserved=True, **unfit)

    assert found(spare, broken) == [(UNFIT_RESERVE, "h2")]
    assert found(broken) == [(UNFIT_RESERVE, "h2"), (NO_RESERVE, "s-rh_priority")]
