# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The order of hooks against the record of a real Juju."""

import json
import pathlib

import pytest

from lab.juju import controller
from lab.juju.charmdir import ActionSpec, Charm, Option
from lab.juju.context import HookContext

from .play import Play, ends, tool

RECORD = json.loads(pathlib.Path(__file__).with_name("trace.json").read_text())


def recorder(name: str, **endpoints: str) -> Charm:
    return Charm(
        name=name,
        subordinate=name == "ms",
        endpoints=ends(pp="peers pp", **endpoints),
        options={"greeting": Option(type="string", default="hi")},
        actions={"newrev": ActionSpec()},
        containers={} if name in ("mp", "ms") else {"workload": ""},
    )


def record(context: HookContext, hook: str) -> None:
    """What the recording charm did in its hooks."""
    if hook == "config-changed":
        greeting = context.app.settings()["greeting"]
        peers = next(r for r in context.model.relations_of(context.unit.app) if r.peer)
        tool(context, "relation-set", "-r", f"pp:{peers.id}", f"greeting={greeting}")
        if context.leader:
            tool(context, "relation-set", "-r", f"pp:{peers.id}", "--app", f"greeting={greeting}")
    if hook == "give-relation-created" and context.leader:
        uri = tool(context, "secret-add", "--label", "s1", "value=one").strip()
        tool(context, "secret-grant", "--relation", context.env["JUJU_RELATION_ID"], uri)
        tool(context, "relation-set", "--app", f"secret={uri}")
    if hook == "take-relation-created" and context.leader:
        tool(context, "relation-set", "--app", "taken=yes")
    if hook == "take-relation-changed" and context.env["JUJU_REMOTE_UNIT"]:
        uri = json.loads(tool(context, "relation-get", "--app", "secret", "p"))
        tool(context, "secret-get", uri, "--label", "tk")
    if hook == "newrev":
        tool(context, "secret-get", "--label", "s1")
        secret = json.loads(tool(context, "secret-ids"))[0]
        tool(context, "secret-set", secret, "value=two")
    if hook == "secret-changed":
        tool(context, "secret-get", "--refresh", context.env["JUJU_SECRET_ID"])


def effect(context: HookContext, hook: str) -> None:
    record(context, hook.removeprefix("actions/"))


def same(seen: list[str], recorded: list[str]) -> None:
    """Compare two orders; relation-created hooks among themselves promise no order."""

    def key(lines: list[str]) -> list[str]:
        created = sorted(line for line in lines if line.endswith("-created"))
        return [created.pop(0) if line.endswith("-created") else line for line in lines]

    assert key(seen) == key(recorded)


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def related(play: Play) -> Play:
    """p and r, deployed and integrated, pebble seen."""
    play.deploy(recorder("p", give="provides tr"), effect=effect)
    play.deploy(recorder("r", take="requires tr"), effect=effect)
    play.settle()
    play.workloads = {"p/0": {"workload": "a"}, "r/0": {"workload": "a"}}
    play.settle()
    controller.integrate(play.model, "p:give", "r:take")
    return play


@pytest.fixture
def scaled(related: Play) -> Play:
    related.settle()
    controller.add_units(related.model, "p")
    related.settle()
    related.workloads["p/1"] = {"workload": "a"}
    related.settle()
    return related


def test_a_quick_pod_starts_before_pebble_is_seen(play):
    play.deploy(recorder("p", give="provides tr"), effect=effect)
    first = play.settle()["p/0"]
    play.workloads["p/0"] = {"workload": "a"}
    same(first + play.settle()["p/0"], RECORD["deploy"]["p/0"])


def test_a_slow_pod_sees_pebble_before_its_configuration(play):
    play.deploy(recorder("q"), effect=effect)
    play.workloads["q/0"] = {"workload": "a"}
    same(play.settle()["q/0"], RECORD["deploy slow"]["q/0"])


def test_the_side_that_takes_sees_the_application_before_any_unit(related):
    seen = related.settle("p/0", "r/0")
    same(seen["r/0"], RECORD["integrate"]["r/0"])


def test_the_side_that_gives_sees_the_same_hooks_in_one_of_the_two_orders(related):
    # whether the remote application has written when its unit joins is a matter of moments
    seen = related.settle("p/0", "r/0")
    assert sorted(seen["p/0"]) == sorted(RECORD["integrate"]["p/0"])


