# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

from ops import testing

from .cloud import (
    API,
    DATABASE,
    ENGINE,
    HOSTMONITOR,
    PEERS,
    Cloud,
    running,
    without,
)

ALL = {API, ENGINE, HOSTMONITOR}


class TestSchema:
    def test_leader_migrates_once(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        cloud.run(state)

        migrations = [one for one in cloud.commands(ENGINE) if "sync" in one]
        assert migrations == [
            "masakari-manage --config-file /etc/masakari/masakari.conf "
            "--config-file /etc/masakari/instance-ha-store.conf db sync",
            "instance-ha --config-file /etc/masakari/instance-ha-store.conf db-sync",
        ]
        assert state.get_relation(PEERS.id).local_app_data["schema"].startswith("22.0.0-")

    def test_follower_waits_for_the_leader(self, cloud: Cloud):
        state = cloud.run(cloud.state(leader=False))

        assert running(state) == set()
        assert not [one for one in cloud.commands(ENGINE) if "sync" in one]
        assert state.unit_status == testing.WaitingStatus(
            "waiting for the leader to migrate the database"
        )

    def test_follower_starts_when_the_leader_is_done(self, cloud: Cloud):
        peers = cloud.run(cloud.state()).get_relation(PEERS.id)
        cloud.context.exec_history.clear()

        state = cloud.run(cloud.state(*without("peers"), peers, leader=False))

        assert running(state) == ALL
        assert not [one for one in cloud.commands(ENGINE) if "sync" in one]

    def test_other_database_is_migrated_too(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        moved = dataclasses.replace(
            state.get_relation(DATABASE.id),
            remote_app_data={"endpoints": "db2:6446", "secret-user": "secret:db"},
        )
        others = {one for one in state.relations if one.endpoint != "database"}

        cloud.run(dataclasses.replace(state, relations={*others, moved}))

        assert sum("db sync" in one for one in cloud.commands(ENGINE)) == 2

    def test_failed_migration_starts_nothing_and_is_tried_again(self, cloud: Cloud):
        cloud.migration_fails = True
        state = cloud.run(cloud.state())
        assert running(state) == set()
        assert state.unit_status == testing.WaitingStatus(
            "database not migrated yet: see juju debug-log"
        )

        cloud.migration_fails = False
        assert running(cloud.run(state)) == ALL
