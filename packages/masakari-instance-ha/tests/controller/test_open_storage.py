# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A host that returns may write again: after Nova lets it be un-forced, before it is enabled."""

from __future__ import annotations

import pytest

from instance_ha.errors import CloudUnreachableError, NotYetError
from masakari_instance_ha import connection
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.orphans import Orphans
from masakari_instance_ha.servers import Rules, Selection


class Storage:
    """Listens again, unless it is away; remembers what Nova said of the host by then."""

    def __init__(self, service: dict[str, object]) -> None:
        self.away = False
        self.lifted: list[tuple[str, object, object]] = []
        self._service = service

    def lift(self, host: str) -> None:
        if self.away:
            raise CloudUnreachableError("Ceph did not answer in 10 s")
        self.lifted.append((host, self._service["forced_down"], self._service["status"]))


@pytest.fixture
def service(openstack_cloud):
    openstack_cloud.enrol("h1", on_maintenance=True)
    openstack_cloud.services[0].update(state="down", status="disabled", forced_down=True)
    return openstack_cloud.services[0]


@pytest.fixture
def storage(service):
    return Storage(service)


@pytest.fixture
def cloud(storage, configured, tmp_path):
    return OpenStackCloud(
        connection.connect(configured()),
        clock=SystemClock(),
        orphans=Orphans(f"sqlite:///{tmp_path}/masakari.sqlite"),
        rules=Rules(default=Selection(), segments={}),
        storage=storage,
    )


def test_a_host_may_write_once_it_is_unforced_and_before_it_is_enabled(cloud, storage, service):
    cloud.return_to_service(cloud.hosts()[0])

    assert storage.lifted == [("h1", False, "disabled")]
    assert service["status"] == "enabled"


def test_a_host_whose_evacuation_is_not_over_stays_refused(cloud, openstack_cloud, storage):
    openstack_cloud.refusals["PUT", "/os-services/"] = (400, "evacuation records remain")

    with pytest.raises(NotYetError, match="evacuation records remain"):
        cloud.return_to_service(cloud.hosts()[0])

    assert storage.lifted == []


def test_a_storage_that_is_away_keeps_the_host_out(cloud, storage, service):
    storage.away = True

    with pytest.raises(CloudUnreachableError, match="Ceph did not answer"):
        cloud.return_to_service(cloud.hosts()[0])
    assert service["status"] == "disabled", "nothing may be placed there yet"

    storage.away = False
    cloud.return_to_service(cloud.hosts()[0])
    assert service["status"] == "enabled"


def test_a_host_that_somebody_else_put_back_is_listened_to_as_well(cloud, storage):
    cloud.open_storage("h1")

    assert [host for host, *_ in storage.lifted] == ["h1"]
