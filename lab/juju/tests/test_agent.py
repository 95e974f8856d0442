# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The agent: failed hooks, lost machines, restarts, and the juju command."""

import json

import jubilant
import pytest

from lab.juju.errors import NotPlayedError, RequestError

from .play import tool


def write_and_fail(context):
    peers = next(r for r in context.model.relations.values() if r.peer)
    tool(context, "relation-set", "-r", f"pp:{peers.id}", "lost=yes")
    tool(context, "secret-add", "a=1")
    tool(context, "open-port", "80")
    return 1


def bag(lab) -> dict:
    info = json.loads(lab.juju("show-unit", "giver/0").output)["giver/0"]
    return info["relation-info"][0]["local-unit"]["data"]


def test_a_failed_hook_leaves_nothing_and_is_shown(lab):
    lab.runner.effects["giver/0", "start"] = write_and_fail
    lab.juju("deploy", "giver")
    lab.until(lambda: lab.unit("giver/0")["workload-status"]["current"] == "error", "the error")
    shown = lab.unit("giver/0")
    assert shown["workload-status"]["message"] == 'hook failed: "start"'
    assert shown["open-ports"] == []
    assert "lost" not in bag(lab)
    assert json.loads(lab.juju("secrets").output) == {}


def test_a_failed_hook_is_tried_again_after_5_10_and_20_seconds(lab):
    lab.runner.effects["giver/0", "start"] = lambda context: 1
    lab.juju("deploy", "giver")
    for tries, wait_s in enumerate((5, 10, 20), start=1):
        lab.until_ran("giver/0", "start", tries)
        lab.until_idle("giver/0")
        lab.clock.now += wait_s - 0.1
        lab.juju("config", "giver", f"size={tries}")  # the agent looks again
        lab.until_idle("giver/0")
        assert lab.runner.hooks.count(("giver/0", "start")) == tries
        lab.clock.now += 0.2
    del lab.runner.effects["giver/0", "start"]
    lab.until_ran("giver/0", "start", 4)
    lab.until_ran("giver/0", "config-changed", 2)


def test_resolved_runs_the_hook_again_at_once(lab):
    lab.runner.effects["giver/0", "install"] = lambda context: 1
    lab.juju("deploy", "giver")
    lab.until_ran("giver/0", "install")
    lab.until_idle("giver/0")
    del lab.runner.effects["giver/0", "install"]
    lab.juju("resolved", "giver/0")
    lab.until_ran("giver/0", "start")
    assert lab.runner.hooks.count(("giver/0", "install")) == 2


def test_resolved_without_retry_passes_over_the_hook(lab):
    lab.runner.effects["giver/0", "config-changed"] = lambda context: 1
    lab.juju("deploy", "giver")
    lab.until_ran("giver/0", "config-changed")
    lab.until_idle("giver/0")
    lab.juju("resolved", "--no-retry", "giver/0")
    lab.until_ran("giver/0", "start")
    assert lab.runner.hooks.count(("giver/0", "config-changed")) == 1


def test_a_machine_without_power_is_lost_and_starts_again(lab):
    lab.juju("deploy", "giver", "--to", "0,1")
    lab.until_ran("giver/0", "start")
    lab.until_ran("giver/1", "start")
    lab.until_idle("giver/0")
    lab.places["machine/0"].run = 0
    lab.until(lambda: lab.unit("giver/0")["juju-status"]["current"] == "lost", "giver/0 lost")
    lab.juju("config", "giver", "size=9")
    lab.until_ran("giver/1", "config-changed", 2)
    assert lab.runner.hooks.count(("giver/0", "config-changed")) == 1
    lab.clock.now += 61
    lab.until_ran("giver/1", "leader-elected")
    ran = len(lab.runner.hooks)
    lab.places["machine/0"].run = 2
    lab.until_ran("giver/0", "config-changed", 2)
    # What its peers said while it was away follows, and may already have come.
    order = [hook for unit, hook in lab.runner.hooks[ran:] if unit == "giver/0"]
    assert order[:2] == ["start", "config-changed"]
    assert not lab.unit("giver/0")["leader"]


