# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Rules that the recorded trace does not show."""

import pytest

from lab.juju import controller, resolver
from lab.juju.charmdir import ActionSpec, Charm, Option
from lab.juju.errors import NotPlayedError, RequestError
from lab.juju.event import Notice, Sighting

from .play import Play, ends, tool

GIVER = Charm(
    name="giver",
    endpoints=ends(give="provides tr", pp="peers pp"),
    options={
        "size": Option(type="int", default=3),
        "word": Option(type="string"),
        "key": Option(type="secret"),
    },
    actions={
        "act": ActionSpec(params={"n": {"type": "integer"}}, required=("n",), additional=False)
    },
)
TAKER = Charm(name="taker", endpoints=ends(take="requires tr"))
HOST = Charm(name="host", endpoints=ends(**{"juju-info": "provides juju-info"}))
BESIDE = Charm(
    name="beside",
    subordinate=True,
    endpoints=ends(**{"juju-info": "requires juju-info container"}),
)


@pytest.fixture
def play() -> Play:
    return Play()


def test_every_rule_names_its_source():
    rules = (*resolver.RULES, *resolver.DYING_RULES)
    assert all("juju-trace" in rule.source or ".go" in rule.source for rule in rules)


def test_a_unit_on_a_machine_that_is_off_sees_nothing_and_others_go_on(play):
    play.deploy(HOST, units=2, machines=[0, 1])
    play.settle()
    play.boots["machine/0"] = ""
    controller.set_config(play.model.applications["host"], {})
    play.model.applications["host"].config_version += 1
    assert play.settle() == {"host/1": ["config-changed"]}


def test_a_machine_that_booted_again_sees_start_first(play):
    play.deploy(HOST, machines=[0])
    play.settle()
    play.model.applications["host"].config_version += 1
    play.boots["machine/0"] = "second"
    assert play.settle() == {"host/0": ["start", "config-changed"]}


def test_a_machine_sees_a_configuration_change_once(play):
    play.deploy(HOST, machines=[0])
    play.settle()
    play.model.applications["host"].config_version += 1
    assert play.settle() == {"host/0": ["config-changed"]}


def test_a_machine_is_refreshed_without_a_stop(play):
    play.deploy(HOST, machines=[0])
    play.settle()
    controller.refresh(play.model.applications["host"], HOST, resources={})
    assert play.settle() == {"host/0": ["upgrade-charm", "config-changed"]}


def test_an_implicit_endpoint_brings_the_principal_no_hooks(play):
    play.deploy(HOST, machines=[0])
    play.deploy(BESIDE)
    controller.integrate(play.model, "host", "beside")
    seen = play.settle()
    assert not [hook for hook in seen["host/0"] if "relation" in hook]
    assert "juju-info-relation-joined(host/0)" in seen["beside/0"]


def test_each_principal_has_a_subordinate_of_its_own_and_sees_no_other(play):
    play.deploy(HOST, units=2, machines=[0, 1])
    play.deploy(BESIDE)
    controller.integrate(play.model, "host", "beside")
    seen = play.settle()
    assert play.model.units["beside/1"].machine == 1
    assert "juju-info-relation-joined(host/0)" not in seen["beside/1"]


def test_a_notice_brings_its_hook_once(play):
    play.deploy(GIVER)
    play.settle()
    unit = play.model.units["giver/0"]
    notice = Notice(key="c/1", stamp="now", hook="c-pebble-custom-notice", env={})
    seen = Sighting(boot="first", notices=(notice,))
    event = resolver.next_event(play.model, unit, seen=seen)
    assert event
    assert event.hook == "c-pebble-custom-notice"
    event.done()
    assert resolver.next_event(play.model, unit, seen=seen) is None


def test_update_status_comes_when_nothing_else_does(play):
    play.deploy(GIVER)
    play.settle()
    unit = play.model.units["giver/0"]
    seen = Sighting(boot="first", update_status=True)
    event = resolver.next_event(play.model, unit, seen=seen)
    assert event
    assert event.hook == "update-status"


