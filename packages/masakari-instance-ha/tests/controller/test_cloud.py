# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import pytest
import sqlalchemy as sa
from oslo_config import cfg

from instance_ha.errors import (
    CloudUnreachableError,
    NotificationRefusedError,
    NotYetError,
    StoreUnreachableError,
)
from instance_ha.model import ComputeService, NotificationStatus, Role
from instance_ha.selection import Disks, Protect, Selection
from masakari_instance_ha import connection, options
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.orphans import Orphans
from masakari_instance_ha.servers import Rules

NOW_S = 1_795_000_000.0
RULES = Rules(default=Selection(), segments={})


@pytest.fixture
def conf(configured):
    return configured()


@pytest.fixture
def orphans(tmp_path):
    return Orphans(f"sqlite:///{tmp_path}/masakari.sqlite")


@pytest.fixture
def cloud(openstack_cloud, conf, orphans):
    openstack_cloud.enrol("h1", "h2")
    return OpenStackCloud(
        connection.connect(conf), clock=SystemClock(), orphans=orphans, rules=RULES
    )


def test_hosts_come_with_segment_and_compute_service(cloud, openstack_cloud):
    openstack_cloud.enrol("h3", segment="seg2", reserved=True, on_maintenance=True)
    openstack_cloud.services[1].update(state="down", status="disabled", forced_down=True)
    openstack_cloud.services.pop()

    h1, h2, h3 = cloud.hosts()

    assert (h1.name, h1.segment.name, h1.segment.recovery_method) == ("h1", "seg1", "auto")
    assert h1.service == ComputeService(up=True, enabled=True, forced_down=False)
    assert h2.service == ComputeService(up=False, enabled=False, forced_down=True)
    assert (h3.segment.name, h3.reserved, h3.on_maintenance) == ("seg2", True, True)
    assert h3.service is None, "nova does not know it"


def test_a_disabled_segment_is_told(cloud, openstack_cloud):
    openstack_cloud.segments[0]["enabled"] = False

    assert not cloud.hosts()[0].segment.enabled


def test_hosts_of_many_pages_are_all_read(cloud, openstack_cloud, monkeypatch):
    monkeypatch.setattr(connection, "PAGE", 5)
    openstack_cloud.page = 5
    openstack_cloud.enrol(*(f"n{number}" for number in range(98)))

    assert len(cloud.hosts()) == 100


def test_a_pass_costs_no_call_while_the_snapshot_is_fresh(cloud, openstack_cloud):
    cloud.hosts()
    before = len(openstack_cloud.calls)

    for _ in range(100):
        cloud.hosts()
        cloud.notifications()

    assert len(openstack_cloud.calls) == before


def test_the_newest_notification_of_each_host_counts(cloud, openstack_cloud):
    first = cloud.notify("h1", at_s=NOW_S)
    second = cloud.notify("h1", at_s=NOW_S + 300)
    openstack_cloud.notifications[1].update(
        status="running", updated_at="2026-11-21T05:00:10.000000"
    )

    assert first.uuid != second.uuid
    assert set(cloud.notifications()) == {"h1"}
    newest = cloud.notifications()["h1"]
    assert newest.uuid == second.uuid
    assert newest.generated_at_s == NOW_S + 300


def test_a_notification_of_a_removed_host_is_left_out(cloud, openstack_cloud):
    cloud.notify("h1", at_s=NOW_S)
    openstack_cloud.hosts.pop(0)

    assert cloud.notifications() == {}


def test_the_payload_is_the_one_that_masakari_acts_on(cloud, openstack_cloud):
    made = cloud.notify("h1", at_s=NOW_S + 0.9)

    ((_, _, body),) = openstack_cloud.written()
    assert body["notification"] == {
        "type": "COMPUTE_HOST",
        "hostname": "h1",
        "generated_time": "2026-11-18T11:06:40",
        "payload": {"event": "STOPPED", "cluster_status": "OFFLINE", "host_status": "NORMAL"},
    }
    assert made.status is NotificationStatus.NEW
    assert made.generated_at_s == NOW_S, "whole seconds, never in the future"


def test_what_was_just_written_is_read_anew(cloud):
    assert cloud.notifications() == {}

    cloud.notify("h1", at_s=NOW_S)

    assert set(cloud.notifications()) == {"h1"}


