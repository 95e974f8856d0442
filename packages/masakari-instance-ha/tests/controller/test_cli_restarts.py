# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import dataclasses

import pytest

from instance_ha.restarts import Remedy, Restart

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")

DIED = Restart(
    server="s1",
    name="web",
    host="h1",
    notification="n1",
    at_s=1_795_000_000.0,
    remedy=Remedy.RESTART,
    outcome="runs again on h1",
)


def test_restarts_are_told_newest_first_of_all_or_of_one_server(ask, journal):
    assert ask("restart", "list") == []
    journal.restarts.add(DIED)
    journal.restarts.add(dataclasses.replace(DIED, server="s2", name="db", remedy=Remedy.MOVE))

    listed = ask("restart", "list")

    assert [(one["name"], one["remedy"]) for one in listed] == [("db", "move"), ("web", "restart")]
    assert [one["name"] for one in ask("restart", "list", "--server", "s1")] == ["web"]
    assert len(ask("restart", "list", "--limit", "1")) == 1
