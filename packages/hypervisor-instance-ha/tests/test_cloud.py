# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Keystone, Nova and Masakari on the loopback: their forms, their moods, their absence."""

from __future__ import annotations

import contextlib
import time

import pytest

from hypervisor_instance_ha import keystone
from hypervisor_instance_ha.cloud import Cloud, Recovery
from hypervisor_instance_ha.errors import (
    CloudRefusedError,
    CloudUnreachableError,
    ServiceUnknownError,
)

UUID = "7b7d3a9c-3a0e-4d7e-8f3c-0d1f0c6f1a11"


def notify(cloud: Cloud) -> None:
    cloud.notify_server(UUID, recovery=Recovery.DIED, at_s=1_790_000_000.4)


@pytest.fixture
def notifications(control):
    control.answers["POST", "/instance-ha/notifications"] = {"notification": {}}
    return control


def test_a_notification_has_masakari_s_form(notifications):
    notify(notifications.cloud())

    assert notifications.requests[-1][3] == {
        "notification": {
            "type": "VM",
            "hostname": "h1",
            "generated_time": "2026-09-21T14:13:20",
            "payload": {
                "event": "LIFECYCLE",
                "instance_uuid": UUID,
                "vir_domain_event": "STOPPED_FAILED",
            },
        }
    }


def test_a_process_has_masakari_s_form_too(notifications):
    notifications.cloud().notify_process("nova-compute", at_s=0.0)

    told = notifications.requests[-1][3]["notification"]
    assert told["type"] == "PROCESS"
    assert told["payload"] == {"event": "STOPPED", "process_name": "nova-compute"}


def test_one_token_serves_many_calls(notifications):
    cloud = notifications.cloud()
    for _ in range(3):
        notify(cloud)

    assert notifications.logins == 1


def test_a_revoked_token_is_renewed_without_a_word(notifications):
    cloud = notifications.cloud()
    notify(cloud)
    notifications.tokens.clear()
    notify(cloud)

    assert notifications.logins == 2


def test_a_service_that_takes_no_token_is_unreachable(notifications):
    cloud = notifications.cloud()
    notifications.statuses = [401, 401]

    with pytest.raises(CloudUnreachableError, match="keystone_authtoken"):
        notify(cloud)


def test_a_rotated_password_is_not_the_end(notifications):
    cloud = notifications.cloud()
    notifications.password = "two"
    with pytest.raises(CloudUnreachableError, match="about to be rotated"):
        notify(cloud)

    notifications.password = "one"
    notify(cloud)


def test_the_password_is_in_no_message(notifications):
    notifications.password = "two"

    with pytest.raises(CloudUnreachableError) as caught:
        notify(notifications.cloud(password="s3cr3t"))

    assert "s3cr3t" not in str(caught.value)
    assert "s3cr3t" not in repr(notifications.login(password="s3cr3t"))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"region": "RegionTwo"}, id="other-region"),
        pytest.param({"interface": "admin"}, id="no-such-interface"),
    ],
)
def test_endpoints_of_others_are_not_taken(notifications, change):
    with pytest.raises(ServiceUnknownError, match="catalogue has no"):
        notify(notifications.cloud(**change))


def test_a_catalogue_without_masakari_says_so(notifications):
    notifications.catalogue = ("compute",)

    with pytest.raises(ServiceUnknownError, match="instance-ha"):
        notify(notifications.cloud())


def test_masakari_that_comes_later_is_found(notifications):
    notifications.catalogue = ("compute",)
    cloud = notifications.cloud()
    with pytest.raises(ServiceUnknownError):
        notify(cloud)
    notifications.catalogue = ("compute", "instance-ha")

    notify(cloud)


@pytest.mark.parametrize(("age_s", "logins"), [(0.0, 2), (60.0, 1)])
def test_a_service_that_has_moved_is_found_where_it_is_now(
    notifications, monkeypatch, age_s, logins
):
    monkeypatch.setattr(keystone, "_CATALOGUE_S", age_s)
    cloud = notifications.cloud()
    notifications.published = "http://127.0.0.1:1"
    with pytest.raises(CloudUnreachableError):
        notify(cloud)
    notifications.published = notifications.url

    with contextlib.suppress(CloudUnreachableError):
        notify(cloud)

    assert notifications.logins == logins, "a catalogue of a moment ago is believed"
    told = [path for _, path, _, _ in notifications.requests if path.endswith("notifications")]
    assert len(told) == logins - 1


