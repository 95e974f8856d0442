# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import datetime
import json

import ops
import pytest
from ops import testing

KEY = "consumer:token:s3cr3t"
SECRET = testing.Secret({"api-key": KEY})
CONFIG = {"maas-url": "http://10.0.0.2:5240/MAAS", "maas-credentials": SECRET.id}


def says(host: str) -> dict[str, str]:
    return {
        key: json.dumps(value)
        for key, value in {
            "contract": 1,
            "nova_host": host,
            "hostname": host,
            "system_id": f"sys-{host}",
        }.items()
    }


def hypervisors(*hosts: str) -> testing.Relation:
    return testing.Relation(
        "hypervisors", remote_units_data={n: says(host) for n, host in enumerate(hosts)}
    )


def state(*relations: testing.RelationBase, **changes: object) -> testing.State:
    base = testing.State(
        relations={
            testing.SubordinateRelation("juju-info"),
            testing.PeerRelation("peers"),
            *relations,
        },
        secrets={SECRET},
        config=CONFIG,
        leader=True,
    )
    return dataclasses.replace(base, **changes)


def offered(out: testing.State, relation: testing.Relation) -> dict[str, object]:
    bag = out.get_relation(relation.id).local_app_data
    return {key: json.loads(value) for key, value in bag.items()}


def test_tested_hypervisors_are_offered(ctx, machines):
    known, fencing = hypervisors("h1", "h2"), testing.Relation("fencing")

    out = ctx.run(ctx.on.relation_changed(known), state(known, fencing))

    offer = offered(out, fencing)
    assert offer["mode"] == "maas"
    assert {name: target["result"] for name, target in offer["targets"].items()} == {
        "h1": "ok",
        "h2": "ok",
    }
    assert out.unit_status == testing.ActiveStatus()


def test_the_key_travels_as_a_granted_secret_only(ctx, machines):
    known, fencing = hypervisors("h1"), testing.Relation("fencing")

    out = ctx.run(ctx.on.relation_changed(known), state(known, fencing))

    secret = out.get_secret(label="fencing-credentials")
    assert secret.latest_content == {"api-key": KEY}
    assert secret.remote_grants == {fencing.id: {"remote"}}
    bags = [r.local_app_data | r.local_unit_data for r in out.relations if hasattr(r, "id")]
    assert "s3cr3t" not in str(bags)
    assert not [entry for entry in ctx.juju_log if "s3cr3t" in entry.message]


def test_a_rotated_key_reaches_the_relation_and_tests_anew(ctx, machines):
    known, fencing = hypervisors("h1"), testing.Relation("fencing")
    once = ctx.run(ctx.on.relation_changed(known), state(known, fencing))
    fresh = dataclasses.replace(SECRET, latest_content={"api-key": "consumer:token:n3w"})
    secrets = {s for s in once.secrets if s.id != SECRET.id} | {fresh}

    out = ctx.run(ctx.on.secret_changed(fresh), dataclasses.replace(once, secrets=secrets))

    secret = out.get_secret(label="fencing-credentials")
    assert secret.latest_content == {"api-key": "consumer:token:n3w"}
    assert machines.asked == ["h1", "h1"]


def test_a_host_is_not_asked_again_before_its_time(ctx, machines):
    known = hypervisors("h1")
    once = ctx.run(ctx.on.relation_changed(known), state(known))

    ctx.run(ctx.on.update_status(), once)

    assert machines.asked == ["h1"]


def test_only_the_leader_asks(ctx, machines):
    known = hypervisors("h1")

    ctx.run(ctx.on.relation_changed(known), state(known, leader=False))

    assert machines.asked == []


@pytest.mark.parametrize("answer", ["unknown", "error"])
def test_an_unclear_power_state_is_a_broken_fence(ctx, machines, answer):
    machines.states["sys-h1"] = answer
    known, fencing = hypervisors("h1"), testing.Relation("fencing")

    out = ctx.run(ctx.on.relation_changed(known), state(known, fencing))

    target = offered(out, fencing)["targets"]["h1"]
    assert target["result"] == "failed"
    assert answer in target["reason"]
    assert out.unit_status == ops.BlockedStatus("h1 cannot be fenced: run the test-fencing action")


def test_a_machine_that_maas_does_not_know_is_named(ctx, machines):
    known = hypervisors("h9")

    out = ctx.run(ctx.on.relation_changed(known), state(known))

    assert "h9" in out.unit_status.message


