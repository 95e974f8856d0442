# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every hook tool, called the way ops calls it, and read by ops."""

import pathlib
import re
import subprocess

import pytest
from ops import hookcmds

from lab.juju import controller, tools
from lab.juju.charmdir import ActionSpec, Charm, Option
from lab.juju.context import HookContext
from lab.juju.errors import FlushError, JujuError, NotPlayedError, RequestError
from lab.juju.model import Grant, Model

from .play import Play, ends

GIVER = Charm(
    name="giver",
    endpoints=ends(give="provides tr", pp="peers pp"),
    options={"size": Option(type="int", default=3), "word": Option(type="string")},
    actions={"act": ActionSpec(params={"n": {"type": "integer", "default": 1}})},
    containers={"workload": ""},
    resources=("file",),
)
TAKER = Charm(name="taker", endpoints=ends(take="requires tr"))


@pytest.fixture
def play() -> Play:
    play = Play()
    play.deploy(GIVER, units=2)
    play.deploy(TAKER, units=1)
    controller.integrate(play.model, "giver", "taker")
    play.settle()
    return play


@pytest.fixture
def model(play: Play) -> Model:
    return play.model


class Hook:
    """A hook of one unit, in which ops' own hook commands work."""

    def __init__(self, model: Model, unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
        self.context = HookContext.begin(
            model, unit=model.units[unit], hook="config-changed", env={}
        )
        monkeypatch.setattr(subprocess, "run", self._run)

    def _run(self, words, *, input=None, **_) -> subprocess.CompletedProcess[str]:
        tool, *arguments = words
        read = [
            (key, pathlib.Path(path).read_text()) if found else word
            for word in arguments
            for key, found, path in [word.partition("#file=")]
        ]
        try:
            out = tools.call(self.context, tool=tool, argv=read, stdin=input or "")
        except NotPlayedError:
            raise
        except JujuError as error:
            raise subprocess.CalledProcessError(1, words, "", str(error)) from error
        return subprocess.CompletedProcess(words, 0, out, "")

    def flush(self) -> None:
        self.context.flush()


@pytest.fixture
def hook(model: Model, monkeypatch: pytest.MonkeyPatch):
    return lambda unit="giver/0": Hook(model, unit, monkeypatch)


def refused(call, *words, **named) -> str:
    with pytest.raises(hookcmds.Error) as caught:
        call(*words, **named)
    return caught.value.stderr


def give(model: Model) -> int:
    return next(r.id for r in model.relations.values() if not r.peer)


def test_config_get_knows_defaults_and_leaves_out_what_has_no_value(hook):
    hook()
    assert hookcmds.config_get() == {"size": 3}
    assert hookcmds.config_get("size") == 3


def test_is_leader_is_true_for_one_unit(hook):
    hook("giver/0")
    assert hookcmds.is_leader()
    hook("giver/1")
    assert not hookcmds.is_leader()


def test_relation_ids_list_and_model(hook, model):
    hook()
    assert hookcmds.relation_ids("give") == [f"give:{give(model)}"]
    assert hookcmds.relation_list(give(model), endpoint="give") == ["taker/0"]
    assert hookcmds.relation_list(give(model), app=True) == "taker"
    assert hookcmds.relation_model_get(give(model)).uuid == model.uuid


def test_relation_get_tells_an_address_but_no_private_address(hook, model):
    hook()
    bag = hookcmds.relation_get(give(model), unit="taker/0")
    assert bag == {"egress-subnets": "10.0.0.1/32", "ingress-address": "10.0.0.1"}
    key = hookcmds.relation_get(give(model), unit="taker/0", key="ingress-address")
    assert key == "10.0.0.1"


def test_relation_set_is_read_back_at_once_and_seen_by_others_after_the_hook(hook, model):
    first = hook()
    hookcmds.relation_set({"a": "1", "b": "2"}, give(model), app=True)
    hookcmds.relation_set({"b": ""}, give(model), app=True)
    assert hookcmds.relation_get(give(model), unit="giver", app=True) == {"a": "1"}
    hook("taker/0")
    assert hookcmds.relation_get(give(model), unit="giver", app=True) == {}
    first.flush()
    assert hookcmds.relation_get(give(model), unit="giver", app=True) == {"a": "1"}


def test_a_follower_neither_reads_nor_writes_its_applications_bag(hook, model):
    hook("giver/1")
    assert "permission denied" in refused(
        hookcmds.relation_get, give(model), unit="giver", app=True
    )
    assert "cannot write" in refused(hookcmds.relation_set, {"a": "1"}, give(model), app=True)


def test_a_follower_reads_its_peers_application_bag(hook, model):
    peers = next(r for r in model.relations.values() if r.peer)
    peers.write("giver", {"a": "1"})
    hook("giver/1")
    assert hookcmds.relation_get(peers.id, unit="giver", app=True) == {"a": "1"}


def test_an_unknown_relation_is_refused(hook):
    hook()
    assert "relation not found" in refused(hookcmds.relation_get, 99, unit="taker/0")


def test_a_secret_is_added_granted_read_and_described(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"}, label="s", description="d")
    assert uri.startswith(f"secret://{model.uuid}/")
    hookcmds.secret_grant(uri, give(model))
    bare = uri.rpartition("/")[2]
    assert hookcmds.secret_ids() == [bare]
    info = hookcmds.secret_info_get(label="s")
    assert (info.id, info.revision, info.label, info.description) == (bare, 1, "s", "d")
    owner.flush()
    hook("taker/0")
    assert hookcmds.secret_get(id=uri, label="mine") == {"value": "one"}
    assert hookcmds.secret_get(label="mine") == {"value": "one"}


def test_secret_info_tells_who_may_read(hook, model):
    first = hook()
    uri = hookcmds.secret_add({"value": "one"})
    hookcmds.secret_grant(uri, give(model))
    raw = tools.call(first.context, tool="secret-info-get", argv=[uri])
    assert '"target": "application-taker"' in raw
    assert '"scope": "relation-taker.take#giver.give"' in raw


def test_an_ungranted_secret_is_refused_and_a_revoked_one_again(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"})
    owner.flush()
    hook("taker/0")
    assert refused(hookcmds.secret_get, id=uri) == "permission denied"
    owner = hook()
    hookcmds.secret_grant(uri, give(model))
    owner.flush()
    hook("taker/0")
    assert hookcmds.secret_get(id=uri) == {"value": "one"}
    owner = hook()
    hookcmds.secret_revoke(uri, relation_id=give(model))
    owner.flush()
    hook("taker/0")
    assert refused(hookcmds.secret_get, id=uri) == "permission denied"


def test_a_grant_ends_with_its_relation(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"})
    hookcmds.secret_grant(uri, give(model))
    owner.flush()
    del model.relations[give(model)]
    hook("taker/0")
    assert refused(hookcmds.secret_get, id=uri) == "permission denied"


def test_consumers_and_owner_stay_at_the_revision_they_read(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"}, label="s")
    hookcmds.secret_grant(uri, give(model))
    hookcmds.secret_get(label="s")
    owner.flush()
    taker = hook("taker/0")
    hookcmds.secret_get(id=uri)
    taker.flush()
    owner = hook()
    hookcmds.secret_set(uri, content={"value": "two"})
    assert hookcmds.secret_get(label="s") == {"value": "one"}, "old in the hook that sets it"
    owner.flush()
    hook("taker/0")
    assert hookcmds.secret_get(id=uri) == {"value": "one"}
    assert hookcmds.secret_get(id=uri, peek=True) == {"value": "two"}
    assert hookcmds.secret_get(id=uri, refresh=True) == {"value": "two"}
    assert hookcmds.secret_get(id=uri) == {"value": "two"}


def test_the_same_content_is_no_new_revision(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"})
    owner.flush()
    owner = hook()
    hookcmds.secret_set(uri, content={"value": "one"}, label="named")
    owner.flush()
    secret = next(iter(model.secrets.values()))
    assert (secret.latest, secret.label) == (1, "named")


def test_only_the_leader_keeps_secrets_of_the_application(hook, model):
    hook("giver/1")
    assert "not the leader" in refused(hookcmds.secret_add, {"value": "one"})
    own = hook("giver/1")
    uri = hookcmds.secret_add({"value": "own"}, owner="unit")
    own.flush()
    hook("giver/0")
    assert refused(hookcmds.secret_get, id=uri) == "permission denied"
    assert refused(hookcmds.secret_set, uri, content={"value": "x"}) == "permission denied"


def test_a_follower_reads_its_applications_secret(hook):
    leader = hook()
    hookcmds.secret_add({"value": "one"}, label="s")
    leader.flush()
    hook("giver/1")
    assert hookcmds.secret_get(label="s") == {"value": "one"}


def test_a_label_twice_fails_at_the_end_of_the_hook(hook, model):
    owner = hook()
    hookcmds.secret_add({"value": "one"}, label="s")
    hookcmds.secret_add({"value": "two"}, label="s")
    hookcmds.relation_set({"a": "1"}, give(model))
    with pytest.raises(FlushError, match="already exists"):
        owner.flush()
    assert model.secrets == {}
    assert "a" not in model.relations[give(model)].bags["giver/0"]


def test_a_removed_revision_and_a_removed_secret_are_gone(hook, model):
    owner = hook()
    uri = hookcmds.secret_add({"value": "one"})
    hookcmds.secret_set(uri, content={"value": "two"})
    hookcmds.secret_remove(uri, revision=1)
    owner.flush()
    assert list(next(iter(model.secrets.values())).revisions) == [2]
    owner = hook()
    hookcmds.secret_remove(uri)
    owner.flush()
    assert model.secrets == {}


def test_a_secret_of_the_operator_is_read_once_granted(hook, model):
    secret = controller.add_secret(model, "maas", {"key": "k"})
    hook()
    assert refused(hookcmds.secret_get, id=f"secret:{secret.id}") == "permission denied"
    secret.grants.append(Grant(app="giver"))
    assert hookcmds.secret_get(id=f"secret:{secret.id}") == {"key": "k"}


def test_statuses(hook, model):
    hook()
    hookcmds.status_set("active", "-ready-")
    hookcmds.status_set("blocked", "whole", app=True)
    status = hookcmds.status_get(app=True)
    assert (status.status, status.message) == ("blocked", "whole")
    assert status.units["giver/0"].message == "-ready-"
    assert hookcmds.status_get().status == "active"
    hook("giver/1")
    assert "not the leader" in refused(hookcmds.status_set, "active", app=True)
    assert "not the leader" in refused(hookcmds.status_get, app=True)


def test_ports_are_opened_and_closed_when_the_hook_ends_well(hook, model):
    first = hook()
    hookcmds.open_port("tcp", 8080)
    hookcmds.open_port("udp", 53)
    hookcmds.close_port("udp", 53)
    assert [port.port for port in hookcmds.opened_ports()] == [8080]
    assert model.units["giver/0"].ports == set()
    first.flush()
    assert model.units["giver/0"].ports == {"8080/tcp"}


def test_state_is_kept_with_the_unit(hook, model):
    first = hook()
    hookcmds.state_set({"a": "1", "b": "2"})
    hookcmds.state_delete("b")
    assert hookcmds.state_get(None) == {"a": "1"}
    first.flush()
    hook()
    assert hookcmds.state_get("a") == "1"


def test_network_get_in_a_pod(hook, model):
    hook()
    network = hookcmds.network_get("give", relation_id=give(model))
    assert network.ingress_addresses == ["10.0.0.1"]
    assert network.bind_addresses[0].addresses[0].value == "10.0.0.1"
    assert "no network config" in refused(hookcmds.network_get, "nothing")


def test_a_binding_says_which_network_a_machine_answers_on(hook, model):
    hook()
    app, unit = model.applications["giver"], model.units["giver/0"]
    unit.machine = 1
    controller.bind(app, {"give": "storage"})

    network = hookcmds.network_get("give")
    assert network.ingress_addresses == ["10.73.0.12"]
    with pytest.raises(RequestError, match="no binding else"):
        controller.bind(app, {"else": "storage"})


def test_goal_state_leaves_out_peers(hook):
    first = hook()
    text = tools.call(first.context, tool="goal-state", argv=["--format=json"])
    assert '"taker": {"status": "joined"' in text
    assert '"pp"' not in text


def test_the_workloads_version_is_the_applications(hook, model):
    hook()
    hookcmds.app_version_set("1.2")
    assert model.applications["giver"].workload_version == "1.2"


def test_an_actions_parameters_results_log_and_failure(hook, model):
    task = controller.request_action(model, "giver/0", "act", {"n": 2})
    first = hook()
    first.context.task = task
    assert hookcmds.action_get() == {"n": 2}
    assert hookcmds.action_get("n") == 2
    hookcmds.action_log("half way")
    hookcmds.action_set({"a": {"b": "c"}})
    hookcmds.action_fail("no")
    assert (task.log, task.results, task.message) == (["half way"], {"a": {"b": "c"}}, "no")
    assert task.status == "failed"


def test_action_tools_outside_of_an_action_are_refused(hook):
    hook()
    assert "not running an action" in refused(hookcmds.action_get)


def test_juju_log_writes_into_the_models_log(hook, caplog):
    hook()
    with caplog.at_level("INFO", logger="charm"):
        hookcmds.juju_log("a --line", level="WARNING")
    assert "unit-giver/0 config-changed: a --line" in caplog.text


def test_resources_and_credentials_are_not_there(hook):
    hook()
    assert "not found" in refused(hookcmds.resource_get, "file")
    assert "cannot access" in refused(hookcmds.credential_get)


@pytest.mark.parametrize("tool", [*tools.UNPLAYED, "never-heard-of"])
def test_what_is_not_played_is_a_hard_error(hook, tool):
    first = hook()
    with pytest.raises(NotPlayedError, match="not played"):
        tools.call(first.context, tool=tool, argv=[])


def test_an_unknown_option_is_a_hard_error(hook):
    first = hook()
    with pytest.raises(NotPlayedError, match="option --strict-mode of relation-get"):
        tools.call(first.context, tool="relation-get", argv=["--strict-mode", "-"])


def test_every_tool_that_ops_calls_is_played_or_refused_by_name():
    source = pathlib.Path(hookcmds.__file__).parent
    texts = [file.read_text() for file in source.glob("*.py")]
    called = {word for text in texts for word in re.findall(r"run\('([^']*)'", text)}
    assert len(called) > 30
    assert called <= {*tools.TOOLS, *tools.UNPLAYED}