def test_any_region_will_do_where_none_is_named(notifications):
    notifications.region = "Elsewhere"
    notify(notifications.cloud(region=""))


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_refusal_is_told_with_its_words(notifications, status):
    notifications.statuses = [status]

    with pytest.raises(CloudRefusedError, match="it is so") as caught:
        notify(notifications.cloud())

    assert caught.value.status == status


@pytest.mark.parametrize("status", [429, 500, 502, 503, 302])
def test_what_may_pass_is_no_refusal(notifications, status):
    notifications.statuses = [status]

    with pytest.raises(CloudUnreachableError, match=str(status)):
        notify(notifications.cloud())


def test_a_token_follows_no_redirection(notifications):
    notifications.statuses = [302]
    with pytest.raises(CloudUnreachableError):
        notify(notifications.cloud())

    assert "/elsewhere" not in [path for _, path, _, _ in notifications.requests]


def test_a_silent_service_is_given_up_in_time(notifications):
    cloud = notifications.cloud(timeout_s=0.3)
    notify(cloud)
    notifications.delay_s = 20.0
    began_s = time.monotonic()

    with pytest.raises(CloudUnreachableError, match="did not answer"):
        notify(cloud)

    assert time.monotonic() - began_s < 20.0


@pytest.mark.parametrize("raw", [b"<html>", b"", b"{}"], ids=["html", "nothing", "empty"])
def test_what_is_no_keystone_is_said(control, raw):
    control.raw = raw

    with pytest.raises(CloudUnreachableError):
        notify(control.cloud())


def test_nobody_there(control):
    with pytest.raises(CloudUnreachableError, match="did not answer"):
        notify(control.cloud(auth_url="http://127.0.0.1:1"))


def test_authorities_that_cannot_be_read_are_named(control):
    with pytest.raises(CloudUnreachableError, match="receive-ca-cert"):
        control.cloud(cafile="/nowhere.pem")


def raw_server(uuid: str, **changes: object) -> dict[str, object]:
    return {
        "id": uuid,
        "OS-EXT-SRV-ATTR:host": "h1",
        "OS-EXT-STS:vm_state": "active",
        "OS-EXT-STS:task_state": None,
        "metadata": {},
    } | changes


def test_servers_of_this_host_are_read_page_by_page(control):
    pages = [
        {"servers": [raw_server("a")], "servers_links": [{"rel": "next"}]},
        {"servers": [raw_server("b")]},
    ]

    class Pages(dict):
        def get(self, key, default=None):
            return pages.pop(0)

    control.answers = Pages()

    assert [one.uuid for one in control.cloud().servers()] == ["a", "b"]
    asked = [query for _, path, query, _ in control.requests if path.endswith("/detail")]
    assert asked == [
        {"all_tenants": ["1"], "host": ["h1"]},
        {"all_tenants": ["1"], "host": ["h1"], "marker": ["a"]},
    ]


def test_a_server_that_is_gone_is_none(control):
    assert control.cloud().server(UUID) is None


def test_a_server_that_may_not_be_read_is_no_absence(control):
    control.statuses = [403]

    with pytest.raises(CloudRefusedError):
        control.cloud().server(UUID)


@pytest.mark.parametrize(
    ("actions", "by_nova"),
    [
        pytest.param([], False, id="none"),
        pytest.param([("create", "u"), ("stop", None)], True, id="by-nova"),
        pytest.param([("stop", None), ("start", "u")], False, id="started-since"),
        pytest.param([("create", "u"), ("stop", "u")], False, id="by-somebody"),
    ],
)
def test_who_stopped_it(control, actions, by_nova):
    control.answers["GET", f"/compute/servers/{UUID}/os-instance-actions"] = {
        "instanceActions": [
            {"action": action, "user_id": user, "start_time": f"2026-01-0{n}T00:00:00.000000"}
            for n, (action, user) in enumerate(actions, start=1)
        ]
    }

    assert control.cloud().stopped_by_nova(UUID) is by_nova


