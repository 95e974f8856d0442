# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A drill on an empty host; the power and the controller are played."""

from __future__ import annotations

import json
import time

import pytest

from instance_ha.errors import FenceError
from instance_ha.model import Event, FenceProof, IncidentState
from masakari_instance_ha.cli import drilling

# Masakari's and taskflow's libraries warn of one another.
pytestmark = pytest.mark.filterwarnings("ignore")


class Power:
    """A power controller, and a controller that notices what it does."""

    def __init__(self, journal) -> None:
        self.journal = journal
        self.state = "on"
        self.refuses = self.stays_off = False
        self.noticed = self.fenced = self.recovered = self.returned = True

    def build(self, *_args, **_how) -> Power:
        return self

    def check(self, host: str) -> str:
        return self.state

    def fence(self, host: str) -> FenceProof:
        if self.refuses:
            raise FenceError(host, "MAAS refuses", hint="look at MAAS")
        self.state, now_s = "off", time.time()
        if self.noticed:
            incident = self.journal.open(host, segment="seg1", at_s=now_s, reason="lost")
            kinds = ["proof"] if self.fenced else []
            for kind in [*kinds, "recovered"]:
                self.journal.record(
                    incident, Event(at_s=now_s + 2, actor="engine@u", kind=kind, text="")
                )
            if self.recovered:
                self.journal.move(incident, IncidentState.RECOVERED, at_s=now_s)
        return FenceProof(
            host=host, method="maas", target="t", answer="off", ordered_at_s=now_s,
            confirmed_at_s=now_s, by="ann",
        )  # fmt: skip

    def power_on(self, _conf, proof: FenceProof, **_how) -> str:
        if self.stays_off:
            raise FenceError(proof.host, "MAAS refuses", hint="look at MAAS")
        self.state = "on"
        incident = self.journal.unclosed().get(proof.host)
        if incident is not None and self.returned:
            self.journal.move(incident, IncidentState.CLOSED, at_s=time.time())
        return "t"


@pytest.fixture
def power(journal, config, openstack_cloud, monkeypatch) -> Power:
    openstack_cloud.enrol("h1", "h2", "h3")
    openstack_cloud.services.append(
        {"id": "s", "host": "c1", "binary": "nova-scheduler", "state": "up", "status": "enabled"}
    )
    config.write_text(config.read_text().replace("mode = none", "mode = maas"))
    made = Power(journal)
    monkeypatch.setattr(drilling.fencing, "build", made.build)
    monkeypatch.setattr(drilling.fencing, "power_on", made.power_on)
    monkeypatch.setattr(drilling, "LOOK_S", 0.01)
    return made


def results(out: str) -> dict[str, str]:
    return {row["step"]: row["result"] for row in json.loads(out)}


def test_passes_with_times_where_all_goes_well(run, power, journal, openstack_cloud):
    code, out, err = run("--format", "json", "drill", "h1", "--again", "h1", "--by", "ann")

    assert (code, err) == (0, "")
    assert list(results(out)) == [
        "power cut",
        "noticed",
        "fenced",
        "recovered",
        "power on",
        "returned",
    ]
    assert set(results(out).values()) == {"passed"}
    fenced = next(row for row in json.loads(out) if row["step"] == "fenced")
    assert fenced["after_s"] >= 2, "counted from the loss, by the incident's own timeline"
    (deed,) = journal.deeds.newest()
    assert (deed.author, deed.command, deed.given["host"]) == ("ann", "drill", "h1")
    service = openstack_cloud.services[0]
    assert service["disabled_reason"] == "instance-ha: drill by ann", "no server comes meanwhile"


@pytest.mark.parametrize(
    ("flaw", "step", "sentence"),
    [
        pytest.param({"noticed": False}, "noticed", "no controller opened", id="unnoticed"),
        pytest.param({"fenced": False}, "fenced", "no proof", id="unfenced"),
        pytest.param({"recovered": False}, "recovered", "incident show 1", id="unrecovered"),
        pytest.param({"stays_off": True}, "power on", "switch it on by hand", id="stays-off"),
        pytest.param({"returned": False}, "returned", "incident show 1", id="no-return"),
    ],
)
def test_fails_with_the_step_that_did_not_come(run, power, monkeypatch, flaw, step, sentence):
    for name in ("NOTICED_WITHIN_S", "RECOVERED_WITHIN_S", "BACK_WITHIN_S"):
        monkeypatch.setattr(drilling, name, 0.05)
    vars(power).update(flaw)

    code, out, err = run("--format", "json", "drill", "h1", "--again", "h1")

    assert code == 1
    assert results(out)[step] == "FAILED"
    assert sentence in err
    assert power.state == ("off" if flaw == {"stays_off": True} else "on")