def test_a_new_unit_sees_other_relations_before_its_peers(related):
    related.settle()
    controller.add_units(related.model, "p")
    seen = related.settle("p/1", "p/0", "r/0")
    related.workloads["p/1"] = {"workload": "a"}
    seen["p/1"] += related.settle()["p/1"]
    for unit, recorded in RECORD["scale"].items():
        same(seen[unit], recorded)


def test_a_pod_sees_a_configuration_change_twice(scaled):
    controller.set_config(scaled.model.applications["p"], {"greeting": "bye"})
    seen = scaled.settle()
    for unit, recorded in RECORD["config"].items():
        same(seen[unit], recorded)


def test_a_new_revision_is_told_to_consumers_and_then_the_old_one_is_removable(scaled):
    controller.request_action(scaled.model, "p/0", "newrev", {})
    seen = scaled.settle("p/0", "r/0")
    assert seen == RECORD["new revision"]


def test_a_killed_container_is_only_announced_again(scaled):
    scaled.workloads["p/1"] = {"workload": "b"}
    assert scaled.settle() == RECORD["container killed"]


def refresh(play: Play, name: str) -> None:
    app = play.model.applications[name]
    controller.refresh(app, app.charm, resources={})


def settle_refresh(play: Play, name: str) -> dict[str, list[str]]:
    """Refresh as on quick pods: Pebble is seen again once all hooks of the roll ran."""
    pebbles, play.workloads = play.workloads, {}
    refresh(play, name)
    seen = play.settle()
    play.workloads = {unit: {"workload": "new"} for unit in pebbles}
    for unit, hooks in play.settle().items():
        seen.setdefault(unit, []).extend(hooks)
    return seen


def test_a_refresh_rolls_the_pods_from_the_highest(scaled):
    seen = settle_refresh(scaled, "p")
    for unit, recorded in RECORD["refresh"].items():
        same(seen[unit], recorded)
    refresh(scaled, "p")
    scaled.settle("p/0", "p/1")
    stops = [unit for unit, hook in scaled.hooks if hook == "stop"]
    assert stops == ["p/1", "p/0"]


def test_a_unit_removed_after_a_refresh_sees_its_peers_broken(scaled):
    settle_refresh(scaled, "p")
    controller.remove_unit(scaled.model, "p/1")
    seen = scaled.settle()
    for unit, recorded in RECORD["remove unit"].items():
        same(seen[unit], recorded)


def test_a_removed_relation_departs_and_breaks_on_both_sides(related):
    related.settle()
    controller.remove_relation(related.model, "p:give", "r:take")
    assert related.settle() == RECORD["remove relation"]
    assert not [r for r in related.model.relations.values() if not r.peer]


def test_a_lone_unit_leaves_without_a_word_of_its_peers(play):
    play.deploy(recorder("r", take="requires tr"), effect=effect)
    play.settle()
    controller.remove_application(play.model, "r")
    assert play.settle() == RECORD["remove application"]
    assert play.model.applications == {}


def test_units_that_go_together_name_themselves_as_departing(play):
    play.deploy(recorder("q"), effect=effect, units=2)
    play.settle()
    controller.remove_application(play.model, "q")
    assert play.settle() == RECORD["remove application of two"]


@pytest.fixture
def machine(play: Play) -> Play:
    play.deploy(recorder("mp", sub="provides hs container"), effect=effect, machines=[0])
    play.deploy(recorder("ms", host="requires hs container"), effect=effect)
    controller.integrate(play.model, "mp:sub", "ms:host")
    return play


def test_a_subordinate_comes_once_its_principal_entered(machine):
    seen = machine.settle()
    for unit, recorded in RECORD["machine"].items():
        same(seen[unit], recorded)


def test_a_subordinate_goes_with_its_relation_and_its_application_stays(machine):
    machine.settle()
    controller.remove_relation(machine.model, "mp", "ms")
    assert machine.settle() == RECORD["machine remove relation"]
    assert "ms" in machine.model.applications
    controller.integrate(machine.model, "mp:sub", "ms:host")
    assert "ms/1" in machine.settle(), "a new subordinate gets the next number"


def test_a_principal_takes_its_subordinate_along(machine):
    machine.settle()
    controller.remove_relation(machine.model, "mp", "ms")
    machine.settle()
    controller.integrate(machine.model, "mp:sub", "ms:host")
    machine.settle()
    controller.remove_application(machine.model, "mp")
    seen = machine.settle("mp/0", "ms/1")
    same(seen["mp/0"], RECORD["machine remove principal"]["mp/0"])
    assert seen["ms/1"][-1] == "remove"
    assert machine.model.units == {}
