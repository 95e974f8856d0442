# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Enrolment by rule against the shapes of the real APIs."""

from __future__ import annotations

import pytest

from instance_ha.enrolment import EnrolPolicy, Hypervisor, Rule
from instance_ha.errors import CloudUnreachableError, NotYetError
from masakari_instance_ha import assembly, connection, duties, store
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.fleet import MARK, OpenStackFleet
from masakari_instance_ha.orphans import Orphans


@pytest.fixture
def fleet(configured):
    return OpenStackFleet(connection.connect(configured()), recovery_method="rh_priority")


@pytest.fixture
def cloud(configured, tmp_path):
    conf = configured()
    return OpenStackCloud(
        connection.connect(conf),
        clock=SystemClock(),
        orphans=Orphans(f"sqlite:///{tmp_path}/masakari.sqlite"),
        rules=assembly.rules(conf),
    )


def serve(openstack_cloud, *names, **fields):
    """Have Nova know hypervisors that no segment has."""
    openstack_cloud.enrol(*names, segment="elsewhere")
    openstack_cloud.hosts.clear()
    openstack_cloud.segments.clear()
    for service in openstack_cloud.services:
        service.update(fields)


def test_hypervisors_are_named_as_nova_compute_named_itself(fleet, openstack_cloud):
    serve(openstack_cloud, "h1", "h2", zone="az1")
    openstack_cloud.services[1].update(state="down", hypervisor_type="ironic")
    openstack_cloud.aggregates += [
        {"id": 1, "name": "ssd", "hosts": ["h1"], "metadata": {"instance-ha:segment": "False"}},
        {"id": 2, "name": "rack-2", "hosts": ["h1", "h2"], "metadata": {}},
        {"id": 3, "name": "rack-1", "hosts": ["h1"], "metadata": {"availability_zone": "az1"}},
    ]

    assert fleet.hypervisors() == [
        Hypervisor(name="h1", up=True, zone="az1", aggregates=("rack-1", "rack-2")),
        Hypervisor(name="h2", up=False, zone="az1", aggregates=("rack-2",), moves_servers=False),
    ]


def test_a_segment_is_made_once_and_its_hosts_are_marked(fleet, cloud, openstack_cloud):
    serve(openstack_cloud, "h1", "h2")

    fleet.enrol("h1", segment="cloud")
    fleet.enrol("h2", segment="cloud")

    (segment,) = openstack_cloud.segments
    assert (segment["name"], segment["recovery_method"]) == ("cloud", "rh_priority")
    assert [host["control_attributes"] for host in openstack_cloud.hosts] == [MARK, MARK]
    assert [(host.name, host.automatic) for host in cloud.hosts()] == [("h1", True), ("h2", True)]


def test_a_segment_that_is_there_keeps_its_method(fleet, openstack_cloud):
    serve(openstack_cloud, "h1")
    openstack_cloud.make("segment", {"name": "cloud", "recovery_method": "auto"})

    fleet.enrol("h1", segment="cloud")

    assert [s["recovery_method"] for s in openstack_cloud.segments] == ["auto"]


def test_what_a_person_enrolled_is_not_marked(cloud, openstack_cloud):
    openstack_cloud.enrol("h1", control_attributes="SSH")

    assert not cloud.hosts()[0].automatic


def test_a_host_leaves_its_segment(fleet, cloud, openstack_cloud):
    openstack_cloud.enrol("h1", "h2")

    fleet.dismiss(cloud.hosts()[0])

    assert [host["name"] for host in openstack_cloud.hosts] == ["h2"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_what_masakari_declines_is_tried_later(fleet, cloud, openstack_cloud, method):
    openstack_cloud.enrol("h1")
    openstack_cloud.refusals[method, "/hosts"] = (409, "in-use to process notifications")

    change = {
        "POST": lambda: fleet.enrol("h9", segment="seg1"),
        "DELETE": lambda: fleet.dismiss(cloud.hosts()[0]),
    }[method]

    with pytest.raises(NotYetError, match="in-use"):
        change()


@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_a_nova_that_does_not_tell_is_unreachable(fleet, openstack_cloud, status):
    openstack_cloud.refusals["GET", "/os-hypervisors"] = (status, "restarting")

    with pytest.raises(CloudUnreachableError, match="restarting"):
        fleet.hypervisors()


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        pytest.param("", EnrolPolicy(), id="nothing chosen"),
        pytest.param(
            "[instance_ha_enrolment]\nrule = aggregate\nsegment = x\nwait = 5\ngone_after = 90\n",
            EnrolPolicy(rule=Rule.AGGREGATE, segment="x", wait_s=5.0, gone_after_s=90.0),
            id="everything chosen",
        ),
    ],
)
def test_the_options_say_how_hypervisors_are_enrolled(configured, text, policy):
    assert duties.enrol_policy(configured(text)) == policy


def test_the_controller_has_every_duty_and_calls_nobody_for_that(
    configured, sqlite_url, openstack_cloud, cloud
):
    conf, kept = configured("[instance_ha]\nnetworks = storage\n"), store.connect(sqlite_url)

    observer = assembly.observer(conf)
    built = duties.build(conf, store=kept, observer=observer, cloud=cloud)

    assert {duty.name for duty in built} == {"enrolment", "migrate", "muster", "orphans"}
    assert openstack_cloud.calls == []


def test_servers_are_moved_back_only_where_that_is_asked_for(configured, sqlite_url, cloud):
    conf, kept = configured("[instance_ha_migrate]\nback = true\n"), store.connect(sqlite_url)

    built = duties.build(conf, store=kept, observer=assembly.observer(conf), cloud=cloud)

    assert "move-back" in {duty.name for duty in built}


def test_the_roll_is_kept_in_the_store(url):
    roll = store.connect(url).roll()

    for name in ("h1", "h2", "h1"):
        roll.add(name)
    roll.strike("h2")
    roll.strike("h9")

    assert roll.names() == {"h1"}