def test_host_that_nobody_noticed_is_given_servers_again(run, power, monkeypatch, openstack_cloud):
    monkeypatch.setattr(drilling, "NOTICED_WITHIN_S", 0.05)
    power.noticed = False

    run("drill", "h1", "--again", "h1")

    assert openstack_cloud.services[0]["status"] == "enabled"


class TestRefusals:
    """Nothing is switched, and the sentence says what to do."""

    def refused(self, run, power, openstack_cloud, sentence: str) -> None:
        for words in (("--again", "h1"), ("--dry-run",)):
            code, _, err = run("drill", "h1", *words)
            assert code == 1
            assert sentence in err
        assert openstack_cloud.written() == []

    def test_servers_on_it(self, run, power, openstack_cloud):
        openstack_cloud.servers.append({"id": "s1", "name": "web", "host": "h1"})
        self.refused(run, power, openstack_cloud, "1 servers are on it; migrate them")

    def test_no_power_to_cut(self, run, power, openstack_cloud, config):
        config.write_text(config.read_text().replace("mode = maas", "mode = none"))
        self.refused(run, power, openstack_cloud, "fencing is none by choice")

    def test_power_that_is_not_known(self, run, power, openstack_cloud):
        power.state = "unknown"
        self.refused(run, power, openstack_cloud, "fence check h1")

    def test_incident_of_its_own(self, run, power, openstack_cloud, journal):
        journal.open("h1", segment="seg1", at_s=1.0, reason="lost")
        self.refused(run, power, openstack_cloud, "incident show --host h1")

    def test_reserve(self, run, power, openstack_cloud):
        openstack_cloud.hosts[0]["reserved"] = True
        self.refused(run, power, openstack_cloud, "it is a reserved host")

    def test_disabled_in_nova(self, run, power, openstack_cloud):
        openstack_cloud.services[0]["status"] = "disabled"
        self.refused(run, power, openstack_cloud, "nova does not have it up and enabled")

    def test_guard_that_would_hold_it(self, run, power, openstack_cloud, journal):
        run("pause", "--reason", "work on the racks")
        self.refused(run, power, openstack_cloud, "work on the racks")

    def test_name_given_once(self, run, power, openstack_cloud):
        code, _, err = run("drill", "h1")

        assert code == 2
        assert "instance-ha drill h1 --again h1" in err
        assert openstack_cloud.written() == []

    def test_host_that_nobody_enrolled(self, run, power):
        assert run("drill", "h9", "--again", "h9")[0] == 2

    def test_dry_run_of_a_fit_host_changes_nothing(self, ask, power, openstack_cloud):
        (row,) = ask("drill", "h1", "--dry-run")

        assert row["result"] == "passed"
        assert openstack_cloud.written() == []

    def test_power_controller_that_refuses(self, run, power, openstack_cloud):
        power.refuses = True

        code, _, err = run("drill", "h1", "--again", "h1")

        assert (code, openstack_cloud.services[0]["status"]) == (1, "enabled")
        assert "MAAS refuses" in err

    def test_server_that_comes_just_then(self, run, power, openstack_cloud, monkeypatch):
        cordon = drilling.NovaMover.cordon

        def too_late(mover, host: str, **how) -> None:
            openstack_cloud.servers.append({"id": "s1", "name": "web", "host": host})
            cordon(mover, host, **how)

        monkeypatch.setattr(drilling.NovaMover, "cordon", too_late)

        code, _, err = run("drill", "h1", "--again", "h1")

        assert (code, power.state) == (1, "on")
        assert "given a server meanwhile" in err
        assert openstack_cloud.services[0]["status"] == "enabled"
