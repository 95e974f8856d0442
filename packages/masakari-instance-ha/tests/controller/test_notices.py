# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha import connection
from masakari_instance_ha.notices import MasakariNotices


@pytest.fixture
def notices(configured):
    return MasakariNotices(connection.connect(configured()))


def told(uuid, *, kind="VM", status="running", **changes):
    return {
        "id": int(uuid.removeprefix("n-")),
        "notification_uuid": uuid,
        "type": kind,
        "status": status,
        "source_host_uuid": "host-1",
        "created_at": "2026-11-21T05:00:00.000000",
        "updated_at": None,
        **changes,
    }


def test_only_what_engines_have_of_single_servers_is_told(notices, openstack_cloud):
    openstack_cloud.notifications = [
        told("n-1", updated_at="2026-11-21T05:00:07.000000"),
        told("n-2"),
        told("n-3", status="finished"),
        told("n-4", kind="COMPUTE_HOST"),
    ]

    assert notices.running() == {
        "n-1": "2026-11-21T05:00:07.000000",
        "n-2": "2026-11-21T05:00:00.000000",
    }


@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_a_masakari_that_does_not_tell_is_unreachable(notices, openstack_cloud, status):
    openstack_cloud.refusals["GET", "/notifications"] = (status, "restarting")

    with pytest.raises(CloudUnreachableError, match="restarting"):
        notices.running()
