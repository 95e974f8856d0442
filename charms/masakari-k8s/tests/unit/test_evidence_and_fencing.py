# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json

import pytest
from ops import testing

from .cloud import (
    API,
    ENGINE,
    FENCING,
    GRANTED,
    HOSTMONITOR,
    MANAGEMENT,
    STORAGE,
    TENANT,
    Cloud,
    consul,
    instead,
    running,
    secret,
    without,
)

ALL = {API, ENGINE, HOSTMONITOR}


def with_bag(relation: testing.Relation, bag: dict[str, str]) -> testing.Relation:
    return dataclasses.replace(relation, remote_app_data=bag)


class TestNetworks:
    @pytest.mark.parametrize(
        ("networks", "declared"),
        [
            ((MANAGEMENT, TENANT, STORAGE), "management,tenant,storage"),
            ((MANAGEMENT, STORAGE), "management,storage"),
            ((MANAGEMENT,), "management"),
        ],
    )
    def test_networks_are_those_that_are_declared(self, cloud: Cloud, networks, declared: str):
        others = without("consul-management", "consul-tenant", "consul-storage")

        cloud.run(cloud.state(*others, *networks))

        assert f"networks = {declared}\n" in cloud.file(HOSTMONITOR, "instance-ha.conf")

    def test_silent_network_starts_no_monitor_with_fewer(self, cloud: Cloud):
        state = cloud.run(cloud.state(*instead(consul("storage", None))))

        assert running(state) == {API, ENGINE}
        assert cloud.file(HOSTMONITOR, "instance-ha.conf") is None

    def test_network_that_falls_silent_changes_no_running_monitor(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        before = cloud.file(HOSTMONITOR, "instance-ha.conf")
        silent = dataclasses.replace(consul("storage", None), id=STORAGE.id)
        others = {one for one in state.relations if one.id != STORAGE.id}

        state = cloud.run(dataclasses.replace(state, relations={*others, silent}))

        assert HOSTMONITOR in running(state)
        assert cloud.file(HOSTMONITOR, "instance-ha.conf") == before
        assert cloud.replans.count(HOSTMONITOR) == 1
        assert state.unit_status.name == "waiting"

    @pytest.mark.parametrize("networks", [(), (TENANT,)])
    def test_networks_that_cannot_judge_are_refused(self, cloud: Cloud, networks):
        others = without("consul-management", "consul-tenant", "consul-storage")

        state = cloud.run(cloud.state(*others, *networks))

        assert state.unit_status == testing.BlockedStatus(
            "integrate with consul-storage or consul-management"
        )
        assert running(state) == {API, ENGINE}


class TestHypervisors:
    def test_what_machines_say_is_handed_on_without_a_restart(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        assert json.loads(cloud.file(HOSTMONITOR, "hypervisors.json")) == {}
        path = "/etc/masakari/hypervisors.json"
        assert f"hypervisors_file = {path}\n" in cloud.file(HOSTMONITOR, "instance-ha.conf")
        bags = {
            0: {"contract": "1", "nova_host": '"h1"', "boot_id": '"b-1"', "address": '"10.0.0.1"'},
            1: {},
        }
        machines = testing.Relation(
            "hypervisors", remote_app_name="masakari-monitors", remote_units_data=bags
        )

        state = cloud.run(dataclasses.replace(state, relations={*state.relations, machines}))

        assert json.loads(cloud.file(HOSTMONITOR, "hypervisors.json")) == {
            "h1": {"boot_id": "b-1", "address": "10.0.0.1"}
        }
        assert cloud.replans == [API, ENGINE, HOSTMONITOR]
        assert state.unit_status == testing.ActiveStatus()

    def test_nonsense_of_one_machine_is_told_and_stops_nothing(self, cloud: Cloud):
        bags = {0: {"contract": "1", "nova_host": "{"}, 1: {"contract": "1", "nova_host": '"h2"'}}
        machines = testing.Relation(
            "hypervisors", remote_app_name="masakari-monitors", remote_units_data=bags
        )
        state = cloud.state()

        state = cloud.run(dataclasses.replace(state, relations={*state.relations, machines}))

        assert state.unit_status.name == "blocked"
        assert running(state) == ALL
        assert json.loads(cloud.file(HOSTMONITOR, "hypervisors.json")).keys() == {"h2"}


class TestFencing:
    def test_without_fencing_only_the_api_runs(self, cloud: Cloud):
        state = cloud.run(cloud.state(*without("fencing")))

        assert running(state) == {API}

    def test_none_is_a_choice_by_name(self, cloud: Cloud):
        state = cloud.run(cloud.state(*without("fencing"), config={"fencing-mode": "none"}))

        assert state.unit_status == testing.ActiveStatus()
        assert running(state) == ALL
        assert "mode = none\n" in cloud.file(ENGINE, "instance-ha.conf")
        assert cloud.file(ENGINE, "maas-credentials") is None

    def test_none_of_the_authority_is_not_taken_for_ours(self, cloud: Cloud):
        offer = with_bag(FENCING, {"mode": '"none"', "contract": "1"})

        state = cloud.run(cloud.state(*instead(offer)))

        assert state.unit_status.name == "blocked"
        assert running(state) == {API}

    def test_new_targets_and_keys_are_written_without_a_restart(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        failed = {"result": "failed", "reason": "maas: no", "tested_at": "2026-11-21T12:00:00Z"}
        targets = json.dumps({"h2": {"system_id": "sys-h2", **failed}})
        fencing = dataclasses.replace(
            state.get_relation(FENCING.id),
            remote_app_data={**FENCING.remote_app_data, "targets": targets},
        )
        others = {one for one in state.relations if one.id != FENCING.id}
        key = secret("maas", api_key="x:y:z")

        state = cloud.run(
            dataclasses.replace(state, relations={*others, fencing}, secrets={*GRANTED[:2], key})
        )

        assert json.loads(cloud.file(ENGINE, "fence-targets.json")) == {
            "h2": {
                "system_id": "sys-h2",
                "fqdn": "",
                "hostname": "",
                "storage_addresses": [],
                "tested_at": "2026-11-21T12:00:00Z",
                "problem": "maas: no",
            }
        }
        assert cloud.file(ENGINE, "maas-credentials") == "x:y:z\n"
        assert cloud.replans == [API, ENGINE, HOSTMONITOR]

    def test_credentials_go_with_the_relation(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        others = {one for one in state.relations if one.id != FENCING.id}

        state = cloud.run(dataclasses.replace(state, relations=others))

        assert cloud.file(ENGINE, "maas-credentials") is None
        assert cloud.file(HOSTMONITOR, "maas-credentials") is None
        assert running(state) == ALL, "what runs is left alone; it fails closed"
