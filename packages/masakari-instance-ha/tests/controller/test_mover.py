# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from instance_ha.errors import CloudUnreachableError, NotYetError
from instance_ha.evasion import Budget, Movable
from masakari_instance_ha import connection, duties
from masakari_instance_ha.mover import NovaMover


@pytest.fixture
def conf(configured):
    return configured("[instance_ha_migrate]\nafter = 5\nat_once = 3\n")


@pytest.fixture
def mover(conf, openstack_cloud):
    openstack_cloud.enrol("h1", "h2")
    return NovaMover(connection.connect(conf))


def there(uuid, *, vm_state="active", task_state=None, name=None, host="h1"):
    return {
        "id": uuid,
        "name": name or uuid,
        "host": host,
        "OS-EXT-STS:vm_state": vm_state,
        "OS-EXT-STS:task_state": task_state,
    }


def test_only_what_runs_undisturbed_can_be_moved_alive(mover, openstack_cloud):
    openstack_cloud.servers = [
        there("u1", name="web"),
        there("u2", name="db", task_state="migrating"),
        there("u3", name="off", vm_state="stopped"),
        there("u4", name="busy", task_state="rebooting"),
        there("u5", name="elsewhere", host="h2"),
    ]

    assert mover.servers("h1") == [
        Movable(uuid="u4", name="busy", active=False, moving=False),
        Movable(uuid="u2", name="db", active=False, moving=True),
        Movable(uuid="u3", name="off", active=False, moving=False),
        Movable(uuid="u1", name="web", active=True, moving=False),
    ]


@pytest.mark.parametrize("target", [None, "h2"])
def test_a_server_is_moved_by_the_scheduler_or_to_a_host(mover, openstack_cloud, target):
    mover.move("u1", target=target)

    ((_, path, body),) = openstack_cloud.written()
    assert path.endswith("/servers/u1/action")
    assert body == {"os-migrateLive": {"host": target, "block_migration": "auto"}}


def test_what_nova_declines_comes_with_its_words(mover, openstack_cloud):
    openstack_cloud.refusals["POST", "/servers/u1"] = (409, "Instance has a PCI device")

    with pytest.raises(NotYetError, match="PCI device"):
        mover.move("u1", target=None)


def test_a_host_is_kept_from_new_servers_and_let_go(mover, openstack_cloud):
    service = openstack_cloud.services[0]

    mover.cordon("h1", reason="instance-ha: its servers are moved away")
    assert service["status"] == "disabled"
    assert service["disabled_reason"] == "instance-ha: its servers are moved away"

    mover.release("h1")
    assert service["status"] == "enabled"


def test_a_host_that_nova_forgot_waits(mover, openstack_cloud):
    openstack_cloud.services.clear()

    with pytest.raises(NotYetError, match="no compute service"):
        mover.release("h1")


@pytest.mark.parametrize("status", [403, 404, 429, 503])
def test_a_nova_that_does_not_tell_is_unreachable(mover, openstack_cloud, status):
    openstack_cloud.refusals["GET", "/servers/detail"] = (status, "restarting")

    with pytest.raises(CloudUnreachableError, match="restarting"):
        mover.servers("h1")


def test_the_options_are_the_budget(conf):
    assert duties.budget(conf) == Budget(after_s=5.0, at_once=3)