def test_a_hypervisor_that_left_is_forgotten(ctx, machines):
    both, fencing = hypervisors("h1", "h2"), testing.Relation("fencing")
    once = ctx.run(ctx.on.relation_changed(both), state(both, fencing))
    one = dataclasses.replace(both, remote_units_data={0: says("h1")})

    out = ctx.run(
        ctx.on.relation_departed(one, remote_unit=1, departing_unit=1),
        dataclasses.replace(
            once, relations={r for r in once.relations if r.id != both.id} | {one}
        ),
    )

    assert list(offered(out, fencing)["targets"]) == ["h1"]


@pytest.mark.parametrize(
    ("changes", "relations", "status"),
    [
        pytest.param({"config": {}}, ["h1"], "config: set maas-url", id="no-url"),
        pytest.param(
            {"config": {"maas-url": "http://m/MAAS"}},
            ["h1"],
            "config: set maas-credentials to a secret",
            id="no-secret",
        ),
        pytest.param(
            {"secrets": set()},
            ["h1"],
            "grant the maas-credentials secret to this app",
            id="not-granted",
        ),
        pytest.param(
            {"secrets": {dataclasses.replace(SECRET, latest_content={"api-key": "only-one"})}},
            ["h1"],
            "maas-credentials: api-key must be A:B:C",
            id="half-a-key",
        ),
        pytest.param({}, [], "integrate with masakari-monitors:hypervisor", id="alone"),
        pytest.param({}, ["h1", "h1"], "two hypervisors are named h1", id="one-name-twice"),
    ],
)
def test_what_is_missing_is_the_status(ctx, machines, changes, relations, status):
    known = [hypervisors(*relations)] if relations else []

    out = ctx.run(ctx.on.update_status(), state(*known, **changes))

    assert out.unit_status == ops.BlockedStatus(status)


def test_a_malformed_databag_is_named_and_the_others_are_tested(ctx, machines):
    known = testing.Relation(
        "hypervisors", remote_units_data={0: says("h1"), 1: {"nova_host": "not json"}}
    )

    out = ctx.run(ctx.on.relation_changed(known), state(known))

    assert out.unit_status == ops.BlockedStatus("hypervisors: malformed nova_host")
    assert machines.asked == ["h1"]


def test_the_action_asks_every_machine_now(ctx, machines):
    known = hypervisors("h1", "h2")
    once = ctx.run(ctx.on.relation_changed(known), state(known))
    machines.states["sys-h2"] = "unknown"

    with pytest.raises(testing.ActionFailed, match="cannot be fenced: h2"):
        ctx.run(ctx.on.action("test-fencing"), once)

    found = json.loads(ctx.action_results["hypervisors"])
    assert (found["h1"]["result"], found["h1"]["rungs"]) == ("ok", {"maas": "ok"})
    assert found["h1"]["tested-at"]
    assert "unknown" in found["h2"]["rungs"]["maas"]


def test_the_action_tells_hosts_whose_names_are_no_keys_of_a_result(ctx, machines):
    machines.states["sys-H_1.Rack"] = "on"

    ctx.run(ctx.on.action("test-fencing"), state(hypervisors("H_1.Rack")))

    assert json.loads(ctx.action_results["hypervisors"])["H_1.Rack"]["result"] == "ok"


def test_the_action_says_why_it_cannot_ask(ctx, machines):
    with pytest.raises(testing.ActionFailed, match="not ready: config: set maas-url"):
        ctx.run(ctx.on.action("test-fencing"), state(config={}))


BMCS = {"h1": [{"type": "ipmi", "address": "10.9.0.1", "username": "u", "password": "p4ss"}]}


def bmc_secret(bmcs: object = BMCS) -> testing.Secret:
    return testing.Secret({"bmcs": json.dumps(bmcs)})


