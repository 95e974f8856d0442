# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import pytest
from ops import testing

from .cloud import (
    ENGINE,
    HOSTMONITOR,
    Cloud,
    consul,
    instead,
    without,
)


class TestActions:
    def act(
        self,
        cloud: Cloud,
        name: str,
        params: dict[str, object] | None = None,
        *,
        state: testing.State | None = None,
    ):
        action = cloud.context.on.action(name, params=params or {})
        cloud.context.run(action, cloud.again(state or cloud.run(cloud.state())))
        return cloud.context.action_results

    @pytest.mark.parametrize(
        ("name", "params", "command"),
        [
            ("list-segments", {}, "segment list"),
            (
                "create-segment",
                {"name": "a", "recovery-method": "rh_priority", "description": "rack 1"},
                "segment create a --recovery-method=rh_priority --description=rack 1",
            ),
            ("list-hosts", {"segment": "a"}, "host list a"),
            (
                "add-host",
                {"segment": "a", "host": "h1", "reserved": True},
                "host add a h1 --reserved",
            ),
            ("list-incidents", {"host": "h1"}, "incident list --host=h1"),
            ("show-incident", {"id": 3}, "incident show 3"),
            ("show-incident", {"host": "h1"}, "incident show --host=h1"),
            ("simulate-failure", {"hosts": "h1,h2"}, "simulate h1,h2"),
            ("simulate-failure", {"zone": "az 1"}, "simulate --zone=az 1"),
            ("show-readiness", {}, "readiness"),
            ("run-drill", {"host": "h1", "dry-run": True}, "drill h1 --dry-run"),
            (
                "run-drill",
                {"host": "h1", "again": "h1", "confirm": True, "who": "eve"},
                "drill h1 --again=h1 --author=eve",
            ),
        ],
    )
    def test_actions_are_the_command(self, cloud: Cloud, name: str, params, command: str):
        results = self.act(cloud, name, params)

        assert cloud.commands(HOSTMONITOR)[-1] == (
            f"instance-ha --config-file /etc/masakari/instance-ha.conf --format json {command}"
        )
        assert results["count"] == 0

    def test_failure_is_the_command_own_sentence(self, cloud: Cloud):
        cloud.check_fails_in = {HOSTMONITOR}

        with pytest.raises(testing.ActionFailed, match=r"cannot be loaded.*run the check action"):
            self.act(cloud, "list-segments")

    def test_what_was_found_wanting_is_told_with_all_that_was_found(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        cloud.check_fails_in = {HOSTMONITOR}
        cloud.answer = '[{"step": "found lost", "result": "too late"}]'

        with pytest.raises(testing.ActionFailed, match="run-drill: fence_host_task cannot be"):
            self.act(
                cloud, "run-drill", {"host": "h1", "again": "h1", "confirm": True}, state=state
            )

        assert cloud.context.action_results == {"drill": cloud.answer, "count": 1}

    def test_an_answer_that_is_no_json_is_shown_as_it_is(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        cloud.answer = "something else"

        assert self.act(cloud, "show-readiness", state=state) == {"readiness": "something else"}

    def test_incident_needs_a_name(self, cloud: Cloud):
        with pytest.raises(testing.ActionFailed, match="run list-incidents"):
            self.act(cloud, "show-incident")

    def test_without_a_controller_the_engine_is_asked(self, cloud: Cloud):
        state = cloud.run(cloud.state(*instead(consul("storage", None))))

        self.act(cloud, "list-segments", state=state)

        assert cloud.commands(ENGINE)[-1].endswith("segment list")
        assert cloud.commands(HOSTMONITOR) == []

    def test_before_anything_is_configured_status_is_the_next_step(self, cloud: Cloud):
        state = cloud.run(cloud.state(*without("database")))

        with pytest.raises(testing.ActionFailed, match="juju status"):
            self.act(cloud, "list-segments", state=state)

    def test_check_looks_into_both_containers(self, cloud: Cloud):
        assert self.act(cloud, "check") == {ENGINE: "[]", HOSTMONITOR: "[]"}

    def test_check_starts_what_it_finds_well(self, cloud: Cloud):
        cloud.check_fails_in = {ENGINE}
        state = cloud.run(cloud.state())
        cloud.check_fails_in = set()

        self.act(cloud, "check", state=state)

        assert cloud.replans[-1] == ENGINE

    def test_check_fails_with_what_is_broken(self, cloud: Cloud):
        cloud.check_fails_in = {ENGINE}

        with pytest.raises(testing.ActionFailed, match=r"masakari-engine: .*requests_oauthlib"):
            self.act(cloud, "check")
