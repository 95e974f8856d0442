# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import fakes
import pytest
from instance_recovery import asking, daily, verdict
from instance_recovery.errors import (
    ActionFailedError,
    ApplicationMissingError,
    SettingsError,
)
from instance_recovery.ports import Model
from instance_recovery.verdict import AnswerError


@pytest.fixture
def enabled(cloud):
    cloud.applications = {
        Model.CONTROL: {"masakari": "plan"},
        Model.MACHINES: {"masakari-monitors": "plan", "hacluster-shim": "plan"},
    }
    return cloud


def test_status_says_that_all_is_ready(enabled):
    lines, ready = daily.status(enabled, fakes.NODES)
    assert ready
    assert lines == [
        "h1.maas  segment segment  protected  fence ok",
        "h2.maas  segment segment  protected  fence ok",
        "ready: every hypervisor is protected",
    ]


def test_status_tells_what_is_not_well(enabled):
    enabled.hosts["segment"]["h2.maas"] = False
    enabled.pauses = [{"id": 1, "name": "", "scope": "cloud", "reason": "work"}]
    enabled.incidents = [
        {"host": "h1.maas", "state": "held", "reason": "too many"},
        {"host": "h2.maas", "state": "closed", "reason": ""},
    ]
    enabled.findings = [{"about": "h3", "fact": "nobody enrolled it"}]
    lines, ready = daily.status(enabled, fakes.NODES)
    assert not ready
    assert lines[1:] == [
        "h2.maas  segment segment  NOT protected  fence ok",
        "paused: cloud: work",
        "h1.maas: held: too many",
        "note: h3: nobody enrolled it",
        "not ready:",
        "  * h2.maas: it has no fence",
    ]


def test_status_spells_out_that_nobody_fences(enabled):
    del enabled.applications[Model.MACHINES]["hacluster-shim"]
    lines, ready = daily.status(enabled, fakes.NODES)
    assert ready
    assert lines[0].endswith("unfenced by choice")


def test_a_fence_that_fails_is_in_the_verdict(enabled):
    enabled.fences["h2.maas"] = "failed"
    lines, ready = daily.status(enabled, fakes.NODES)
    assert not ready
    assert any("h2.maas: cannot be fenced" in line for line in lines)


def test_a_shim_that_is_not_ready_says_so(enabled):
    enabled.broken_actions = {"test-fencing"}
    with pytest.raises(ActionFailedError, match="the charm is unwell"):
        asking.power(enabled)


def test_a_cloud_without_masakari_says_what_to_run(cloud):
    with pytest.raises(ApplicationMissingError, match="Enable it"):
        daily.status(cloud, fakes.NODES)


def test_the_cloud_is_paused_and_resumed(enabled):
    said = daily.pause(enabled, reason="work", node=None, duration=None)
    assert said == ["the cloud is not recovered until sunbeam instance-recovery resume"]
    assert daily.resume(enabled, node=None) == ["the cloud is recovered again when it is lost"]
    assert enabled.pauses == []


def test_a_node_is_paused_under_novas_name(enabled):
    said = daily.pause(enabled, reason="work", node="h1", duration="2h")
    assert said == ["h1 is not recovered for 2h"]
    assert enabled.pauses[0]["name"] == "h1.maas"
    daily.resume(enabled, node="h1")
    assert enabled.pauses == []


def test_how_to_end_a_nodes_pause_is_told(enabled):
    (said,) = daily.pause(enabled, reason="work", node="h1", duration=None)
    assert said.endswith("until sunbeam instance-recovery resume --node h1")


def test_a_node_that_nobody_enrolled_cannot_be_paused(enabled):
    with pytest.raises(SettingsError, match="h9 is in no segment"):
        daily.pause(enabled, reason="work", node="h9", duration=None)


def test_maintenance_pauses_a_node_and_ends_only_its_own_pause(enabled):
    daily.pause(enabled, reason="a person's", node="h1", duration=None)
    daily.rest_node(enabled, "h1")
    assert [each["name"] for each in enabled.pauses] == ["h1.maas", "h1.maas"]
    daily.wake_node(enabled, "h1")
    assert [each["reason"] for each in enabled.pauses] == ["a person's"]


def test_maintenance_of_a_node_that_is_not_enrolled_is_no_trouble(enabled):
    daily.rest_node(enabled, "h9")
    daily.wake_node(enabled, "h9")
    assert enabled.pauses == []


def test_drill_tells_what_would_be_done(enabled):
    enabled.hosts["segment"]["h3.maas"] = False
    enabled.guards = {"h2.maas": "pause"}
    lines, ready = daily.drill(enabled, fakes.NODES)
    assert not ready
    assert lines[:3] == [
        "h1.maas: fenced, then its machines start elsewhere",
        "h2.maas: held by pause: it is paused",
        "h3.maas: not recovered: it has no fence",
    ]


def test_drill_warns_where_nobody_fences(enabled):
    del enabled.applications[Model.MACHINES]["hacluster-shim"]
    lines, _ = daily.drill(enabled, fakes.NODES)
    assert lines[0] == "h1.maas: its machines start elsewhere WITHOUT a fence"


def test_a_test_server_is_killed_on_its_own_hypervisor(enabled):
    assert asking.kill_server(enabled, "uuid", machine="1") == {"server": "uuid"}
    assert enabled.drills == [("1", {"server": "uuid", "confirm": True})]


@pytest.mark.parametrize("answer", [{}, {"hosts": "no json"}, {"hosts": "{}"}])
def test_an_answer_of_another_version_is_told(answer):
    with pytest.raises(AnswerError, match="refresh the charm and this feature together"):
        verdict.rows(answer, "hosts")


def test_an_answer_that_should_be_a_mapping_is_one():
    with pytest.raises(AnswerError, match="should be a mapping"):
        verdict.fields({"hypervisors": "[]"}, "hypervisors")