@pytest.fixture
def enrolled(control):
    get = "GET"
    control.answers |= {
        (get, "/instance-ha/segments"): {"segments": [{"uuid": "s0"}, {"uuid": "s1"}]},
        (get, "/instance-ha/segments/s0/hosts"): {"hosts": []},
        (get, "/instance-ha/segments/s1/hosts"): {
            "hosts": [
                {"name": "H1", "uuid": "x", "on_maintenance": False, "failover_segment_id": "s1"},
                {"name": "h1", "uuid": "y", "on_maintenance": False, "failover_segment_id": "s1"},
            ]
        },
        (get, "/instance-ha/notifications"): {"notifications": []},
        (get, "/compute/os-services"): {"services": [{"forced_down": False}]},
        (get, "/compute/os-migrations"): {"migrations": []},
        (get, "/compute/servers/detail"): {"servers": [raw_server("a")]},
        ("PUT", "/instance-ha/segments/s1/hosts/y"): {"host": {}},
    }
    return control


def test_a_host_that_was_never_lost_stands_well(enrolled):
    standing = enrolled.cloud().standing(now_s=1_790_000_000.0)

    assert standing.enrolled
    assert standing.notification is None
    assert not standing.forced_down
    asked = next(query for _, path, query, _ in enrolled.requests if path.endswith("cations"))
    assert asked["source_host_uuid"] == ["y"], "names are exact, as Masakari's are"
    assert asked["generated-since"] == ["2026-09-20T14:13:20"]


def evacuation(number, *, status, server="a", source="h1"):
    return {"id": number, "instance_uuid": server, "source_compute": source, "status": status}


def test_a_host_that_is_being_recovered_stands_so(enrolled):
    enrolled.answers["GET", "/instance-ha/notifications"] = {
        "notifications": [
            {"generated_time": "2026-01-01T00:00:09.000000", "status": "running"},
            {"generated_time": "2026-01-01T00:00:01.000000", "status": "finished"},
        ]
    }
    enrolled.answers["GET", "/compute/os-services"] = {"services": [{"forced_down": True}]}
    enrolled.answers["GET", "/compute/os-migrations"] = {
        "migrations": [
            evacuation(3, status="accepted"),
            evacuation(2, status="done", server="b"),
            evacuation(1, status="running", source="h2"),
        ]
    }

    standing = enrolled.cloud().standing(now_s=0.0)

    assert standing.notification == "running"
    assert standing.forced_down
    assert (standing.evacuating, standing.servers) == (1, 1)
    assert standing.unsettled == 2


@pytest.mark.parametrize(("placed", "evacuating"), [(["a"], 1), (["b"], 0), ([], 0)])
def test_a_record_that_nova_never_ended_counts_while_its_server_is_here(
    enrolled, placed, evacuating
):
    enrolled.answers["GET", "/compute/os-services"] = {"services": [{"forced_down": True}]}
    enrolled.answers["GET", "/compute/os-migrations"] = {
        "migrations": [evacuation(3, status="accepted"), evacuation(1, status="done")]
    }
    enrolled.answers["GET", "/compute/servers/detail"] = {"servers": [*map(raw_server, placed)]}

    standing = enrolled.cloud().standing(now_s=0.0)

    assert (standing.evacuating, standing.servers) == (evacuating, len(placed))


def test_what_nova_compute_has_yet_to_settle_counts_while_nova_holds_the_host_down(enrolled):
    finished = {"generated_time": "2026-01-01T00:00:01.000000", "status": "finished"}
    enrolled.answers["GET", "/instance-ha/notifications"] = {"notifications": [finished]}
    enrolled.answers["GET", "/compute/os-migrations"] = {
        "migrations": [
            evacuation(4, status="done"),
            evacuation(3, status="pre-migrating", server="b"),
            evacuation(2, status="completed"),
            evacuation(1, status="done", source="h2"),
        ]
    }
    assert enrolled.cloud().standing(now_s=0.0).unsettled == 0

    enrolled.answers["GET", "/compute/os-services"] = {"services": [{"forced_down": True}]}
    assert enrolled.cloud().standing(now_s=0.0).unsettled == 2


def test_without_masakari_nova_alone_is_asked(enrolled):
    enrolled.catalogue = ("compute",)
    enrolled.answers["GET", "/compute/os-services"] = {"services": [{"forced_down": True}]}

    standing = enrolled.cloud().standing(now_s=0.0)

    assert not standing.enrolled
    assert standing.forced_down


def test_maintenance_is_told_once(enrolled):
    assert enrolled.cloud().set_maintenance(True)
    assert enrolled.requests[-1][3] == {"host": {"on_maintenance": True}}
    assert not enrolled.cloud().set_maintenance(False), "it is off already"
