# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from instance_ha.selection import Disks, Protect, Selection
from masakari_instance_ha import connection
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.orphans import Orphans
from masakari_instance_ha.servers import Rules

from . import beside


@dataclass
class Details:
    """What only these tests ask of Nova and Glance."""

    url: str
    devices: dict[str, list[str]] = field(default_factory=dict)
    images: dict[str, dict[str, str]] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """Servers that are gone since Nova listed them."""

    def answer(self, path: str, _: dict[str, str]) -> tuple[int, Any] | None:
        match path.strip("/").split("/"):
            case ["compute", _, "servers", server, _] if server in self.deleted:
                words = f"Instance {server} could not be found."
                return 404, {"itemNotFound": {"code": 404, "message": words}}
            case ["compute", _, "servers", server, "os-volume_attachments"]:
                found = self.devices.get(server, [])
                return 200, {"volumeAttachments": [{"device": name} for name in found]}
            case ["image", "v2", "images", image]:
                known = self.images.get(image)
                return (404, {}) if known is None else (200, known)
            case ["image", *_]:
                links = [{"rel": "self", "href": f"{self.url}/image/v2/"}]
                return 200, {"versions": [{"id": "v2.9", "status": "CURRENT", "links": links}]}
        return None


@pytest.fixture
def nova(openstack_cloud, monkeypatch: pytest.MonkeyPatch) -> Details:
    details = Details(url=openstack_cloud.url)
    beside.serve(
        openstack_cloud, monkeypatch, kind="image", path="/image/v2", answer=details.answer
    )
    return details


@pytest.fixture
def counting(nova, configured, tmp_path):
    """Make a cloud that counts by some rules."""

    def made(rules: Rules) -> OpenStackCloud:
        orphans = Orphans(f"sqlite:///{tmp_path}/masakari.sqlite")
        return OpenStackCloud(
            connection.connect(configured()), clock=SystemClock(), orphans=orphans, rules=rules
        )

    return made


def a_server_with_volumes(uuid):
    volumes = {"os-extended-volumes:volumes_attached": [{"id": "v"}]}
    return a_server(
        uuid, image={"id": "i"}, **volumes, **{"OS-EXT-SRV-ATTR:root_device_name": "/dev/vda"}
    )


def a_server(uuid, **said):
    return {"id": uuid, "host": "h1", "OS-EXT-STS:vm_state": "active", "metadata": {}, **said}


def test_a_segment_may_have_a_rule_of_its_own(openstack_cloud, nova, counting):
    openstack_cloud.enrol("h1")
    openstack_cloud.servers = [
        a_server("a", tags=["automatic-recovery"]),
        a_server("b", flavor={"extra_specs": {"automatic-recovery": "true"}}),
        a_server("c", image={"id": "tagged"}),
        a_server("d", image={"id": "plain"}),
        a_server("e", image={"id": "deleted"}),
        a_server("f"),
    ]
    nova.images = {"tagged": {"automatic-recovery": "yes"}, "plain": {}}
    rules = Rules(default=Selection(disks=Disks.SHARED), segments={"seg1": Protect.TAG})
    cloud = counting(rules)

    assert cloud.servers_on("h1") == 3
    assert cloud.servers_on("h9") == 0


def test_servers_that_stay_with_their_disk_are_not_waited_for(openstack_cloud, nova, counting):
    openstack_cloud.servers = [
        a_server("a", image={"id": "i"}),
        a_server("b", image={"id": "i"}),
        a_server_with_volumes("c"),
    ]
    nova.devices = {"c": ["/dev/vda"]}
    openstack_cloud.enrol("h1")
    cloud = counting(Rules(default=Selection(), segments={}))

    assert cloud.servers_on("h1") == 3

    made = cloud.notify("h1", at_s=time.time())
    openstack_cloud.vmoves = [
        {"notification_uuid": made.uuid, "instance_uuid": "a", "status": "ignored"},
        {"notification_uuid": made.uuid, "instance_uuid": "b", "status": "pending"},
        {"notification_uuid": made.uuid, "instance_uuid": "c", "status": "ongoing"},
    ]

    assert cloud.servers_on("h1") == 2


def test_a_server_that_is_deleted_while_it_is_looked_at_is_not_waited_for(
    openstack_cloud, nova, counting
):
    openstack_cloud.enrol("h1")
    openstack_cloud.servers = [a_server_with_volumes("kept"), a_server_with_volumes("deleted")]
    nova.devices = {"kept": ["/dev/vda"]}
    nova.deleted = {"deleted"}
    cloud = counting(Rules(default=Selection(), segments={}))

    assert cloud.servers_on("h1") == 1
