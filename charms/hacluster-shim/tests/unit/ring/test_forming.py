# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import json
import pathlib
import typing

import pytest
from ops import testing

from hacluster_shim.ring import acts, cib, daemons, forming, look, machine, program
from instance_ha.pacemaker import Node, RemoteState, Resource, RingView

KEY = "consumer:token:s3cr3t"
SECRET = testing.Secret({"api-key": KEY})
CONFIG = {
    "maas-url": "http://10.0.0.2:5240/MAAS",
    "maas-credentials": SECRET.id,
    "cluster-count": 2,
}


class Names(typing.NamedTuple):
    """What the kernel says of the machine."""

    nodename: str


class Machine:
    """A member's machine: files below a directory, daemons and tools that remember."""

    def __init__(self, root):
        self.root = root
        self.started = 0
        self.calls = []
        self.wanted = []
        self.fenced = frozenset()
        self.joined = True
        self.nodes = [Node(name="c0", remote=False, online=True, unclean=False)]

    def start(self):
        first, self.started = not self.started, 1
        return first

    def tool(self, name, *words, **_):
        self.calls.append((name, *words))
        return ""

    def ensure(self, wanted):
        changed = not self.wanted or self.wanted[-1] != wanted
        self.wanted.append(wanted)
        self.fenced = frozenset(wanted.levels)
        return changed

    def ring(self):
        return RingView(
            dc="c0",
            quorate=True,
            nodes={node.name: node for node in self.nodes},
            remotes={"h4": RemoteState(joined=self.joined)},
            resources=[Resource(name="vip", agent="ocf:heartbeat:IPaddr2", role="Started")],
        )

    @property
    def conf(self):
        return (self.root / "etc/corosync/corosync.conf").read_text()


@pytest.fixture
def here(tmp_path, monkeypatch):
    here = Machine(tmp_path)
    for module in (daemons, machine):
        monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(daemons, "ensure_installed", lambda: None)
    monkeypatch.setattr(daemons, "start", here.start)
    monkeypatch.setattr(daemons, "is_running", lambda: bool(here.started))
    monkeypatch.setattr(daemons, "hand_over", lambda services: None)
    monkeypatch.setattr(daemons.shutil, "chown", lambda *_, **__: None)
    for module in (daemons, acts):
        monkeypatch.setattr(module, "tool", here.tool)
    monkeypatch.setattr(program, "ensure", lambda: pathlib.Path("/usr/lib/instance-ha/fence-1"))
    monkeypatch.setattr(cib, "ensure", here.ensure)
    monkeypatch.setattr(
        cib, "present", lambda: cib.Present(remotes=frozenset(), fenced=here.fenced)
    )
    monkeypatch.setattr(look, "ring", here.ring)
    monkeypatch.setattr(look, "settled", lambda within_s: here.ring())
    monkeypatch.setattr(look, "links", dict)
    monkeypatch.setattr(forming, "_answers", lambda address: True)
    monkeypatch.setattr(forming, "_JOIN_S", 0)
    monkeypatch.setattr(machine.os, "uname", lambda: Names(nodename="c0"))
    return here


def node(number, **more):
    said = {"contract": 1, "hostname": f"c{number}", "addresses": [f"10.0.0.{number + 10}"]}
    return {key: json.dumps(value) for key, value in (said | more).items()}


def state(*relations, peers=None, **changes):
    base = testing.State(
        relations={
            testing.SubordinateRelation(
                "ha",
                remote_unit_data={"json_resources": json.dumps({"vip": "ocf:heartbeat:IPaddr2"})},
            ),
            testing.PeerRelation("peers"),
            peers or testing.PeerRelation("hanode", peers_data={1: node(1)}),
            *relations,
        },
        secrets={SECRET},
        config=CONFIG,
        leader=True,
    )
    return dataclasses.replace(base, **changes)


def remote(**more):
    said = {
        "remote-hostname": "h4",
        "remote-ip": "10.0.0.4",
        "stonith-hostname": "h4",
        "reads-secrets": True,
    }
    data = {key: json.dumps(value) for key, value in (said | more).items()}
    return testing.Relation("pacemaker-remote", remote_units_data={0: data})


def hanode(out):
    (relation,) = out.get_relations("hanode")
    return relation


def has_files_of(out):
    """Return the state in which the other member has the same files as this one."""
    mine = hanode(out)
    files = json.loads(mine.local_unit_data["files"])
    told = dataclasses.replace(mine, peers_data={1: node(1, files=files)})
    return dataclasses.replace(
        out, relations={r for r in out.relations if r.id != mine.id} | {told}
    )


