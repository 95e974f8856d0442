# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.model import Event, IncidentState
from masakari_instance_ha.cli import moving

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def hurry(monkeypatch):
    monkeypatch.setattr(moving, "LOOK_S", 0.01)


@pytest.fixture
def incident(journal, openstack_cloud):
    """A closed incident of h1, which put three servers on h2; each of them runs there."""
    made = journal.open("h1", segment="seg1", at_s=1.0, reason="storage down")
    openstack_cloud.enrol("h1", "h2")
    for name in ("a", "b", "c"):
        journal.record(
            made,
            Event(
                at_s=2.0,
                actor="engine",
                kind="active",
                text=f"{name} is active on h2",
                detail={"server": f"uuid-{name}", "destination": "h2"},
            ),
        )
        openstack_cloud.servers.append(
            {
                "id": f"uuid-{name}",
                "name": name,
                "host": "h2",
                "OS-EXT-SRV-ATTR:host": "h2",
                "OS-EXT-STS:vm_state": "active",
                "OS-EXT-STS:task_state": None,
            }
        )
    return journal.move(made, IncidentState.CLOSED, at_s=3.0)


def test_what_an_incident_took_is_moved_back(ask, incident, openstack_cloud):
    openstack_cloud.servers[1]["OS-EXT-SRV-ATTR:host"] = "h3"
    del openstack_cloud.servers[2]

    rows = ask("move-back", "h1")

    assert rows == [
        {"server": "a", "from": "h2", "result": "moved"},
        {
            "server": "b",
            "from": "",
            "result": "stays: it was put on h2 and is on h3: somebody moved it",
        },
        {"server": "uuid-c", "from": "", "result": "stays: it was deleted"},
    ]
    assert openstack_cloud.servers[0]["host"] == "h1"


def test_a_dry_run_moves_nobody(ask, incident, openstack_cloud):
    rows = ask("move-back", "h1", "--dry-run")

    assert [row["result"] for row in rows] == ["would be moved"] * 3
    assert openstack_cloud.written() == []


@pytest.mark.parametrize(("at_once", "most"), [("1", 1), ("2", 2)])
def test_only_a_few_are_moved_at_once(ask, incident, openstack_cloud, monkeypatch, at_once, most):
    seen = []

    def begin(server, **_):
        for known in openstack_cloud.servers:
            if known["id"] == server:
                known["OS-EXT-STS:task_state"] = "migrating"
        under_way = [s for s in openstack_cloud.servers if s["OS-EXT-STS:task_state"]]
        seen.append(len(under_way))
        if len(under_way) == most:
            for known in under_way:
                known |= {"OS-EXT-STS:task_state": None, "OS-EXT-SRV-ATTR:host": "h1"}

    monkeypatch.setattr(openstack_cloud, "live_migrate", begin)
    monkeypatch.setattr(moving, "PATIENCE_S", 0.5)

    ask("move-back", "h1", "--at-once", at_once)

    assert max(seen) == most


def test_a_move_that_nova_gives_up_is_begun_once_more(ask, incident, openstack_cloud, monkeypatch):
    begin, begun = openstack_cloud.live_migrate, []

    def give_the_first_one_up(server, **how):
        begun.append(server)
        if begun.count(server) > 1:
            begin(server, **how)

    monkeypatch.setattr(openstack_cloud, "live_migrate", give_the_first_one_up)

    assert [row["result"] for row in ask("move-back", "h1")] == ["moved"] * 3
    assert len(begun) == 6


def test_a_server_that_nova_keeps_is_told(ask, incident, openstack_cloud, monkeypatch):
    begun = []
    monkeypatch.setattr(openstack_cloud, "live_migrate", lambda server, **_: begun.append(server))
    openstack_cloud.refusals["POST", "/servers/uuid-a"] = (409, "a device cannot move")

    results = [row["result"] for row in ask("move-back", "h1")]

    assert results[0] == "stays: a device cannot move"
    assert results[1] == "stays on h2: nova gave the move up"
    assert begun.count("uuid-b") == 2


def test_nothing_is_moved_to_a_host_that_is_lost_again(run, incident, journal, openstack_cloud):
    journal.open("h1", segment="seg1", at_s=9.0, reason="storage down")

    code, _, told = run("move-back", "h1")

    assert code == 1
    assert "instance-ha incident show --host h1" in told
    assert openstack_cloud.written() == []


def test_a_host_that_nothing_was_taken_from_is_wrong_input(run, journal):
    code, _, told = run("move-back", "h1")

    assert code == 2
    assert "instance-ha incident list --host h1" in told
