# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a hook finds in its environment, as recorded."""

import pytest

from lab.juju import controller, runner
from lab.juju.charmdir import ActionSpec, Charm

from .play import Play, ends, tool

GIVER = Charm(
    name="giver",
    endpoints=ends(give="provides tr", pp="peers pp"),
    actions={"act": ActionSpec()},
)
TAKER = Charm(name="taker", endpoints=ends(take="requires tr"))


def share(context, hook):
    if hook == "give-relation-created" and context.leader:
        uri = tool(context, "secret-add", "--label", "s", "a=1").strip()
        tool(context, "secret-grant", "--relation", context.env["JUJU_RELATION_ID"], uri)
        tool(context, "relation-set", "--app", f"secret={uri}")
    if hook == "secret-changed":
        tool(context, "secret-get", "--refresh", context.env["JUJU_SECRET_ID"])


def read(context, hook):
    if hook == "take-relation-joined" and context.env["JUJU_REMOTE_UNIT"] == "giver/0":
        uri = tool(context, "relation-get", "--app", "secret", "giver").strip().strip('"')
        tool(context, "secret-get", uri, "--label", "mine")
    if hook == "secret-changed":
        tool(context, "secret-get", "--refresh", context.env["JUJU_SECRET_ID"])


@pytest.fixture
def play() -> Play:
    play = Play()
    play.deploy(GIVER, effect=share)
    play.deploy(TAKER, effect=read)
    controller.integrate(play.model, "giver", "taker")
    play.settle()
    return play


def upcoming(play: Play, name: str, hook: str) -> dict[str, str]:
    """Return the variables of the next hook of a unit, which must be *hook*."""
    event = play.next(name)
    assert event
    assert event.hook == hook
    unit = play.model.units[name]
    return runner.environment(play.model, unit, event=event, context_id="x")


def test_a_hook_of_a_relation(play):
    controller.add_units(play.model, "giver")
    for _ in range(3):
        play.step("giver/1")
    found = upcoming(play, "taker/0", "take-relation-joined")
    assert found["JUJU_RELATION"] == "take"
    assert found["JUJU_RELATION_ID"] == "take:1"
    assert found["JUJU_REMOTE_UNIT"] == "giver/1"
    assert found["JUJU_REMOTE_APP"] == "giver"
    assert found["JUJU_HOOK_NAME"] == "take-relation-joined"
    assert found["JUJU_DISPATCH_PATH"] == "hooks/take-relation-joined"


def test_an_action_has_no_hook_name_and_a_small_number(play):
    controller.request_action(play.model, "giver/0", "act", {})
    found = upcoming(play, "giver/0", "actions/act")
    assert found["JUJU_HOOK_NAME"] == ""
    assert found["JUJU_DISPATCH_PATH"] == "actions/act"
    assert (found["JUJU_ACTION_NAME"], found["JUJU_ACTION_UUID"]) == ("act", "1")


def test_secret_changed_names_a_uri_and_the_readers_label_and_secret_remove_a_bare_id(play):
    (secret,) = play.model.secrets.values()
    secret.revisions[2] = {"a": "2"}
    found = upcoming(play, "taker/0", "secret-changed")
    assert found["JUJU_SECRET_ID"] == f"secret:{secret.id}"
    assert found["JUJU_SECRET_LABEL"] == "mine"
    play.step("taker/0")
    found = upcoming(play, "giver/0", "secret-remove")
    assert found["JUJU_SECRET_ID"] == secret.id
    assert found["JUJU_SECRET_REVISION"] == "1"


@pytest.mark.parametrize(
    ("restarted", "app"),
    [pytest.param(False, "taker", id="agent ran on"), pytest.param(True, "", id="restarted")],
)
def test_broken_names_the_remote_application_only_to_an_agent_that_ran_on(play, restarted, app):
    for told in play.model.units["giver/0"].told.values():
        told.restored = restarted
    controller.remove_relation(play.model, "giver", "taker")
    play.step("giver/0")
    found = upcoming(play, "giver/0", "give-relation-broken")
    assert found["JUJU_REMOTE_APP"] == app


def test_nothing_of_this_machines_environment_leaks(play, monkeypatch):
    monkeypatch.setenv("OS_PASSWORD", "mine")
    play.model.applications["giver"].config_version += 1
    found = upcoming(play, "giver/0", "config-changed")
    assert "OS_PASSWORD" not in found
    assert found["PATH"].startswith("/var/lib/juju/tools/unit-giver-0:")
