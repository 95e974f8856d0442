# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses

from ops import testing

from .cloud import (
    API,
    ENGINE,
    HOSTMONITOR,
    Cloud,
    running,
)

ALL = {API, ENGINE, HOSTMONITOR}


class TestPlugin:
    def test_engine_is_not_started_on_a_failed_check(self, cloud: Cloud):
        cloud.check_fails_in = {ENGINE}

        state = cloud.run(cloud.state())

        assert running(state) == {API, HOSTMONITOR}
        assert state.unit_status == testing.BlockedStatus(
            "plugin check failed: run the check action"
        )
        assert any("cannot be loaded" in one.message for one in cloud.context.juju_log)

    def test_failed_check_is_done_again(self, cloud: Cloud):
        cloud.check_fails_in = {ENGINE, HOSTMONITOR}
        state = cloud.run(cloud.state())
        cloud.check_fails_in = set()

        state = cloud.run(state)

        assert running(state) == ALL
        assert state.unit_status == testing.ActiveStatus()

    def test_running_engine_is_left_to_the_operator(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        cloud.check_fails_in = {ENGINE}

        state = cloud.run(dataclasses.replace(state, config={"debug": True}))

        assert ENGINE in running(state)
        assert cloud.replans.count(ENGINE) == 1, "a broken plugin must not be started"
        assert state.unit_status.name == "blocked"

    def test_plugin_is_brought_along_with_its_command(self, cloud: Cloud):
        cloud.run(cloud.state())

        for name in (ENGINE, HOSTMONITOR):
            assert cloud.path(name, "opt/instance-ha/lib/instance_ha/model.py") == ""
            assert "masakari_instance_ha.cli" in cloud.path(
                name, "opt/instance-ha/bin/instance-ha"
            )

    def test_changed_plugin_replaces_the_old_one_and_restarts(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        cloud.plugin.rename(cloud.plugin.with_name("other.py"))

        state = cloud.run(state)

        assert cloud.path(ENGINE, "opt/instance-ha/lib/instance_ha/other.py") == ""
        assert cloud.path(ENGINE, "opt/instance-ha/lib/instance_ha/model.py") is None
        assert cloud.replans == [API, ENGINE, HOSTMONITOR, ENGINE, HOSTMONITOR]

    def test_charm_without_plugin_starts_nothing(self, cloud: Cloud):
        cloud.plugin.unlink()

        state = cloud.run(cloud.state())

        assert running(state) == set()
        assert state.unit_status == testing.BlockedStatus(
            "plugin missing: build the charm with tools/stage.py"
        )
