# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A host returns once its nova-compute has nothing left to settle."""

from __future__ import annotations

import pytest

from instance_ha.errors import NotYetError
from masakari_instance_ha import connection
from masakari_instance_ha.restoring import Restoring


@pytest.fixture
def restoring(configured, openstack_cloud):
    openstack_cloud.enrol("h1")
    return Restoring(connection.connect(configured()))


@pytest.mark.parametrize("status", ["accepted", "pre-migrating", "done"])
def test_a_host_waits_for_evacuations_that_a_later_start_would_act_upon(
    restoring, openstack_cloud, status
):
    service = openstack_cloud.services[0]
    service.update(forced_down=True)
    openstack_cloud.migrations = [{"id": 2, "status": "completed"}, {"id": 1, "status": status}]

    with pytest.raises(NotYetError, match="has to settle 1 evacuations from it; restart it"):
        restoring.unforce("h1")
    assert service["forced_down"]

    openstack_cloud.migrations[1]["status"] = "completed"
    restoring.unforce("h1")
    assert not service["forced_down"]


def test_those_of_a_host_that_is_not_held_down_are_not_asked_for(restoring, openstack_cloud):
    openstack_cloud.migrations = [{"id": 1, "status": "done"}]

    restoring.unforce("h1")

    assert not any("os-migrations" in path for _, path, _ in openstack_cloud.calls)
