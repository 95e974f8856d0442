# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import dataclasses

import pytest

from instance_ha.model import NotificationStatus
from instance_ha.pulse import Pulse


@pytest.mark.parametrize("ahead_s", [-3600.0, 0.0, 3600.0])
def test_a_sign_of_life_counts_from_when_it_was_seen(ordinary, ahead_s: float):
    """However far the engine's clock, or Masakari's, is ahead of ours."""
    pulse, running = Pulse(), ordinary.notification(NotificationStatus.RUNNING)
    seen = [
        pulse.last_s(running, last_beat_s=beat_s + ahead_s, now_s=now_s)
        for now_s, beat_s in ((10.0, 8.0), (12.0, 8.0), (14.0, 13.0), (40.0, 13.0))
    ]

    assert seen == [10.0, 10.0, 14.0, 14.0]


def test_an_engine_that_never_beat_counts_from_the_first_look(ordinary):
    pulse, running = Pulse(), ordinary.notification(NotificationStatus.RUNNING)

    assert pulse.last_s(running, last_beat_s=None, now_s=10.0) == 10.0
    assert pulse.last_s(running, last_beat_s=None, now_s=50.0) == 10.0


def test_a_newer_notification_of_the_host_counts_anew(ordinary):
    pulse, running = Pulse(), ordinary.notification(NotificationStatus.RUNNING)
    newer = dataclasses.replace(running, uuid="another")

    pulse.last_s(running, last_beat_s=8.0, now_s=10.0)

    assert pulse.last_s(newer, last_beat_s=8.0, now_s=50.0) == 50.0
    assert pulse.last_s(newer, last_beat_s=8.0, now_s=60.0) == 50.0
