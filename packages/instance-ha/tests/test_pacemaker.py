# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import pytest

from instance_ha.model import Reach
from instance_ha.pacemaker import PacemakerAnswerError, read

LOST_S = 1795251285.5  # 2026-11-21 08:54:45.5 UTC
OFF = 'action="off" target="h4" status="success" delegate="c1" completed="2026-11-21 08:54:58Z"'
FENCED = 'in_ccm="false" node_fenced="1795251298"'


def shown(*events, dc='present="true" name="c2" with_quorum="true"'):
    history = "".join(f"<fence_event {event}/>" for event in events)
    return f"""<pacemaker-result api-version="2.25">
      <summary><current_dc {dc}/></summary>
      <nodes>
        <node name="c2" online="true" unclean="false" standby="true" type="member"/>
        <node name="h4" online="true" unclean="true" type="remote"/>
      </nodes>
      <resources>
        <resource id="fence-maas" resource_agent="stonith:fence_maas" role="Stopped"
                  failed="true"/>
        <group id="g"><resource id="vip" resource_agent="ocf:heartbeat:IPaddr2" role="Started">
          <node name="c2"/></resource></group>
      </resources>
      <fence_history>{history}</fence_history>
    </pacemaker-result>"""


def kept(h4=FENCED, *, quorum="1"):
    return f"""<cib have-quorum="{quorum}"><status>
      <node_state id="2" uname="c2" in_ccm="true"/>
      <node_state remote_node="true" id="h4" uname="h4" {h4}/>
    </status></cib>"""


def view(*events, h4=FENCED, quorum="1", **shape):
    return read(shown(*events, **shape), cib=kept(h4, quorum=quorum))


def proof(seen, *, host="h4", node="c2"):
    return seen.proof(host, node=node, lost_at_s=LOST_S)


def test_a_confirmed_power_off_after_the_loss_is_the_proof():
    found = proof(view(OFF))

    assert (found.host, found.method, found.answer) == ("h4", "pacemaker", "off")
    assert found.confirmed_at_s == 1795251298
    assert found.by == "c1 for c2"


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(view(), id="nothing-in-the-history"),
        pytest.param(view(OFF.replace("success", "failed")), id="failed"),
        pytest.param(view('action="off" target="h4" status="pending"'), id="pending"),
        pytest.param(view('action="off" target="h4" status="success"'), id="without-a-time"),
        pytest.param(view(OFF.replace('"off"', '"reboot"')), id="only-rebooted"),
        pytest.param(view(OFF.replace("h4", "h5")), id="another-host"),
        pytest.param(view(OFF.replace("08:54:58", "08:54:44")), id="before-the-loss"),
        pytest.param(view(OFF.replace("success", "failed"), OFF), id="failed-again-since"),
        pytest.param(view(OFF, h4='in_ccm="false" node_fenced="0"'), id="the-cib-knows-nothing"),
        pytest.param(view(OFF, h4='in_ccm="true" node_fenced="1795251298"'), id="joined-again"),
        pytest.param(view(OFF, h4='node_fenced="1795251298"'), id="membership-unknown"),
        pytest.param(view(OFF, quorum="0"), id="the-cib-has-no-quorum"),
        pytest.param(view(OFF, dc='present="true" name="c2" with_quorum="false"'), id="no-quorum"),
        pytest.param(view(OFF, dc='present="false"'), id="no-dc"),
    ],
)
def test_anything_less_is_none(seen):
    assert proof(seen) is None


@pytest.mark.parametrize(
    ("completed", "proven"),
    [
        pytest.param("08:54:58", ["h4"], id="the one that the cib notes"),
        pytest.param("08:54:49", ["h4"], id="noted late"),
        pytest.param("08:54:47", [], id="an older one"),
    ],
)
def test_whoever_begins_to_watch_late_finds_the_proof(completed, proven):
    seen = view(OFF.replace("08:54:58", completed))

    assert list(seen.proofs(node="c2")) == proven
    assert seen.proofs(node="c1") == {}


def test_only_the_dc_speaks():
    seen = view(OFF)

    assert proof(seen, node="c1") is None
    assert seen.reach("c1") == {"h4": Reach.UNKNOWN}
    assert not seen.speaks("")


def test_a_member_of_the_ring_is_never_proven():
    assert proof(view(OFF.replace("h4", "c2")), host="c2") is None
    assert "c2" not in view().reach("c2")


@pytest.mark.parametrize(
    ("h4", "reach"),
    [
        ('in_ccm="true"', Reach.UP),
        ('in_ccm="1795251298"', Reach.UP),
        ('in_ccm="false"', Reach.DOWN),
        ('in_ccm="0"', Reach.DOWN),
        ("", Reach.UNKNOWN),
    ],
)
def test_evidence_is_the_membership_and_not_the_online_flag(h4, reach):
    seen = view(h4=h4)

    assert seen.nodes["h4"].online
    assert seen.reach("c2") == {"h4": reach}


@pytest.mark.parametrize("text", ["2026-11-21 09:54:58 +01:00", "2026-11-21 06:54:58 -02:00"])
def test_times_have_their_zone(text):
    event = OFF.replace("2026-11-21 08:54:58Z", text)
    assert proof(view(event)).confirmed_at_s == 1795251298


def test_resources_are_told_with_where_they_run():
    fence, vip = view().resources

    assert (fence.name, fence.role, fence.failed, fence.nodes) == (
        "fence-maas",
        "Stopped",
        True,
        (),
    )
    assert (vip.agent, vip.role, vip.nodes) == ("ocf:heartbeat:IPaddr2", "Started", ("c2",))
    assert view().nodes["c2"].standby


@pytest.mark.parametrize(
    ("crm_mon", "cib", "words"),
    [
        pytest.param("crm_mon: error", kept(), "no XML", id="no-xml"),
        pytest.param("<html/>", kept(), "is html", id="another-document"),
        pytest.param("<pacemaker-result/>", kept(), "no DC section", id="no-summary"),
        pytest.param(shown(), "", "no XML", id="empty"),
        pytest.param(
            shown(OFF.replace("2026-11-21 08:54:58Z", "yesterday")), kept(), "no time", id="time"
        ),
        pytest.param(
            shown(OFF.replace("58Z", "58")), kept(), "no time zone", id="time-without-zone"
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_never_a_loss(crm_mon, cib, words):
    with pytest.raises(PacemakerAnswerError, match=words):
        read(crm_mon, cib=cib)
