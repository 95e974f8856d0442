# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha import before
from instance_ha.model import ComputeService, Event
from instance_ha.past import Past, recall

FLOWS = "Masakari detected host failed."


def disabled(reason: str) -> ComputeService:
    return ComputeService(up=False, enabled=False, forced_down=False, disabled_reason=reason)


@pytest.mark.parametrize(
    ("service", "reserved", "past"),
    [
        pytest.param(
            disabled("disk swap"), False, Past(disabled_before="disk swap"), id="a person's"
        ),
        pytest.param(disabled(""), False, Past(disabled_before=""), id="a person's, unexplained"),
        pytest.param(
            disabled("instance-ha: reserved host"), True, Past(reserved_before=True), id="reserve"
        ),
        pytest.param(
            disabled("spare"),
            True,
            Past(reserved_before=True, disabled_before="spare"),
            id="a person's reserve",
        ),
        pytest.param(None, True, Past(reserved_before=True), id="a reserve without a service"),
    ],
)
def test_what_is_written_down_is_read_back(service, reserved, past):
    told = before.tell(service, reserved=reserved, flow_reason=FLOWS)

    assert told is not None
    assert told.text
    event = Event(at_s=1.0, actor="me", kind=before.KIND, text=told.text, detail=told.detail)
    assert recall([event]) == past


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(None, id="unknown to nova"),
        pytest.param(ComputeService(up=False, enabled=True, forced_down=False), id="at work"),
        pytest.param(disabled(FLOWS), id="disabled by masakari's flow"),
        pytest.param(disabled("instance-ha: about to be enabled"), id="disabled by us"),
    ],
)
def test_of_an_ordinary_host_nothing_is_kept(service):
    assert before.tell(service, reserved=False, flow_reason=FLOWS) is None
