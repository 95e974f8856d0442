# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from xml.etree import ElementTree

import pytest

from hacluster_shim.ring import cib, crm, daemons
from hacluster_shim.ring.cib import Wanted
from hacluster_shim.ring.crm import CrmError
from instance_ha.ladder import Rung
from instance_ha_relations.hacluster import Request
from instance_ha_relations.pacemaker_remote import RemoteData

EMPTY = """<configuration>
  <crm_config><cluster_property_set id="cib-bootstrap-options">
    <nvpair id="o-1" name="cluster-name" value="ring"/></cluster_property_set></crm_config>
  <nodes><node id="1" uname="c1"/></nodes>
  <resources><primitive id="by-hand" class="ocf" provider="pacemaker" type="Dummy"/></resources>
  <constraints><rsc_location id="cli-ban" rsc="by-hand" node="c1" score="-INFINITY"/></constraints>
</configuration>"""


class Pacemaker:
    """A CIB that remembers how often it was replaced."""

    def __init__(self):
        self.text = EMPTY
        self.replaced = 0

    def tool(self, name, *words, given=None):
        assert (name, words[1:3]) == ("cibadmin", ("--scope", "configuration"))
        if words[0] == "--replace":
            self.text, self.replaced = given, self.replaced + 1
        return self.text

    def find(self, path):
        return ElementTree.fromstring(self.text).find(path)

    def ids(self, section):
        found = ElementTree.fromstring(self.text).find(section)
        return [] if found is None else [child.get("id") for child in found]


@pytest.fixture
def pacemaker(monkeypatch):
    pacemaker = Pacemaker()
    monkeypatch.setattr(cib, "tool", pacemaker.tool)
    return pacemaker


def remote(name="h4", **more):
    said = {"remote-hostname": name, "remote-ip": "10.0.0.14", "stonith-hostname": name}
    return RemoteData.model_validate(said | more)


def asked(**parts):
    said = {
        "json_resources": {"vip": "ocf:heartbeat:IPaddr2", "web": "lsb:haproxy"},
        "json_resource_params": {
            "vip": 'params ip="10.0.0.9" meta migration-threshold="INFINITY" '
            'op monitor interval="10s" timeout="20s" depth="0"',
            "web": "op monitor interval=5s depth=2",
        },
        "json_groups": {"grp_vips": "vip"},
        "json_clones": {"cl_web": 'web meta clone-max="2"'},
        "json_colocations": {"near": "inf: grp_vips cl_web"},
        "json_orders": {"first": "inf: cl_web grp_vips:start"},
        "json_locations": {"home": "grp_vips 100: c1"},
    }
    return Request.model_validate(said | parts)


def wanted(**changes):
    values = {
        "properties": {"stonith-enabled": "true"},
        "failure_timeout_s": 180,
        "remotes": [remote()],
        "remote_monitor": (2, 5),
        "levels": {
            "c1": [Rung.MAAS],
            "c2": [Rung.MAAS],
            "h4": [Rung.MAAS, Rung.IPMI],
        },
        "request": asked(),
    }
    return Wanted(**(values | changes))


def test_what_is_configured_is_not_configured_again(pacemaker):
    assert cib.ensure(wanted())
    assert not cib.ensure(wanted())
    assert pacemaker.replaced == 1, "an unchanged configuration must not disturb Pacemaker"


def test_what_operators_made_by_hand_stays(pacemaker):
    cib.ensure(wanted())
    cib.ensure(wanted(remotes=[], levels={}, request=Request()))

    assert pacemaker.ids("resources") == ["by-hand"]
    assert pacemaker.ids("constraints") == ["cli-ban"]
    assert pacemaker.ids("fencing-topology") == []


def test_every_node_that_has_power_has_a_real_fencing_level(pacemaker):
    cib.ensure(wanted())

    levels = ElementTree.fromstring(pacemaker.text).findall("fencing-topology/fencing-level")
    said = [(each.get("target"), each.get("index"), each.get("devices")) for each in levels]
    assert said == [
        ("c1", "1", "fence-maas"),
        ("c2", "1", "fence-maas"),
        ("h4", "1", "fence-maas"),
        ("h4", "2", "fence-bmc-ipmi"),
    ]
    devices = ElementTree.fromstring(pacemaker.text).findall(
        "resources/primitive[@class='stonith']"
    )
    assert {each.get("id"): each.get("type") for each in devices} == {
        "fence-maas": "fence_maas",
        "fence-bmc-ipmi": "fence_bmc_ipmi",
    }
    assert hosts(devices[0]) == "c1 c2 h4"
    assert hosts(devices[1]) == "h4"
    assert cib.present() == cib.Present(
        remotes=frozenset({"h4"}), fenced=frozenset({"c1", "c2", "h4"})
    )


def hosts(device):
    return device.find("instance_attributes/nvpair[@name='pcmk_host_list']").get("value")


def test_a_device_above_another_one_has_less_time(pacemaker):
    cib.ensure(wanted())

    said = {
        each.get("id"): each.find("instance_attributes/nvpair[@name='patience']").get("value")
        for each in ElementTree.fromstring(pacemaker.text).findall(
            "resources/primitive[@class='stonith']"
        )
    }
    assert said == {"fence-maas": "30", "fence-bmc-ipmi": "60"}


def test_t14_nothing_of_the_key_is_in_the_cib_only_where_it_lies(pacemaker):
    cib.ensure(wanted())

    params = pacemaker.find("resources/primitive[@id='fence-maas']/instance_attributes")
    said = {pair.get("name"): pair.get("value") for pair in params}
    assert said.pop("config") == "/etc/instance-ha/fence-maas.json"
    assert said.pop("patience") == "30"
    assert all(name.startswith("pcmk_") for name in said)


