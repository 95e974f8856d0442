# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import json
from collections.abc import Callable, Mapping

import ops
import pytest
from ops import testing

from instance_ha_relations import ceph_client
from instance_ha_relations.errors import RelationDataError

META = {"name": "reader", "requires": {"ceph": {"interface": "ceph-client"}}}
KEY = "AQBkZXYK"


def in_charm(
    act: Callable[[ops.CharmBase, ops.Relation], object],
    *,
    units: Mapping[int, Mapping[str, str]],
    app: Mapping[str, str] | None = None,
) -> tuple[object, Mapping[str, str]]:
    """Run *act* in a charm related to a Ceph; return its result and what the unit then says."""
    relation = testing.Relation(
        "ceph",
        remote_app_data=dict(app or {}),
        remote_units_data={number: dict(bag) for number, bag in units.items()},
    )
    context = testing.Context(ops.CharmBase, meta=META)
    state = testing.State(leader=True, relations={relation})
    with context(context.on.update_status(), state) as manager:
        result = act(manager.charm, manager.charm.model.relations["ceph"][0])
        out = manager.run()
    return result, out.get_relation(relation.id).local_unit_data


def account(units: Mapping[int, Mapping[str, str]], **app: str) -> ceph_client.CephAccount | None:
    said, _ = in_charm(
        lambda _, relation: ceph_client.read(relation, user="shim"),
        units=units,
        app={key.replace("_", "-"): value for key, value in app.items()},
    )
    assert said is None or isinstance(said, ceph_client.CephAccount)
    return said


def asked(units: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    _, bag = in_charm(
        lambda charm, relation: ceph_client.request(relation, charm.unit, user="shim"),
        units=units,
    )
    return dict(bag)


def test_every_unit_tells_its_own_monitor():
    said = account(
        {
            0: {"auth": "cephx", "key": KEY, "ceph-public-address": "10.0.0.2"},
            1: {"ceph-public-address": "10.0.0.1"},
        }
    )

    assert said is not None
    assert said.hosts == ["10.0.0.1", "10.0.0.2"]
    assert (said.user, said.key.get_secret_value()) == ("shim", KEY)


def test_the_list_of_all_monitors_wins():
    said = account(
        {0: {"key": KEY, "ceph-public-address": "10.0.0.2"}},
        ceph_mon_public_addresses=json.dumps(["10.0.0.3", "10.0.0.2", "fd00::1"]),
    )

    assert said is not None
    assert said.hosts == ["10.0.0.2", "10.0.0.3", "fd00::1"]
    assert "mon_host = 10.0.0.2,10.0.0.3,[fd00::1]\n" in said.conf()
    assert KEY not in said.conf()
    assert said.keyring() == f"[client.shim]\n\tkey = {KEY}\n"


@pytest.mark.parametrize(
    "units",
    [
        pytest.param({}, id="nobody there"),
        pytest.param({0: {}}, id="silent"),
        pytest.param({0: {"ceph-public-address": "10.0.0.1"}}, id="no account yet"),
        pytest.param({0: {"key": KEY}}, id="no monitor yet"),
    ],
)
def test_no_account_before_key_and_monitors_are_known(
    units: Mapping[int, dict[str, str]],
):
    assert account(units) is None


def test_a_key_with_a_line_break_is_refused_and_not_told():
    with pytest.raises(RelationDataError) as refused:
        account({0: {"key": "AQB\nmon = evil", "ceph-public-address": "10.0.0.1"}})

    assert "evil" not in str(refused.value)


def test_the_rights_are_asked_for_again_once_the_account_is_there():
    first = asked({0: {"ceph-public-address": "10.0.0.1"}})
    again = asked({0: {"ceph-public-address": "10.0.0.1"}})
    second = asked({0: {"key": KEY, "ceph-public-address": "10.0.0.1"}})

    assert first == again, "the same request twice would be carried out twice"
    assert first["application-name"] == "shim"
    before, after = (json.loads(bag["broker_req"]) for bag in (first, second))
    assert before["request-id"] != after["request-id"]
    assert before["ops"] == after["ops"]
    (operation,) = after["ops"]
    assert operation == {
        "op": "set-key-permissions",
        "client": "shim",
        "permissions": [
            "mon",
            'allow command "osd blocklist", allow command "osd blocklist ls"',
        ],
    }
