# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Pauses, approvals and the preview of the guards, as an operator types them."""

from __future__ import annotations

import argparse

import pytest

from instance_ha.model import IncidentState, PauseScope
from masakari_instance_ha.cli import pauses
from masakari_instance_ha.clock import SystemClock

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")

ADA = ("--reason", "switch work", "--by", "ada")


def test_the_cloud_is_paused_and_resumed_without_any_api(ask, journal, openstack_cloud):
    made = ask("pause", *ADA, "--for", "2h")
    (kept,) = journal.rulings().pauses

    assert (kept.scope, kept.target, kept.author) == (PauseScope.CLOUD, "", "ada")
    assert kept.until_s == kept.since_s + 7200
    assert made["state"] == "in force"
    assert made["next"] == f"it ends by itself, or: instance-ha resume {kept.id}"
    assert openstack_cloud.calls == []

    (ended,) = ask("resume", "--by", "bob")

    assert ended["state"] == "ended by bob"
    assert journal.rulings().pauses == []


def test_a_segment_is_paused_by_its_uuid_as_names_change(ask, journal, openstack_cloud):
    openstack_cloud.enrol("h1")

    made = ask("pause", "--segment", "seg1", *ADA)

    (kept,) = journal.rulings().pauses
    assert (kept.target, kept.name) == (openstack_cloud.segments[0]["uuid"], "seg1")
    assert kept.until_s is None
    assert made["next"] == f"nothing ends it but: instance-ha resume {kept.id}"


def test_a_host_is_paused_beside_its_cloud_and_each_is_ended_alone(ask, journal, openstack_cloud):
    openstack_cloud.enrol("h1")
    ask("pause", *ADA)
    ask("pause", "--host", "h1", *ADA)

    ask("resume", "--host", "h1")

    assert [found.scope for found in journal.rulings().pauses] == [PauseScope.CLOUD]


def test_pauses_are_ended_by_number(ask, run, journal):
    first, second = (ask("pause", *ADA)["id"] for _ in range(2))

    ask("resume", str(first))
    code, _, told = run("resume", str(first), str(second))

    assert code == 2
    assert f"there is no pause {first} to end; see instance-ha pauses" in told
    assert [found.id for found in journal.rulings().pauses] == [second]


def test_nothing_to_resume_is_said(run, journal):
    code, _, told = run("resume")

    assert code == 2
    assert "nothing of that is paused" in told


def test_an_unknown_host_or_segment_is_not_paused(run, journal, openstack_cloud):
    openstack_cloud.enrol("h1")

    assert run("pause", "--host", "h9", *ADA)[0] == 2
    assert run("pause", "--segment", "seg9", *ADA)[0] == 2
    assert journal.rulings().pauses == []


def test_the_list_tells_what_is_in_force_and_all_that_was(ask, journal):
    now_s = SystemClock().now_s()
    given = {"target": "", "name": "", "reason": "old work", "author": "eve"}
    journal.decisions.pause(PauseScope.CLOUD, **given, at_s=now_s - 20, until_s=now_s - 10)
    ask("pause", *ADA)

    assert [row["state"] for row in ask("pauses")] == ["in force"]
    assert [row["state"] for row in ask("pauses", "--all")] == ["in force", "ran out"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("90m", 5400), ("2h", 7200), ("1d", 86400), ("1h30m", 5400)],
)
def test_times_are_read(text, seconds):
    assert pauses.duration(text) == seconds


@pytest.mark.parametrize("text", ["", "2", "2x", "h", "0m", "-2h", "2h later"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="is no time; give for example 2h"):
        pauses.duration(text)


@pytest.mark.parametrize("way", ["id", "host"])
def test_an_incident_is_approved_once(ask, journal, way):
    incident = journal.open("h1", segment="seg1", at_s=10.0, reason="storage down")
    which = (str(incident.id),) if way == "id" else ("--host", "h1")

    first = ask("incident", "approve", *which, "--reason", "plan read", "--by", "ada")
    again = ask("incident", "approve", *which, "--by", "eve")

    assert journal.rulings().approved == {incident.id}
    assert (first["approved_by"], again["approved_by"]) == ("ada", "ada")
    (event,) = journal.events(incident)
    assert (event.actor, event.kind, event.text) == ("ada", "approval", "approved: plan read")


def test_an_approval_needs_no_reason(ask, journal):
    incident = journal.open("h1", segment="seg1", at_s=10.0, reason="storage down")

    ask("incident", "approve", str(incident.id))

    (event,) = journal.events(incident)
    assert (event.actor, event.text) == ("operator@masakari", "approved")


@pytest.mark.parametrize("state", [IncidentState.RECOVERED, IncidentState.CLOSED])
def test_what_is_over_is_not_approved(run, journal, state):
    incident = journal.open("h1", segment="seg1", at_s=10.0, reason="storage down")
    journal.move(incident, state, at_s=20.0)

    code, _, told = run("incident", "approve", str(incident.id))

    assert code == 2
    assert f"incident {incident.id} is {state}, so nothing of it waits" in told


def test_which_incident_must_be_said(run, journal):
    with pytest.raises(SystemExit):
        run("incident", "approve")


def test_the_preview_tells_which_guard_would_hold_each_host(ask, journal, openstack_cloud):
    openstack_cloud.enrol("h1", "h2", "h3", "h4")
    openstack_cloud.enrol("h5", segment="seg2")
    journal.open("h1", segment="seg1", at_s=SystemClock().now_s(), reason="storage down")
    journal.open("h2", segment="seg1", at_s=SystemClock().now_s(), reason="storage down")
    ask("pause", "--host", "h5", *ADA, "--for", "2h")

    shown = {row["host"]: row for row in ask("guard", "show")}

    assert {name: row["guard"] for name, row in shown.items()} == {
        "h1": "none",
        "h2": "none",
        "h3": "failing-share",
        "h4": "failing-share",
        "h5": "pause",
    }
    assert shown["h1"]["lost"] == "incident 1, open"
    assert shown["h1"]["reason"] == "it would be recovered"
    assert shown["h5"]["in"] == "2 h 0 min"
    assert "ada paused host h5: switch work; until" in shown["h5"]["reason"]


def test_one_host_is_previewed_alone(ask, run, journal, openstack_cloud):
    openstack_cloud.enrol("h1", "h2")

    assert [row["host"] for row in ask("guard", "show", "h2")] == ["h2"]
    code, _, told = run("guard", "show", "h9")
    assert code == 2
    assert "h9 is not enrolled" in told
