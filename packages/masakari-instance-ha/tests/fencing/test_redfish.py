# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Redfish against a real HTTP server."""

from __future__ import annotations

import pytest

from instance_ha.errors import FenceError, FenceTargetError, FenceTimeoutError
from instance_ha.ladder import Rung
from masakari_instance_ha.fencing.power import Pace, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

SYSTEM = "/redfish/v1/Systems/1"


@pytest.fixture
def entry(redfish, login) -> dict[str, str]:
    return {"type": "redfish", "address": redfish.address, **login}


@pytest.fixture
def fencer(bmcs, clock, entry) -> PowerFencer:
    bmcs.list(h1=[entry])
    return PowerFencer(
        Redfish(file=bmcs.file, timeout_s=5).reach,
        rung=Rung.REDFISH,
        pace=Pace(deadline_s=30, interval_s=1),
        clock=clock,
        by="engine@test",
    )


def test_a_host_is_forced_off_and_asked_until_it_is(fencer, redfish):
    redfish.powers = ["On", "On", "PoweringOff", "Off"]

    proof = fencer.fence("h1")

    assert (proof.method, proof.answer, proof.by) == ("redfish", "off", "engine@test")
    assert proof.target == f"{redfish.address}{SYSTEM}"
    assert (proof.ordered_at_s, proof.confirmed_at_s) == (1000, 1002)
    assert redfish.resets == ["ForceOff"]


@pytest.mark.parametrize("state", ["On", "PoweringOff", "Unknown", None, 0, ["Off"], "Off "])
def test_only_off_is_a_proof(fencer, redfish, state):
    redfish.powers = [state]

    with pytest.raises(FenceTimeoutError, match="its power state is still"):
        fencer.fence("h1")


@pytest.mark.parametrize("status", [400, 409])
def test_a_bmc_that_will_not_reset_what_is_off_is_asked_all_the_same(fencer, redfish, status):
    redfish.reset_status, redfish.powers = status, ["Off"]

    assert fencer.fence("h1").answer == "off"


def test_a_session_is_opened_where_basic_is_switched_off_and_closed_again(
    fencer, redfish, bmcs, entry
):
    redfish.basic = False
    bmcs.list(h1=[entry | {"login": "session"}])

    assert fencer.fence("h1").answer == "off"
    assert redfish.asked[-1] == "DELETE /redfish/v1/SessionService/Sessions/1"
    assert not redfish.sessions


@pytest.mark.parametrize("login_by", ["basic", "session"])
def test_a_wrong_password_is_named_and_not_shown(fencer, bmcs, entry, login_by):
    bmcs.list(h1=[entry | {"password": "wr0ng", "login": login_by}])

    with pytest.raises(FenceError, match=r"refuses user and password.*bmc-credentials") as caught:
        fencer.fence("h1")
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize("systems", [[], [SYSTEM, "/redfish/v1/Systems/2"]])
def test_the_wrong_system_is_never_switched_off(fencer, redfish, systems):
    redfish.systems = systems

    with pytest.raises(FenceError, match=f"has {len(systems)} systems"):
        fencer.fence("h1")
    assert redfish.resets == []


def test_one_of_several_systems_can_be_named(fencer, redfish, bmcs, entry):
    other = "/redfish/v1/Systems/2"
    redfish.systems = [SYSTEM, other]
    bmcs.list(h1=[entry | {"system": other}])

    assert fencer.fence("h1").target.endswith(other)


def test_a_path_that_names_another_server_stays_with_this_one(fencer, redfish):
    redfish.systems = ["http://127.0.0.1:9/redfish/v1/Systems/1"]

    with pytest.raises(FenceError, match="no such resource"):
        fencer.fence("h1")
    assert redfish.asked[-1].endswith(f"GET {SYSTEM}")


@pytest.mark.parametrize(
    ("failures", "words"),
    [
        pytest.param([403], "may not do this.*Operator", id="no permission"),
        pytest.param([301], "sends us elsewhere: HTTP 301 to http://127.0.0.1:9/", id="redirect"),
        pytest.param([200, 404], "no such resource", id="missing"),
        pytest.param([418], "the BMC refuses: HTTP 418", id="anything else"),
    ],
)
def test_a_refusal_ends_the_try_and_says_what_to_do(fencer, redfish, failures, words):
    redfish.failures = failures

    with pytest.raises(FenceError, match=words) as caught:
        fencer.fence("h1")
    assert "hidden" not in str(caught.value), "nothing of a redirect's secrets is shown"
    assert redfish.resets == []


def test_a_lost_answer_is_asked_for_again(fencer, redfish):
    redfish.failures = [200, 503, 502, 200, 200, 503]

    assert fencer.fence("h1").answer == "off"


def test_a_session_without_a_token_is_named(fencer, redfish, bmcs, entry, monkeypatch):
    bmcs.list(h1=[entry | {"login": "session"}])
    redfish.failures = [201]

    with pytest.raises(FenceError, match="opens no session"):
        fencer.fence("h1")


def test_a_check_orders_nothing_and_power_on_orders_on(fencer, redfish):
    redfish.powers = ["Off"]

    assert fencer.check("h1") == "off"
    assert redfish.resets == []
    assert fencer.power_on("h1").endswith(SYSTEM)
    assert redfish.resets == ["On"]


def test_a_bmc_is_spoken_to_by_tls_unless_it_is_said(fencer, bmcs, entry, redfish):
    bmcs.list(h1=[entry | {"address": redfish.address.removeprefix("http://")}])

    with pytest.raises(FenceError, match=r"no trusted TLS.*fingerprint"):
        fencer.fence("h1")


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        pytest.param({"h2": []}, "no redfish BMC is known for it", id="another host"),
        pytest.param({"h1": []}, "no redfish BMC is known for it", id="none"),
        pytest.param({"h1": 7}, "an entry is no mapping", id="number"),
        pytest.param({"h1": {"type": "ilo"}}, "type must be redfish or ipmi", id="type"),
        pytest.param({"h1": {"type": "ipmi"}}, "address is missing", id="address"),
        pytest.param({"h1": {"type": "ipmi", "passwrd": "x"}}, "unknown key passwrd", id="typo"),
    ],
)
def test_a_list_that_cannot_be_used_is_named(fencer, bmcs, listed, words):
    bmcs.list(**listed)

    with pytest.raises(FenceTargetError, match=words):
        fencer.fence("h1")


def test_a_missing_list_is_named(fencer, bmcs):
    bmcs.file.unlink()

    with pytest.raises(FenceTargetError, match="cannot be read: No such file"):
        fencer.check("h1")