def test_the_model_outlives_its_agent(lab):
    lab.juju("deploy", "giver")
    lab.juju("deploy", "taker")
    lab.juju("integrate", "giver", "taker")
    lab.until_ran("taker/0", "take-relation-joined")
    lab.until_idle("taker/0")
    lab.stop()
    ran = len(lab.runner.hooks)
    lab.agent = lab.start()
    lab.juju("config", "giver", "size=4")
    lab.until_ran("giver/0", "config-changed", 2)
    again = [hook for unit, hook in lab.runner.hooks[ran:] if unit == "giver/0"]
    assert "install" not in again
    assert json.loads(lab.juju("config", "giver").output)["settings"]["size"]["value"] == 4


def test_an_action_is_waited_for_and_its_failure_told(lab):
    lab.runner.effects["giver/0", "actions/act"] = lambda context: (
        tool(context, "action-set", f"n={context.task.params['n']}", "story=one\ntwo") and 0
    )
    lab.juju("deploy", "giver")
    done = lab.juju("run", "giver/leader", "act", "n=7", "--format", "json")
    task = json.loads(done.output)["giver/0"]
    assert (task["status"], task["results"]["n"], done.code) == ("completed", "7", 0)
    plain = lab.juju("run", "giver/leader", "act", "n=7")
    assert plain.output == "n: '7'\nstory: |-\n  one\n  two\n", (
        "people get the results, and nothing around them"
    )
    lab.runner.effects["giver/0", "actions/act"] = write_and_fail
    failed = lab.juju("run", "giver/0", "act", "n=1")
    assert failed.code == 1
    assert "task failed" in failed.errors
    assert "lost" not in bag(lab)
    assert lab.unit("giver/0")["workload-status"]["current"] != "error"


def test_update_status_comes_as_often_as_the_model_says(lab):
    lab.juju("model-config", "update-status-hook-interval=10s")
    lab.juju("deploy", "giver")
    lab.until_ran("giver/0", "start")
    lab.until_idle("giver/0")
    assert ("giver/0", "update-status") not in lab.runner.hooks
    lab.clock.now += 11
    lab.until_ran("giver/0", "update-status")


class Client(jubilant.Juju):
    """jubilant without a process between."""

    def __init__(self, lab) -> None:
        super().__init__()
        self.lab = lab

    def cli(self, *words, include_model=True, stdin=None) -> str:
        return self.lab.juju(*words).output


def test_jubilant_reads_the_status(lab):
    lab.juju("deploy", "giver", "--to", "0")
    lab.juju("deploy", "beside")
    lab.juju("integrate", "giver", "beside")
    lab.until_ran("beside/0", "start")
    status = Client(lab).status()
    assert status.machines["0"].instance_id == "sys-h1"
    assert status.apps["giver"].units["giver/0"].subordinates["beside/0"].leader
    assert status.apps["beside"].subordinate_to == ["giver"]


def test_removal_ends_with_an_empty_model(lab):
    lab.juju("deploy", "giver", "--num-units", "2")
    lab.juju("deploy", "taker")
    lab.juju("integrate", "giver:give", "taker:take")
    lab.until_ran("taker/0", "take-relation-joined", 2)
    lab.juju("remove-relation", "giver", "taker")
    lab.juju("remove-application", "--no-prompt", "giver", "taker")
    lab.until(lambda: lab.status()["applications"] == {}, "nothing is left")
    assert ("taker/0", "take-relation-broken") in lab.runner.hooks


def test_secrets_of_the_operator(lab):
    uri = lab.juju("add-secret", "maas", "key=one").output.strip()
    lab.juju("update-secret", "maas", "key=two")
    shown = json.loads(lab.juju("show-secret", uri, "--reveal").output)
    assert next(iter(shown.values()))["content"]["Data"] == {"key": "two"}
    lab.juju("remove-secret", "maas")
    assert json.loads(lab.juju("secrets").output) == {}


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("bootstrap", "cloud"), id="command"),
        pytest.param(("deploy", "giver", "--bind", "x"), id="option"),
        pytest.param(("deploy", "giver", "--channel", "edge"), id="channel"),
        pytest.param(("deploy", "giver", "--to", "lxd:0"), id="placement"),
        pytest.param(("deploy", "bundle.yaml"), id="bundle"),
        pytest.param(("refresh", "giver"), id="store"),
        pytest.param(("model-config", "proxy=x"), id="model setting"),
    ],
)
def test_what_is_not_played_is_refused(lab, words):
    with pytest.raises(NotPlayedError, match="not played"):
        lab.juju(*words)


def test_another_model_is_refused(lab):
    with pytest.raises(RequestError, match='model "other" not found'):
        lab.juju("status", "--model", "other")
