# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What Masakari's own engine gets wrong with the same driver, taskflow and objects."""

from __future__ import annotations

import pytest
from masakari import exception

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]

RESERVE_METHODS = ["reserved_host", "auto_priority", "rh_priority"]
AMPHORA = "amphora-5f9f3a52-3a3b-4f0e-9d8b-0a4b6a1d9b11"


@pytest.mark.parametrize("method", ["auto", *RESERVE_METHODS])
def test_t10_a_rebuild_slower_than_masakaris_patience_is_followed(
    engine, cloud, option, method
) -> None:
    option(None, wait_period_after_evacuation=1)
    cloud.rebuild_s = 2.5
    server = cloud.boot()

    engine.recover(method)

    (status, host) = engine.vmoves()[server.id]
    assert (status, server.host, server.vm_state) == ("succeeded", host, "active")
    assert len(cloud.orders) == 1


@pytest.mark.parametrize("method", RESERVE_METHODS)
def test_t13_the_reserve_stays_one_when_nothing_could_move(engine, cloud, method) -> None:
    server = cloud.boot()
    cloud.no_valid_host[server.id] = 99

    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover(method)

    assert engine.is_reserve("h3")
    assert cloud.hosts["h3"].status == "disabled"


def test_t13_the_reserve_that_took_a_part_of_the_servers_is_one_no_more(engine, cloud) -> None:
    good, bad = cloud.boot(), cloud.boot()
    cloud.no_valid_host[bad.id] = 99

    with pytest.raises(exception.HostRecoveryFailureException):
        engine.recover("reserved_host")

    assert good.host == "h3"
    assert not engine.is_reserve("h3")
    assert cloud.hosts["h3"].status == "enabled"


@pytest.mark.parametrize("method", ["auto_priority", "rh_priority"])
def test_the_fall_back_leaves_no_server_in_error_and_counts_no_failure_of_the_first_way(
    engine, cloud, method
) -> None:
    running, stopped = cloud.boot(), cloud.boot(vm_state="stopped", power_state=4)
    for server in (running, stopped):
        cloud.no_valid_host[server.id] = 3

    engine.recover(method)

    goal = "h3" if method == "auto_priority" else "h2"
    assert [(s.host, s.vm_state) for s in (running, stopped)] == [
        (goal, "active"),
        (goal, "stopped"),
    ]
    assert set(engine.vmoves().values()) == {("succeeded", goal)}


def test_t19_octavias_amphorae_are_left_to_octavia(engine, cloud) -> None:
    amphora, web = cloud.boot(said={"name": AMPHORA}), cloud.boot()

    engine.recover()

    assert (amphora.host, web.host) == ("h1", "h2")
    assert set(engine.vmoves()) == {web.id}
    assert AMPHORA in engine.told("left")[0]
    assert "own service" in engine.told("left")[0]


def test_t19_an_amphora_whose_owner_asks_for_it_moves(engine, cloud) -> None:
    server = cloud.boot(said={"name": AMPHORA}, metadata={"HA_Enabled": "True"})

    engine.recover()

    assert server.host == "h2"


@pytest.mark.parametrize(
    "marks",
    [
        pytest.param({"said": {"tags": ["automatic-recovery"]}}, id="server tag"),
        pytest.param(
            {"said": {"flavor": {"extra_specs": {"automatic-recovery": "true"}}}}, id="flavor"
        ),
        pytest.param({"image": "tagged"}, id="image"),
    ],
)
def test_only_tagged_servers_move_where_the_segment_wants_so(engine, cloud, option, marks) -> None:
    option("instance_ha_servers", segments={engine.segment.name: "tag"}, disks="shared")
    cloud.images = {"tagged": {"automatic-recovery": "yes"}, "plain": {}}
    tagged, plain = cloud.boot(**marks), cloud.boot(image="plain")
    gone = cloud.boot(image="deleted meanwhile")

    engine.recover()

    assert (tagged.host, plain.host, gone.host) == ("h2", "h1", "h1")
    assert set(engine.vmoves()) == {tagged.id}


def test_a_disk_that_is_on_the_lost_host_alone_is_never_rebuilt(engine, cloud) -> None:
    cloud.shared_disks = False
    local = cloud.boot(image="cirros")
    stopped = cloud.boot(image="cirros", vm_state="stopped", power_state=4)
    volume = cloud.boot(image="snapshot", volumes={"v": "/dev/vda"})

    engine.recover()

    assert (local.host, stopped.host, volume.host) == ("h1", "h1", "h2")
    assert local.vm_state == "active", "not left in the error of the try"
    assert engine.vmoves() == {
        local.id: ("ignored", None),
        stopped.id: ("ignored", None),
        volume.id: ("succeeded", "h2"),
    }
    assert "its disk is on h1 alone" in engine.told("left")[0]


def test_a_disk_on_shared_storage_is_found_by_the_destination(engine, cloud) -> None:
    server = cloud.boot(image="cirros")

    engine.recover()

    assert (server.host, server.vm_state) == ("h2", "active")
    assert cloud.migrated[0].asked


def test_who_vouches_for_shared_storage_is_not_asked(engine, cloud, option) -> None:
    option("instance_ha_servers", disks="shared")
    cloud.shared_disks = False
    server = cloud.boot(image="cirros")

    engine.recover()

    assert (server.host, cloud.migrated[0].asked) == ("h2", False)


def test_a_disk_that_is_known_to_be_local_is_not_even_tried(engine, cloud, option) -> None:
    option("instance_ha_servers", disks="local")
    local, volume = cloud.boot(image="cirros"), cloud.boot()

    engine.recover()

    assert (local.host, volume.host) == ("h1", "h2")
    assert [uuid for uuid, _ in cloud.orders] == [volume.id]
    assert "disk on the lost host" in engine.told("left")[0]


def test_higher_priorities_go_first_and_a_group_one_after_the_other(engine, cloud, option) -> None:
    option(None, host_failure_recovery_threads=1)
    plain = cloud.boot()
    shop = cloud.boot(metadata={"instance-ha:group": "shop", "instance-ha:priority": "10"})
    base = cloud.boot(metadata={"instance-ha:group": "shop", "instance-ha:priority": "20"})

    engine.recover()

    assert [uuid for uuid, _ in cloud.orders] == [base.id, shop.id, plain.id]
