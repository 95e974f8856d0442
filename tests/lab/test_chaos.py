# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What breaks in the middle of a recovery, with guests: each of them writes in one place."""

import pytest

from lab.stories import breakage

SLICE = (("mariadb", "proof"), ("rabbitmq", "verdict"))
"""Of the table that `test_every_step` plays without guests; with them it would take hours."""

pytestmark = [pytest.mark.chaos, pytest.mark.usefixtures("lab")]


@pytest.mark.parametrize(("component", "step"), SLICE)
def test_a_component_dies(hurry, play, component, step):
    play(breakage.killed_at, component=component, step=step)


def test_a_guest_of_which_nova_knows_nothing_gets_no_twin(play):
    play(breakage.left_behind)