def test_a_secret_that_is_due_rotates_and_waits_for_its_next_time(play):
    def keep(context, hook):
        if hook == "install":
            tool(context, "secret-add", "--rotate", "hourly", "--label", "s", "a=1")

    play.deploy(GIVER, effect=keep)
    play.settle()
    secret = next(iter(play.model.secrets.values()))
    assert secret.rotates_at
    play.wall_s = secret.rotates_at + 1
    assert play.settle() == {"giver/0": ["secret-rotate"]}


def test_an_updated_secret_of_the_operator_is_told_to_who_read_it(play):
    secret = controller.add_secret(play.model, "maas", {"key": "one"})

    def read(context, hook):
        if hook == "start":
            tool(context, "secret-get", f"secret:{secret.id}")

    play.deploy(GIVER, effect=read)
    controller.grant_secret(play.model, "maas", ["giver"])
    play.settle()
    controller.update_secret(play.model, "maas", {"key": "two"})
    assert play.settle() == {"giver/0": ["secret-changed"]}


def test_the_last_leaders_removal_elects_the_next(play):
    play.deploy(GIVER, units=2)
    play.settle()
    controller.remove_unit(play.model, "giver/0")
    assert play.settle()["giver/1"][-1] == "leader-elected"


def test_a_lost_leader_is_replaced_and_told_again_when_it_leads_again(play):
    play.deploy(HOST, units=2, machines=[0, 1])
    play.settle()
    controller.elect(play.model, "host", lost=["host/0"])
    assert play.settle() == {"host/1": ["leader-elected"]}
    controller.elect(play.model, "host", lost=["host/1"])
    assert play.settle() == {"host/0": ["leader-elected"]}


def test_a_redeployed_application_starts_afresh(play):
    play.deploy(TAKER)
    play.settle()
    controller.remove_application(play.model, "taker")
    play.settle()
    play.deploy(TAKER)
    assert "taker/0" in play.settle()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        pytest.param({"nothing": 1}, "unknown option", id="unknown"),
        pytest.param({"size": "x"}, "expected int", id="text for a number"),
        pytest.param({"size": True}, "expected int", id="truth for a number"),
        pytest.param({"key": "plain"}, "expected secret", id="no secret's URI"),
    ],
)
def test_a_wrong_option_is_refused(play, values, said):
    with pytest.raises(RequestError, match=said):
        play.deploy(GIVER, config=values)
    assert play.model.applications == {}


def test_a_secret_option_takes_a_uri(play):
    play.deploy(GIVER, config={"key": "secret:abc"})
    assert play.model.applications["giver"].settings()["key"] == "secret:abc"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        pytest.param({}, "n is required", id="missing"),
        pytest.param({"n": "x"}, "must be of type integer", id="wrong type"),
        pytest.param({"n": 1, "m": 1}, "not allowed", id="unknown"),
    ],
)
def test_a_wrong_action_is_refused(play, params, said):
    play.deploy(GIVER)
    with pytest.raises(RequestError, match=said):
        controller.request_action(play.model, "giver/0", "act", params)


def test_an_unknown_action_is_not_found(play):
    play.deploy(GIVER)
    with pytest.raises(RequestError, match=r"\(not found\)"):
        controller.request_action(play.model, "giver/leader", "dance", {})


def test_relations_that_do_not_fit_or_exist_are_refused(play):
    play.deploy(GIVER)
    play.deploy(TAKER)
    with pytest.raises(RequestError, match="no relations found"):
        controller.integrate(play.model, "giver:pp", "taker")
    controller.integrate(play.model, "giver", "taker:take")
    with pytest.raises(RequestError, match="already exists"):
        controller.integrate(play.model, "giver", "taker")


def test_a_limit_of_an_endpoint_is_kept(play):
    once = ends(take="requires tr")["take"].model_copy(update={"limit": 1})
    play.deploy(Charm(name="single", endpoints={"take": once}))
    for name in ("one", "two"):
        play.deploy(GIVER, name)
    controller.integrate(play.model, "one", "single")
    with pytest.raises(RequestError, match="quota limit"):
        controller.integrate(play.model, "two", "single")


def test_containers_on_a_machine_are_not_played(play):
    with pytest.raises(NotPlayedError):
        play.deploy(Charm(name="x", containers={"c": ""}), machines=[0])