def test_no_monitor_is_delayed_and_no_pending_start_calls_a_dead_host_online(pacemaker):
    cib.ensure(wanted())

    assert "start-delay" not in pacemaker.text
    ops = pacemaker.find("resources/primitive[@id='h4']/operations")
    said = {op.get("name"): op.attrib for op in ops}
    assert (said["monitor"]["interval"], said["monitor"]["timeout"]) == ("2s", "5s")
    assert said["start"]["record-pending"] == "false"
    defaults = pacemaker.find("rsc_defaults/meta_attributes")
    assert {pair.get("name"): pair.get("value") for pair in defaults} == {
        "failure-timeout": "180s",
        "resource-stickiness": "100",
    }


def test_a_lost_remote_is_tried_again_without_end_and_no_failed_try_fences(pacemaker):
    cib.ensure(wanted())

    remote = pacemaker.find("resources/primitive[@id='h4']")
    said = {pair.get("name"): pair.get("value") for pair in remote.iter("nvpair")}
    assert said["reconnect_interval"] == "10s"
    start = next(op for op in remote.iter("op") if op.get("name") == "start")
    assert start.get("on-fail") is None, "by default a start that fails fences nobody"


def test_in_a_ring_of_two_one_is_given_time_to_fence_the_other(pacemaker):
    cib.ensure(wanted(first="c1"))

    assert 'name="pcmk_delay_base" value="c1:5s"' in pacemaker.text


def test_the_principals_resources_are_made_as_asked(pacemaker):
    cib.ensure(wanted())

    vip = pacemaker.find("resources/group[@id='grp_vips']/primitive")
    assert (vip.get("class"), vip.get("provider"), vip.get("type")) == (
        "ocf",
        "heartbeat",
        "IPaddr2",
    )
    assert vip.find("instance_attributes/nvpair").get("value") == "10.0.0.9"
    assert vip.find("operations/op").get("timeout") == "20s"
    assert vip.find("operations/op/instance_attributes") is None, "depth 0 is the default"
    clone = pacemaker.find("resources/clone[@id='cl_web']")
    assert clone.find("meta_attributes/nvpair").get("value") == "2"
    depth = clone.find("primitive/operations/op/instance_attributes/nvpair")
    assert (depth.get("name"), depth.get("value")) == ("OCF_CHECK_LEVEL", "2")
    order = pacemaker.find("constraints/rsc_order")
    assert (order.get("kind"), order.get("then"), order.get("then-action")) == (
        "Mandatory",
        "grp_vips",
        "start",
    )
    near = pacemaker.find("constraints/rsc_colocation")
    assert (near.get("score"), near.get("with-rsc")) == ("INFINITY", "cl_web")
    assert pacemaker.find("constraints/rsc_location[@rsc='grp_vips']").get("node") == "c1"


def test_a_remote_that_takes_no_resources_gets_none(pacemaker):
    cib.ensure(wanted(remotes=[remote(**{"enable-resources": False}), remote("h5")]))

    kept_off = pacemaker.find("constraints/rsc_location[@rsc-pattern]")
    assert (kept_off.get("node"), kept_off.get("score")) == ("h4", "-INFINITY")
    assert pacemaker.ids("constraints").count("hacluster-shim-off-h5") == 0


def test_what_a_principal_deletes_goes_whoever_made_it(pacemaker):
    cib.ensure(wanted(request=asked(json_delete_resources=["by-hand"])))

    assert "by-hand" not in pacemaker.ids("resources")


def test_ms_are_promotable_clones():
    request = Request.model_validate(
        {"json_resources": {"db": "ocf:x:db"}, "json_ms": {"ms_db": "db meta notify=true"}}
    )
    (clone,) = crm.resources(request)
    said = {pair.get("name"): pair.get("value") for pair in clone.find("meta_attributes")}
    assert said == {"notify": "true", "promotable": "true"}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        pytest.param({"json_resources": {"x": "stonith:null"}}, "of the kind", id="stonith"),
        pytest.param({"json_resources": {"x": "ocf:Dummy"}}, "not complete", id="no-provider"),
        pytest.param({"json_resources": {"a b": "lsb:x"}}, "no name", id="name-with-a-space"),
        pytest.param(
            {"json_resource_params": {"vip": "ip=1"}}, "'ip=1' is not understood", id="no-section"
        ),
        pytest.param(
            {"json_resource_params": {"vip": 'params ip="1'}}, "not understood", id="open-quote"
        ),
        pytest.param({"json_groups": {"g": "nothing"}}, "no resource 'nothing'", id="group"),
        pytest.param({"json_clones": {"c": "meta a=b"}}, "names no resource", id="empty-clone"),
        pytest.param({"json_orders": {"o": "soon: a b"}}, "no order", id="order"),
        pytest.param({"json_colocations": {"c": "inf: a"}}, "not understood", id="colocation"),
        pytest.param({"json_locations": {"l": "vip rule 1: #uname eq a"}}, "rules", id="rule"),
    ],
)
def test_what_cannot_be_told_to_pacemaker_is_refused_by_name(parts, words):
    with pytest.raises(CrmError, match=words):
        crm.resources(asked(**parts)), crm.constraints(asked(**parts))


def test_a_tool_that_fails_says_why(monkeypatch, tmp_path):
    script = tmp_path / "cibadmin"
    script.write_text("#!/bin/sh\necho 'no  such' >&2\nexit 105\n")
    script.chmod(0o755)
    with pytest.raises(daemons.RingError, match="cibadmin --query failed: no such"):
        daemons.tool("cibadmin", "--query", folder=str(tmp_path))
    with pytest.raises(daemons.RingError, match="did not answer"):
        daemons.tool("nothing", "--query", folder=str(tmp_path))
