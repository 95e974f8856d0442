# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A life of the application; what counts is what was started anew, and that the API stays up."""

import dataclasses
import pathlib
import random
import shutil

import ops
import pytest
from ops import testing

from .cloud import (
    API,
    ENGINE,
    HOSTMONITOR,
    PEERS,
    READY,
    Cloud,
    instead,
    running,
)

ALL = {API, ENGINE, HOSTMONITOR}
STARTED = [API, ENGINE, HOSTMONITOR]


def related(
    state: testing.State, *relations: testing.RelationBase, gone: str = ""
) -> testing.State:
    """Return *state* with other relations in it, or without those of an endpoint."""
    named = {one.endpoint for one in relations} | {gone}
    kept = {one for one in state.relations if one.endpoint not in named}
    return dataclasses.replace(state, relations={*kept, *relations})


@pytest.fixture
def follower(tmp_path: pathlib.Path) -> Cloud:
    """Another unit of the application; what it starts is counted with the first one's."""
    (tmp_path / "follower").mkdir()
    return Cloud(tmp_path / "follower")


class TestScale:
    def test_a_unit_that_joins_and_goes_restarts_nobody(self, cloud: Cloud, follower: Cloud):
        leader = cloud.run(cloud.state())
        alone = leader.get_relation(PEERS.id)

        joined = follower.run(follower.state(leader=False))

        for units in ({1: {}, 2: {}}, {}):
            peers = dataclasses.replace(alone, peers_data=units)
            leader = cloud.run(related(leader, peers))
            joined = follower.run(related(joined, alone))
            assert running(joined) == running(leader) == ALL

        assert cloud.replans == STARTED * 2, "once in each of the two units"
        assert not [one for one in follower.commands(ENGINE) if "sync" in one]

    def test_a_new_leader_migrates_nothing_and_restarts_nothing(self, cloud: Cloud):
        peers = cloud.run(cloud.state()).get_relation(PEERS.id)
        state = cloud.run(cloud.state(*instead(peers), leader=False))
        cloud.context.exec_history.clear()
        before = len(cloud.replans)

        state = dataclasses.replace(cloud.again(state), leader=True)
        state = cloud.context.run(cloud.context.on.leader_elected(), state)

        assert len(cloud.replans) == before
        assert not [one for one in cloud.commands(ENGINE) if "sync" in one]
        assert state.unit_status == testing.ActiveStatus()
        database = next(one for one in state.relations if one.endpoint == "database")
        assert database.local_app_data["database"] == "masakari_api", "the leader asks for all"


TAKES_PART = {
    "ingress-internal": [API],
    "consul-storage": [HOSTMONITOR],
    "consul-tenant": [HOSTMONITOR],
    "consul-management": [HOSTMONITOR],
}
"""Endpoint -> who is started anew when it goes or comes: what is served, what is watched."""


class TestRelations:
    @pytest.mark.parametrize("relation", READY[:-1], ids=lambda one: one.endpoint)
    def test_one_that_breaks_and_comes_back_stops_nothing(self, cloud: Cloud, relation):
        state = cloud.run(cloud.state())
        there = state.get_relation(relation.id)

        broken = cloud.context.run(cloud.context.on.relation_broken(there), cloud.again(state))
        away = cloud.run(related(broken, gone=relation.endpoint))
        back = cloud.run(related(away, relation))

        assert running(broken) == running(away) == running(back) == ALL
        assert back.unit_status == testing.ActiveStatus()
        assert cloud.replans[3:] == TAKES_PART.get(relation.endpoint, []) * 2

    @pytest.mark.parametrize("seed", range(6))
    def test_the_order_in_which_they_are_made_does_not_matter(
        self, cloud: Cloud, follower: Cloud, seed: int
    ):
        order = random.Random(seed).sample(READY[:-1], len(READY) - 1)
        state = cloud.state(PEERS)
        for relation in order:
            state = cloud.run(related(state, relation))
        before = list(cloud.replans)
        cloud.run(state)

        assert state.unit_status == testing.ActiveStatus()
        assert running(state) == ALL
        assert cloud.replans == before
        follower.run(follower.state())
        assert cloud.files() == follower.files(), "as if all had been there at once"


