# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.model import IncidentState
from instance_ha.past import recall
from masakari_instance_ha.fleet import MARK

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(
    ("options", "author"),
    [((), "operator@masakari"), (("--author", "jo"), "jo")],
)
def test_a_lost_host_is_asked_back(ask, journal, options, author):
    incident = journal.open("h1", segment="seg1", at_s=10.0, reason="storage down")

    answer = ask("host", "return", "h1", *options)

    assert (answer["host"], answer["incident"]) == ("h1", incident.id)
    (event,) = journal.events(incident)
    assert (event.kind, event.actor) == ("return", author)
    assert recall([event]).return_asked_by == author


def test_a_host_that_was_not_lost_cannot_be_asked_back(run, journal):
    incident = journal.open("h1", segment="seg1", at_s=10.0, reason="storage down")
    journal.move(incident, IncidentState.CLOSED, at_s=20.0)

    code, _, told = run("host", "return", "h1")

    assert code == 2
    assert "h1 was not lost" in told
    assert "instance-ha host update h1 --no-on-maintenance" in told


def test_the_plan_shows_everybody_and_changes_nothing(ask, config, journal, openstack_cloud):
    config.write_text(f"{config.read_text()}\n[instance_ha_enrolment]\nrule = segment\n")
    openstack_cloud.enrol("h1", control_attributes="SSH")
    openstack_cloud.enrol("h2", "h3", control_attributes=MARK)
    openstack_cloud.enrol("h4", "h5")
    openstack_cloud.hosts = [h for h in openstack_cloud.hosts if h["name"] not in ("h4", "h5")]
    openstack_cloud.services = [s for s in openstack_cloud.services if s["host"] != "h3"]
    openstack_cloud.services[-1]["state"] = "down"

    shown = {row.pop("host"): row for row in ask("host", "plan")}

    assert {name: row["next"] for name, row in shown.items()} == {
        "h1": "stays",
        "h2": "stays",
        "h3": "leaves",
        "h4": "is enrolled",
        "h5": "is left out",
    }
    assert (shown["h1"]["why"], shown["h2"]["why"]) == ("enrolled by hand", "enrolled by rule")
    assert "nova-compute is down" in shown["h5"]["why"]
    assert shown["h4"]["segment"] == "instance-ha"
    assert openstack_cloud.written() == []
    assert journal.roll().names() == set()
