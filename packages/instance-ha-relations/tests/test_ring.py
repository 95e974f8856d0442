# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json

import ops
import pytest
from ops import testing

from instance_ha_relations import hacluster, hanode, pacemaker_remote
from instance_ha_relations.errors import RelationDataError

META = {
    "name": "ring",
    "provides": {"ha": {"interface": "hacluster"}},
    "requires": {"pacemaker-remote": {"interface": "pacemaker-remote"}},
    "peers": {"hanode": {"interface": "hacluster-shim-node"}},
}
REMOTE = {
    "remote-hostname": '"h4"',
    "remote-ip": '"10.0.0.14"',
    "stonith-hostname": '"h4"',
    "enable-resources": "false",
}


class Charm(ops.CharmBase):
    """A charm that does nothing."""


def run(relation, act):
    ctx = testing.Context(Charm, meta=META)
    state = testing.State(relations={relation}, leader=True)
    with ctx(ctx.on.update_status(), state) as manager:
        model = manager.charm.model
        found = act(model, model.get_relation(relation.endpoint))
        return found, manager.run().get_relation(relation.id)


def of_unit(read):
    return lambda _, relation: read(relation, next(iter(relation.units)))


def test_a_principals_request_is_read_and_answered():
    said = {
        "json_resources": json.dumps({"vip": "ocf:heartbeat:IPaddr2"}),
        "json_init_services": json.dumps({"res": "haproxy"}),
        "json_systemd_services": json.dumps(["apache2"]),
        "corosync_bindiface": "eth0",
    }
    relation = testing.Relation("ha", remote_units_data={0: said})

    request, _ = run(relation, of_unit(hacluster.read))
    assert request.resources == {"vip": "ocf:heartbeat:IPaddr2"}
    assert request.services == {"haproxy", "apache2"}

    _, after = run(relation, lambda model, ha: hacluster.say_clustered(ha, model.unit))
    assert after.local_unit_data["clustered"] == "yes"


def test_a_silent_principal_asks_for_nothing():
    assert run(testing.Relation("ha"), of_unit(hacluster.read))[0] is None


def test_a_remote_is_read_as_the_field_spells_it():
    relation = testing.Relation("pacemaker-remote", remote_units_data={0: REMOTE})

    data, _ = run(relation, of_unit(pacemaker_remote.read))

    assert (data.hostname, data.address, data.enable_resources) == ("h4", "10.0.0.14", False)
    assert not data.reads_secrets


@pytest.mark.parametrize("name", ['"h4; reboot"', '"-h4"', '""', "5"])
def test_a_name_that_pacemaker_would_not_take_is_refused(name):
    said = REMOTE | {"remote-hostname": name}
    relation = testing.Relation("pacemaker-remote", remote_units_data={0: said})
    with pytest.raises(RelationDataError, match="remote-hostname"):
        run(relation, of_unit(pacemaker_remote.read))


@pytest.mark.parametrize(("plain", "shown"), [(None, False), ("azE=", True)])
def test_the_key_itself_is_in_the_databag_only_if_asked_for(plain, shown):
    relation = testing.Relation(
        "pacemaker-remote", local_unit_data={"pacemaker-key": "b2xk"}, remote_units_data={0: {}}
    )

    _, after = run(
        relation,
        lambda model, to: pacemaker_remote.offer_key(
            to, model.unit, secret="secret:1", plain=plain
        ),
    )

    assert json.loads(after.local_unit_data["pacemaker-key-secret"]) == "secret:1"
    assert after.local_unit_data.get("pacemaker-key") == (plain if shown else None)


def test_the_layout_is_written_once_and_read_by_all():
    member = hanode.LayoutMember(name="c1", unit="ring/0", node_id=1, addresses=("10.0.0.1",))
    layout = hanode.LayoutData(members=(member,), secret="secret:1", loaded="f00")
    peers = testing.PeerRelation("hanode")

    def act(model, relation):
        assert hanode.read_layout(relation) == hanode.LayoutData()
        hanode.write_layout(relation, model.app, layout)
        return hanode.read_layout(relation)

    assert run(peers, act)[0] == layout


def test_a_node_says_who_it_is():
    data = hanode.NodeData.model_validate({"hostname": "c1", "addresses": ("10.0.0.1", "fd00::1")})

    def act(model, relation):
        hanode.write_node(relation, model.unit, data)
        return hanode.read_node(relation, model.unit)

    assert run(testing.PeerRelation("hanode"), act)[0] == data