class TestUpgrade:
    def test_units_of_two_versions_run_side_by_side(self, cloud: Cloud, follower: Cloud):
        old_leader = cloud.run(cloud.state())
        peers = old_leader.get_relation(PEERS.id)
        unit = follower.run(follower.state(*instead(peers), leader=False))
        started = len(cloud.replans)

        follower.plugin.write_text("N = 2\n")
        waiting = follower.run(unit)
        assert running(waiting) == ALL, "what runs goes on until the leader has migrated"
        assert not [one for one in follower.commands(ENGINE) if "sync" in one]

        cloud.plugin.write_text("N = 2\n")
        leader = cloud.context.run(cloud.context.on.upgrade_charm(), cloud.again(old_leader))
        assert cloud.replans[started:] == [ENGINE, HOSTMONITOR], "the API has no plugin"
        unit = follower.run(related(waiting, leader.get_relation(PEERS.id)))

        assert cloud.replans[started:] == [ENGINE, HOSTMONITOR] * 2
        assert running(leader) == running(unit) == ALL
        assert follower.path(ENGINE, "opt/instance-ha/lib/instance_ha/model.py") == "N = 2\n"

    def test_a_unit_that_is_still_old_goes_on_beside_a_new_leader(
        self, cloud: Cloud, follower: Cloud
    ):
        peers = cloud.run(cloud.state()).get_relation(PEERS.id)
        old = follower.run(follower.state(*instead(peers), leader=False))
        commands = len(follower.commands(ENGINE))
        newer = dataclasses.replace(peers, local_app_data={"schema": "23.0.0-other"})

        old = follower.run(related(old, newer))

        assert running(old) == ALL
        assert not [one for one in follower.commands(ENGINE)[commands:] if "sync" in one]

    def test_back_to_the_old_version(self, cloud: Cloud):
        state = cloud.run(cloud.state())
        for text in ("N = 2\n", ""):
            cloud.plugin.write_text(text)
            state = cloud.run(state)

        assert running(state) == ALL
        assert cloud.replans == [*STARTED, *[ENGINE, HOSTMONITOR] * 2]

    @pytest.mark.parametrize("name", STARTED)
    def test_a_new_image_starts_its_own_container_only(self, cloud: Cloud, name: str):
        state = cloud.run(cloud.state())
        shutil.rmtree(cloud.root / "containers" / name)
        fresh = cloud.container(name)
        others = {one for one in state.containers if one.name != name}
        state = cloud.again(dataclasses.replace(state, containers={*others, fresh}))

        ready = cloud.context.on.pebble_ready(state.get_container(name))
        state = cloud.context.run(ready, state)

        assert cloud.replans == [*STARTED, name]
        assert running(state) == ALL
        assert state.unit_status == testing.ActiveStatus()


def test_a_life_ends_without_an_error(cloud: Cloud):
    state = cloud.run(cloud.state())
    for relation in READY[:-1]:
        there = state.get_relation(relation.id)
        broken = cloud.context.on.relation_broken(there)
        state = cloud.context.run(broken, cloud.again(state))
        state = related(state, gone=relation.endpoint)
    for event in (cloud.context.on.stop(), cloud.context.on.remove()):
        state = cloud.context.run(event, cloud.again(state))

    assert cloud.file(ENGINE, "maas-credentials") is None
    assert cloud.replans[3:].count(ENGINE) == 0


def test_files_are_for_the_services_eyes_only(cloud: Cloud, monkeypatch: pytest.MonkeyPatch):
    pushed: dict[str, tuple[int | None, str | None, str | None]] = {}
    push = ops.Container.push

    def note(container, path, source, **how):
        pushed[f"{container.name}:{path}"] = (
            how.get("permissions"), how.get("user"), how.get("group")
        )  # fmt: skip
        push(container, path, source, **how)

    monkeypatch.setattr(ops.Container, "push", note)
    cloud.run(cloud.state())

    ours = {path: how for path, how in pushed.items() if ":/etc/masakari/" in path}
    assert len(ours) >= 8
    for path, (mode, user, group) in ours.items():
        assert mode == 0o640, path
        assert (user, group) == ("root", "masakari"), path
    code = {path: how[0] for path, how in pushed.items() if ":/opt/" in path}
    assert set(code.values()) <= {0o644, 0o755, 0o640}
    assert not [path for path in pushed if ":/etc/masakari/" not in path and ":/opt/" not in path]