def test_the_leader_forms_the_ring_once_enough_units_are_there(ctx, machines, here):
    alone = state(peers=testing.PeerRelation("hanode"))
    out = ctx.run(ctx.on.config_changed(), alone)
    assert out.unit_status == testing.WaitingStatus("waiting for 1 more units for the ring")
    assert not here.started

    out = ctx.run(ctx.on.config_changed(), state())

    members = json.loads(hanode(out).local_app_data["members"])
    assert [(each["name"], each["node_id"]) for each in members] == [("c0", 1), ("c1", 2)]
    assert "two_node: 1" in here.conf
    assert here.started
    modes = {
        name: f"{(here.root / name).stat().st_mode & 0o777:o}"
        for name in ("etc/corosync/authkey", "etc/pacemaker/authkey")
    }
    assert modes == {"etc/corosync/authkey": "400", "etc/pacemaker/authkey": "440"}


def test_nothing_is_told_twice_to_corosync(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    out = ctx.run(ctx.on.update_status(), has_files_of(out))
    ctx.run(ctx.on.update_status(), out)

    assert ("corosync-cfgtool", "-R") not in here.calls, "a new ring has just read its files"


def test_a_change_is_read_at_once_by_all_and_only_when_all_have_it(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    out = ctx.run(ctx.on.update_status(), has_files_of(out))
    slower = dataclasses.replace(out, config={**CONFIG, "token-timeout": 5000})

    out = ctx.run(ctx.on.config_changed(), slower)
    assert "token: 5000" in here.conf
    assert ("corosync-cfgtool", "-R") not in here.calls, "the other member has the old file yet"

    ctx.run(ctx.on.update_status(), has_files_of(out))
    assert here.calls.count(("corosync-cfgtool", "-R")) == 1


def test_keys_are_in_no_databag_and_no_log(ctx, machines, here):
    related = remote()
    out = ctx.run(ctx.on.config_changed(), state(related))

    ring = out.get_secret(label="ring-keys").latest_content
    bags = [str(vars(relation)) for relation in out.relations]
    for key in (*ring.values(), KEY):
        assert not [bag for bag in bags if key in bag]
        assert not [entry for entry in ctx.juju_log if key in entry.message]
        assert key not in here.conf
    shared = out.get_secret(label="remote-key")
    assert shared.latest_content == {"pacemaker-key": ring["pacemaker-authkey"]}
    assert shared.remote_grants == {related.id: {"remote"}}


def test_an_old_remote_gets_its_key_in_the_databag_only_by_choice(ctx, machines, here):
    old = remote(**{"reads-secrets": False})
    out = ctx.run(ctx.on.config_changed(), state(old))
    assert "remote-key-in-databag" in out.unit_status.message
    assert "pacemaker-key" not in out.get_relation(old.id).local_unit_data

    chosen = dataclasses.replace(out, config={**CONFIG, "remote-key-in-databag": True})
    out = ctx.run(ctx.on.config_changed(), chosen)
    assert "pacemaker-key" in out.get_relation(old.id).local_unit_data


def test_a_remote_may_be_fenced_only_once_it_was_connected(ctx, machines, here):
    here.joined = False
    out = ctx.run(ctx.on.config_changed(), state(remote()))
    assert "h4" not in here.wanted[-1].levels
    assert [each.hostname for each in here.wanted[-1].remotes] == ["h4"]

    here.joined = True
    out = ctx.run(ctx.on.update_status(), out)
    assert "h4" in here.wanted[-1].levels

    here.joined = False
    ctx.run(ctx.on.update_status(), out)
    assert "h4" in here.wanted[-1].levels, "a lost one stays fenceable"


def test_a_remote_that_was_never_connected_is_awaited_and_not_called_lost(ctx, machines, here):
    unclean = Node(name="h4", remote=True, online=False, unclean=True)
    here.joined = False
    here.nodes.append(unclean)
    out = ctx.run(ctx.on.config_changed(), state(remote()))
    assert out.unit_status == testing.WaitingStatus("waiting for h4 to be connected")

    here.joined = True
    here.nodes.remove(unclean)
    out = ctx.run(ctx.on.update_status(), out)
    watched = json.loads(hanode(out).local_app_data["watched"])
    assert watched == ["h4"], "the other members' word for it: each looks again"

    here.joined = False
    here.nodes.append(unclean)
    out = ctx.run(ctx.on.update_status(), out)
    assert out.unit_status == testing.BlockedStatus("h4 is lost and not fenced: run status")


def test_a_remote_that_nobody_may_fence_is_told_before_it_is_lost(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state(remote(**{"stonith-hostname": None})))
    assert out.unit_status == testing.ActiveStatus(
        "danger: 1 of 1 remotes not fenced: set enable-stonith"
    )
    assert "h4" not in here.wanted[-1].levels


def test_the_principal_is_answered(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    (ha,) = out.get_relations("ha")
    assert ha.local_unit_data["clustered"] == "yes"


def test_a_unit_that_does_not_lead_only_does_its_part(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state(leader=False))
    assert hanode(out).local_app_data == {}
    assert here.wanted == []


def test_the_status_action_tells_the_ring(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    ctx.run(ctx.on.action("status"), out)

    told = ctx.action_results
    assert (told["dc"], told["quorum"]) == ("c0", "yes")
    assert json.loads(told["nodes"]) == {"c0": "member online"}
    assert json.loads(told["fencing"]) == []


@pytest.mark.parametrize(
    ("name", "params"),
    [("rotate-keys", {}), ("update-ring", {}), ("remove-node", {"node": "c1"})],
)
def test_what_disturbs_wants_to_be_confirmed(ctx, machines, here, name, params):
    out = ctx.run(ctx.on.config_changed(), state())
    with pytest.raises(testing.ActionFailed, match="confirm=true"):
        ctx.run(ctx.on.action(name, params=params), out)


def test_a_node_whose_unit_is_there_is_not_removed(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    with pytest.raises(testing.ActionFailed, match="remove that unit first"):
        ctx.run(ctx.on.action("remove-node", params={"node": "c1", "confirm": True}), out)


def test_a_member_without_a_unit_is_named_and_removed(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    mine = hanode(out)
    gone = dataclasses.replace(mine, peers_data={})
    left = dataclasses.replace(
        out, relations={r for r in out.relations if r.id != mine.id} | {gone}
    )

    out = ctx.run(ctx.on.update_status(), left)
    assert "c1 has no unit any more: run update-ring" in out.unit_status.message

    out = ctx.run(ctx.on.action("update-ring", params={"confirm": True}), out)
    assert [m["name"] for m in json.loads(hanode(out).local_app_data["members"])] == ["c0"]
    assert "c1" not in here.conf


def test_keys_are_rotated_only_while_all_is_there(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state(remote()))
    with pytest.raises(testing.ActionFailed, match="not connected: c1"):
        ctx.run(ctx.on.action("rotate-keys", params={"confirm": True}), out)


def test_pause_and_resume_are_this_units_node(ctx, machines, here):
    out = ctx.run(ctx.on.config_changed(), state())
    ctx.run(ctx.on.action("pause"), out)
    ctx.run(ctx.on.action("resume"), out)
    ctx.run(ctx.on.action("cleanup", params={"resource": "vip"}), out)

    assert ("crm_standby", "--node", "c0", "--update", "on") in here.calls
    assert ("crm_standby", "--node", "c0", "--delete") in here.calls
    assert ("crm_resource", "--cleanup", "--resource", "vip") in here.calls


def test_a_hypervisor_with_a_controller_of_its_own_has_a_second_level(ctx, machines, here):
    listed = {"h4": {"type": "ipmi", "address": "10.9.0.4", "username": "u", "password": "p4ss"}}
    bmcs = testing.Secret({"bmcs": json.dumps(listed)})
    config = CONFIG | {"bmc-credentials": bmcs.id}

    ctx.run(ctx.on.config_changed(), state(remote(), secrets={SECRET, bmcs}, config=config))

    assert here.wanted[-1].levels == {"c0": ["maas"], "c1": ["maas"], "h4": ["maas", "ipmi"]}
    file = here.root / "etc/instance-ha/bmc-credentials"
    assert "p4ss" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_leaving_takes_every_file_away(ctx, machines, here, monkeypatch):
    monkeypatch.setattr(daemons, "stop", lambda: here.calls.append("stopped"))
    out = ctx.run(ctx.on.config_changed(), state())
    assert (here.root / "usr/sbin/fence_maas").exists()

    ctx.run(ctx.on.remove(), out)

    assert "stopped" in here.calls
    assert [path for path in here.root.rglob("*") if path.is_file()] == []


def test_a_host_is_fenced_and_let_back_by_pacemaker_itself(here):
    acts.fence("h4")
    acts.unfence("h4")

    assert here.calls[0][:3] == ("stonith_admin", "--fence", "h4")
    assert here.calls[1][:3] == ("stonith_admin", "--unfence", "h4")
    assert here.calls[2] == ("crm_resource", "--cleanup", "--resource", "h4")