@pytest.mark.parametrize("status", [400, 409])
def test_masakaris_own_words_come_with_a_refusal(cloud, openstack_cloud, status):
    words = "Notification received from host h1 of type COMPUTE_HOST is duplicate."
    openstack_cloud.refusals["POST", "/notifications"] = (status, words)

    with pytest.raises(NotificationRefusedError) as refused:
        cloud.notify("h1", at_s=NOW_S)

    assert refused.value.reason == words


def test_a_host_that_masakari_does_not_know_is_refused(cloud):
    with pytest.raises(NotificationRefusedError, match="h9 could not be found"):
        cloud.notify("h9", at_s=NOW_S)


@pytest.mark.parametrize("status", [500, 503])
def test_a_failing_api_is_unreachable(cloud, openstack_cloud, status):
    openstack_cloud.refusals["POST", "/notifications"] = (status, "down")

    with pytest.raises(CloudUnreachableError, match="cannot notify Masakari of h1"):
        cloud.notify("h1", at_s=NOW_S)


def test_a_dead_api_is_unreachable_and_its_return_is_seen(cloud, openstack_cloud):
    openstack_cloud.refusals["GET", "/segments"] = (503, "restarting")
    with pytest.raises(CloudUnreachableError, match="restarting"):
        cloud.hosts()

    openstack_cloud.refusals.clear()

    assert len(cloud.hosts()) == 2


def test_a_wrong_password_is_said(cloud, openstack_cloud):
    openstack_cloud.refusals["POST", "/auth/tokens"] = (401, "wrong password")

    with pytest.raises(CloudUnreachableError, match="check \\[instance_ha_api\\]"):
        cloud.hosts()


def test_only_what_a_recovery_would_move_is_counted(openstack_cloud, conf, orphans):
    openstack_cloud.servers = [
        {"id": "a", "host": "h1", "OS-EXT-STS:vm_state": "active", "metadata": {}},
        {
            "id": "b",
            "host": "h1",
            "OS-EXT-STS:vm_state": "active",
            "metadata": {"HA_Enabled": "True"},
        },
        {
            "id": "c",
            "host": "h1",
            "OS-EXT-STS:vm_state": "error",
            "metadata": {"HA_Enabled": "True"},
        },
        {"id": "d", "host": "h2", "OS-EXT-STS:vm_state": "active", "metadata": {}},
    ]

    def count(**rule):
        rules = Rules(default=Selection(disks=Disks.SHARED, **rule), segments={})
        cloud = OpenStackCloud(
            connection.connect(conf), clock=SystemClock(), orphans=orphans, rules=rules
        )
        return cloud.servers_on("h1")

    assert count() == 3
    assert count(errored=False) == 2
    assert count(protect=Protect.METADATA) == 2
    assert count(protect=Protect.METADATA, errored=False) == 1


def test_a_flag_that_masakari_holds_on_to_is_tried_again(cloud, openstack_cloud):
    openstack_cloud.hosts[0]["on_maintenance"] = True
    host = cloud.hosts()[0]
    openstack_cloud.refusals["PUT", "/hosts/"] = (409, "in-use to process notifications")

    with pytest.raises(NotYetError, match="in-use"):
        cloud.end_maintenance(host)
    openstack_cloud.refusals.clear()
    cloud.end_maintenance(host)

    assert not cloud.hosts()[0].on_maintenance


def test_a_host_returns_step_by_step(cloud, openstack_cloud):
    openstack_cloud.hosts[0]["on_maintenance"] = True
    service = openstack_cloud.services[0]
    service.update(state="down", status="disabled", forced_down=True)
    host = cloud.hosts()[0]

    openstack_cloud.refusals["PUT", "/os-services/"] = (400, "evacuation records remain")
    with pytest.raises(NotYetError, match="evacuation records remain"):
        cloud.return_to_service(host)
    assert service["status"] == "disabled"

    openstack_cloud.refusals = {("PUT", "/hosts/"): (409, "in-use")}
    with pytest.raises(NotYetError, match="in-use"):
        cloud.return_to_service(host)
    assert (service["status"], service["forced_down"]) == ("disabled", False), "no servers yet"

    openstack_cloud.refusals = {("PUT", f"/os-services/{service['id']}"): (503, "restarting")}
    with pytest.raises(CloudUnreachableError, match="restarting"):
        cloud.return_to_service(host)
    assert not openstack_cloud.hosts[0]["on_maintenance"]

    openstack_cloud.refusals.clear()
    cloud.return_to_service(host)
    returned = cloud.hosts()[0]
    assert not returned.on_maintenance
    assert returned.service == ComputeService(up=True, enabled=True, forced_down=False)