def test_the_hypervisors_own_controllers_travel_as_a_granted_secret_only(ctx, machines):
    known, fencing, secret = hypervisors("h1"), testing.Relation("fencing"), bmc_secret()
    config = CONFIG | {
        "bmc-credentials": secret.id, "rungs": "ipmi,maas", "segment-rungs": "rack-1:maas",
    }  # fmt: skip

    out = ctx.run(
        ctx.on.relation_changed(known),
        state(known, fencing, config=config, secrets={SECRET, secret}),
    )

    offer = offered(out, fencing)
    granted = out.get_secret(label="bmc-credentials")
    assert json.loads(granted.latest_content["bmcs"]) == BMCS
    assert granted.remote_grants == {fencing.id: {"remote"}}
    assert offer["bmcs"] == granted.id
    assert (offer["rungs"], offer["segment_rungs"]) == (["ipmi", "maas"], {"rack-1": "maas"})
    bags = [r.local_app_data | r.local_unit_data for r in out.relations if hasattr(r, "id")]
    assert "p4ss" not in str(bags)
    assert not [entry for entry in ctx.juju_log if "p4ss" in entry.message]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"other": "x"}, "bmc-credentials: the key bmcs is missing"),
        ({"bmcs": "h1: [p4ss"}, "bmc-credentials: bmcs is not YAML"),
        ({"bmcs": "h1: {type: ilo, password: p4ss}"}, "bmc-credentials: BMCs of h1: type must"),
    ],
)
def test_a_list_of_controllers_that_cannot_be_used_is_named_without_a_secret(
    ctx, machines, content, words
):
    secret = testing.Secret(content)
    config = CONFIG | {"bmc-credentials": secret.id}

    out = ctx.run(
        ctx.on.config_changed(),
        state(hypervisors("h1"), config=config, secrets={SECRET, secret}),
    )

    assert isinstance(out.unit_status, testing.BlockedStatus)
    assert out.unit_status.message.startswith(words)
    assert "p4ss" not in out.unit_status.message
    assert not [entry for entry in ctx.juju_log if "p4ss" in entry.message]


@pytest.mark.parametrize(
    "option", [{"rungs": "maas,voodoo"}, {"segment-rungs": "rack-1:"}, {"segment-rungs": ":maas"}]
)
def test_a_ladder_that_means_nothing_is_named(ctx, machines, option):
    out = ctx.run(ctx.on.config_changed(), state(hypervisors("h1"), config=CONFIG | option))

    assert isinstance(out.unit_status, testing.BlockedStatus)
    assert out.unit_status.message.startswith(f"config: {next(iter(option))}")


def test_one_rung_that_works_protects_a_hypervisor_and_the_other_is_told(ctx, machines):
    machines.states["sys-h1"] = "error"
    machines.bmcs = {"ipmi": "on"}
    known, fencing = hypervisors("h1"), testing.Relation("fencing")

    out = ctx.run(ctx.on.relation_changed(known), state(known, fencing))

    target = offered(out, fencing)["targets"]["h1"]
    assert target["result"] == "ok"
    assert target["rungs"]["ipmi"] == "ok"
    assert target["reason"].startswith("maas: the power state is error")


def aged(known: testing.State, **by: float) -> testing.State:
    """Return the state as it is after some time in which nothing was tested."""
    peers = next(r for r in known.relations if r.endpoint == "peers")
    targets = json.loads(peers.local_app_data["targets"])
    for target in targets.values():
        tested = datetime.datetime.fromisoformat(target["tested_at"])
        target["tested_at"] = (tested - datetime.timedelta(**by)).isoformat(timespec="seconds")
    old = dataclasses.replace(peers, local_app_data={"targets": json.dumps(targets)})
    return dataclasses.replace(
        known, relations={r for r in known.relations if r.id != peers.id} | {old}
    )


@pytest.mark.parametrize(
    ("hours", "interval", "status"),
    [
        (1, 10, testing.ActiveStatus()),
        (5, 10, ops.BlockedStatus("h1: fence path not tested for 5 h")),
        (5, 120, testing.ActiveStatus()),
        (7, 120, ops.BlockedStatus("h1: fence path not tested for 7 h")),
    ],
)
def test_a_result_that_is_too_old_says_its_age(ctx, machines, hours, interval, status):
    config = CONFIG | {"check-interval": interval}
    known = hypervisors("h1")
    once = ctx.run(ctx.on.relation_changed(known), state(known, config=config))

    out = ctx.run(
        ctx.on.update_status(), dataclasses.replace(aged(once, hours=hours), leader=False)
    )

    assert out.unit_status == status


def test_a_large_clouds_tests_are_spread_over_time(ctx, machines, monkeypatch):
    monkeypatch.setattr("charm.AT_ONCE", 2)
    many, fencing = hypervisors("h1", "h2", "h3"), testing.Relation("fencing")
    machines.states["sys-h3"] = "on"

    once = ctx.run(ctx.on.relation_changed(many), state(many, fencing))

    assert machines.asked == ["h1", "h2"]
    assert "not come yet" in offered(once, fencing)["targets"]["h3"]["reason"]

    ctx.run(ctx.on.update_status(), once)

    assert machines.asked == ["h1", "h2", "h3"]
