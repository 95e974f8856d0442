# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The commands of every day, and a node in maintenance."""

import pytest
from harness import MAINTENANCE


def test_the_daily_commands_are_there_only_while_enabled(sunbeam):
    assert sunbeam("instance-recovery", "status").exit_code == 2
    sunbeam.enable()
    done = sunbeam("instance-recovery", "status")
    assert done.exit_code == 0, done.output
    assert "h1.maas  segment segment  protected  fence ok" in done.output
    assert "ready: every hypervisor is protected" in done.output


def test_status_ends_with_1_where_a_hypervisor_is_not_protected(sunbeam, cloud):
    sunbeam.enable()
    cloud.hosts["segment"]["h2.maas"] = False
    done = sunbeam("instance-recovery", "status")
    assert done.exit_code == 1
    assert "  * h2.maas: it has no fence" in done.output


def test_pause_and_resume(sunbeam, cloud):
    sunbeam.enable()
    done = sunbeam(
        "instance-recovery", "pause", "--node", "h1", "--reason", "disks", "--for", "2h"
    )
    assert done.output == "h1 is not recovered for 2h\n"
    assert cloud.pauses[0]["name"] == "h1.maas"
    assert sunbeam("instance-recovery", "resume", "--node", "h1").exit_code == 0
    assert cloud.pauses == []


def test_a_node_that_is_none_is_a_sentence(sunbeam):
    sunbeam.enable()
    done = sunbeam("instance-recovery", "pause", "--node", "h9", "--reason", "x")
    assert done.exit_code == 1
    assert "h9 is in no segment" in done.output
    killed = sunbeam("instance-recovery", "drill", "--server", "s", "--node", "h9")
    assert "there are: h1, h2" in killed.output


def test_a_drill_switches_nothing_unless_a_server_is_named(sunbeam, cloud):
    sunbeam.enable()
    told = sunbeam("instance-recovery", "drill")
    assert "h1.maas: fenced, then its machines start elsewhere" in told.output
    assert cloud.drills == []
    killed = sunbeam("instance-recovery", "drill", "--server", "test-1", "--node", "h2")
    assert killed.exit_code == 0, killed.output
    assert cloud.drills == [("2", {"server": "test-1", "confirm": True})]


@pytest.fixture
def maintained(monkeypatch):
    """Sunbeam's maintenance: what it was told, and whether it works."""
    told = []

    def callback(*args, node, dry_run, **rest):
        told.append((node, dry_run))
        if node == "h2":
            raise RuntimeError("migration failed")

    for command in (MAINTENANCE.enable, MAINTENANCE.disable):
        monkeypatch.setattr(command, "callback", callback)
    return told


def test_maintenance_of_a_node_pauses_it_until_it_is_back(sunbeam, cloud, maintained):
    sunbeam.enable()
    assert sunbeam("maintenance", "enable", "h1").exit_code == 0
    assert [pause["name"] for pause in cloud.pauses] == ["h1.maas"]
    assert sunbeam("maintenance", "disable", "h1").exit_code == 0
    assert cloud.pauses == []
    assert maintained == [("h1", False), ("h1", False)]


def test_maintenance_that_fails_leaves_no_pause(sunbeam, cloud, maintained):
    sunbeam.enable()
    assert isinstance(sunbeam("maintenance", "enable", "h2").exception, RuntimeError)
    assert cloud.pauses == []


def test_a_dry_run_of_maintenance_pauses_nothing(sunbeam, cloud, maintained):
    sunbeam.enable()
    sunbeam("maintenance", "enable", "h1", "--dry-run")
    assert "pause-recovery" not in cloud.verbs


def test_maintenance_is_sunbeams_alone_while_not_enabled(sunbeam, cloud, maintained):
    sunbeam("maintenance", "enable", "h1")
    assert cloud.verbs == []
    assert maintained == [("h1", False)]
