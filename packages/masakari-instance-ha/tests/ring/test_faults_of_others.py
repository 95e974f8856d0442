# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What masakari-hostmonitor's own Pacemaker driver gets wrong, one test for each."""

from __future__ import annotations


def test_a_remote_that_was_fenced_is_told_of_once(cloud):
    """Its driver with IPMI checks on, the default, ends in a TypeError and tells nothing."""
    cloud.lose("h1")

    cloud.play(60)

    assert cloud.told() == ["h1"]


def test_remotes_are_watched_and_members_are_not(cloud):
    """Its driver without restrict_to_remotes, the default, finds a remote's status to be None."""
    cloud.ring.lost_members.add("c3")
    cloud.lose("h1")

    cloud.play(60)

    assert cloud.told() == ["h1"]


def test_nothing_is_told_before_the_fencing_is_confirmed(cloud):
    """Its driver tells of a host that is offline, though MAAS hangs and the host still writes."""
    cloud.lose("h1", fenced=False)

    cloud.play(120)

    assert cloud.told() == []
    assert "nobody has confirmed that it is off" in cloud.incident("h1").reason

    cloud.ring.confirm("h1")
    cloud.play(5)

    assert cloud.told() == ["h1"]


def test_a_remote_that_is_called_online_while_pacemaker_tries_to_reach_it_is_told_of_once(cloud):
    """Its driver sent STOPPED, STARTED, STOPPED, STARTED, STOPPED, STARTED for one dead host."""
    cloud.lose("h1")
    for second in range(60):
        cloud.ring.remotes["h1"].online = second % 10 > 5
        cloud.play(1)

    assert cloud.told() == ["h1"]


def test_one_member_speaks_for_all(cloud):
    """Its driver sends from every node that runs it."""
    cloud.lose("h1")

    cloud.play(60)

    assert cloud.told() == ["h1"]
    assert cloud.journals["c2"].unclosed() == {}
    assert cloud.journals["c3"].unclosed() == {}


def test_three_tools_of_pacemaker_are_all_that_it_needs(cloud):
    """Its driver needs tcpdump, timeout, crmadmin, systemctl and Corosync's interfaces as well."""
    cloud.play(3)

    assert cloud.ring.asked == {"crm_mon", "cibadmin", "crm_node"}