def test_a_host_is_enabled_only_when_it_is_up(cloud, openstack_cloud):
    openstack_cloud.services[0].update(state="down", status="disabled")

    with pytest.raises(NotYetError, match="not see its nova-compute up yet"):
        cloud.return_to_service(cloud.hosts()[0])

    assert openstack_cloud.written() == []


def test_a_host_that_was_enabled_too_early_is_disabled_first_and_once(cloud, openstack_cloud):
    openstack_cloud.refusals["PUT", "/hosts/"] = (409, "in-use")
    host = cloud.hosts()[0]

    for _ in range(3):
        with pytest.raises(NotYetError):
            cloud.return_to_service(host)
    openstack_cloud.refusals.clear()
    cloud.return_to_service(host)

    asked = [body["status"] for _, path, body in openstack_cloud.written() if "service" in path]
    assert asked == ["disabled", "enabled"]


def test_a_host_that_nova_forgot_waits(cloud, openstack_cloud):
    host = cloud.hosts()[0]
    openstack_cloud.services.clear()

    with pytest.raises(NotYetError, match="nova knows no compute service"):
        cloud.return_to_service(host)


def test_a_login_that_is_incomplete_is_said_before_any_call():
    conf = cfg.ConfigOpts()
    options.register(conf)
    conf(args=[], default_config_files=[])

    with pytest.raises(connection.CloudOptionsError, match="auth_url, username, password"):
        connection.connect(conf)


@pytest.fixture
def masakaris_table(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/masakari.sqlite")
    with engine.begin() as made:
        made.execute(
            sa.text("CREATE TABLE notifications (notification_uuid, status, deleted, payload)")
        )
        for uuid, status, deleted in (
            ("a", "running", 0),
            ("b", "finished", 0),
            ("c", "running", 3),
        ):
            made.execute(
                sa.text("INSERT INTO notifications VALUES (:uuid, :status, :deleted, 'p')"),
                {"uuid": uuid, "status": status, "deleted": deleted},
            )

    def rows():
        with engine.connect() as read:
            return [tuple(row) for row in read.execute(sa.text("SELECT * FROM notifications"))]

    return rows


def test_an_orphan_is_given_back_once(orphans, masakaris_table):
    assert orphans.release("a")
    assert not orphans.release("a")

    assert masakaris_table()[0] == ("a", "error", 0, "p")


@pytest.mark.parametrize("uuid", ["b", "c", "unknown"])
def test_whatever_is_not_running_is_left_alone(orphans, masakaris_table, uuid):
    before = masakaris_table()

    assert not orphans.release(uuid)

    assert masakaris_table() == before


def test_a_database_that_fails_is_an_unreachable_store(tmp_path):
    with pytest.raises(StoreUnreachableError, match="a is not released"):
        Orphans(f"sqlite:///{tmp_path}/empty.sqlite").release("a")


def test_a_compute_service_tells_why_it_is_disabled_and_when_it_changed(cloud, openstack_cloud):
    openstack_cloud.services[0].update(
        status="disabled", disabled_reason="disk swap", updated_at="2026-11-18T11:06:40.000000"
    )

    service = cloud.hosts()[0].service

    assert (service.disabled_reason, service.updated_at_s) == ("disk swap", NOW_S)


@pytest.mark.parametrize(
    ("role", "status", "reason", "reserved"),
    [
        (Role.WORK, "enabled", None, False),
        (Role.DISABLED, "disabled", "disk swap", False),
        (Role.RESERVE, "disabled", "disk swap", True),
    ],
)
def test_a_host_comes_back_as_what_it_is_to_be(
    cloud, openstack_cloud, role, status, reason, reserved
):
    service = openstack_cloud.services[0]
    service.update(
        state="down", status="disabled", forced_down=True, disabled_reason="Masakari detected"
    )
    openstack_cloud.hosts[0]["on_maintenance"] = True

    cloud.return_to_service(cloud.hosts()[0], role=role, reason=reason or "")

    assert (service["state"], service["status"], service["forced_down"]) == ("up", status, False)
    assert reason is None or service["disabled_reason"] == reason
    host = cloud.hosts()[0]
    assert (host.on_maintenance, host.reserved) == (False, reserved)


def test_a_reason_that_stands_already_is_not_written_again(cloud, openstack_cloud):
    openstack_cloud.services[0].update(status="disabled", disabled_reason="disk swap")

    cloud.return_to_service(cloud.hosts()[0], role=Role.DISABLED, reason="disk swap")

    assert not [path for _, path, _ in openstack_cloud.written() if "service" in path]
