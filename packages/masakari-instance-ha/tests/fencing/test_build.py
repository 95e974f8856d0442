# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which ladder the options make, and that it climbs down over real controllers."""

from __future__ import annotations

import threading

import pytest
from oslo_config import cfg

from instance_ha.errors import FenceError, PolicyError
from instance_ha.ladder import Ladder
from instance_ha.model import FenceProof
from masakari_instance_ha import fencing, options
from masakari_instance_ha.clock import SystemClock

NOWHERE = {"maas_url": "http://127.0.0.1:9/MAAS", "order_deadline": 1.0, "query_interval": 0.1}


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Where programs are looked for, with Ceph's in it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ceph").write_text("#!/bin/sh\n")
    (programs / "ceph").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    return programs


@pytest.fixture
def chosen(tmp_path, path):
    """Give access to rungs by name, and set options."""

    def choose(*rungs: str, **more: object):
        files = {name: tmp_path / name for name in ("key", "targets", "ceph.conf", "keyring")}
        files["key"].write_text("consumer:token:secret")
        files["targets"].write_text('{"h1": {"system_id": "sys-h1"}}')
        values: dict[str, object] = {"targets_file": files["targets"]}
        if "maas" in rungs:
            values |= NOWHERE | {"maas_credentials_file": files["key"]}
        if "bmc" in rungs:
            values["bmc_file"] = tmp_path / "bmcs.json"
        if "ceph" in rungs:
            values |= {"ceph_conf": files["ceph.conf"], "ceph_keyring": files["keyring"]}
        lines = [f"{name} = {value}" for name, value in (values | more).items()]
        file = tmp_path / "instance-ha.conf"
        file.write_text("\n".join(["[instance_ha_fencing]", "mode = maas", *lines]))
        conf = cfg.ConfigOpts()
        options.register(conf)
        conf([], default_config_files=[str(file)])
        return conf

    return choose


def build(conf, **more):
    return fencing.build(conf, clock=SystemClock(), by="engine@test", **more)


@pytest.mark.parametrize(
    ("access", "types", "rungs"),
    [
        pytest.param(("maas",), [], ("maas",), id="maas"),
        pytest.param(("maas", "bmc"), ["ipmi"], ("maas", "ipmi"), id="one bmc"),
        pytest.param(("bmc",), ["ipmi", "redfish"], ("redfish", "ipmi"), id="no maas"),
        pytest.param(("maas", "bmc", "ceph"), [], ("maas",), id="nobody has a bmc"),
    ],
)
def test_the_ladder_is_what_there_is_access_to(chosen, bmcs, login, access, types, rungs):
    bmcs.list(h1=[{"type": kind, "address": "127.0.0.1", **login} for kind in types])

    ladder = build(chosen(*access))

    assert isinstance(ladder, Ladder)
    assert ladder.rungs == rungs


def test_a_segment_may_have_a_ladder_of_its_own(chosen):
    conf = chosen("maas", "ceph", rungs="ceph,maas", segment_rungs="rack-1:maas")

    assert build(conf, segment="rack-1").rungs == ("maas",)
    assert build(conf, segment="rack-2").rungs == ("ceph", "maas")


def test_ceph_proves_only_where_it_is_named(chosen):
    assert build(chosen("maas", "ceph", rungs="maas,ceph")).rungs == ("maas", "ceph")
    assert build(chosen("maas", "ceph", segment_rungs="s:ceph"), segment="s").rungs == ("ceph",)
    assert build(chosen("ceph", rungs="ceph")).rungs == ("ceph",)

    with pytest.raises(fencing.FencingOptionsError, match="chosen by name"):
        build(chosen("ceph"))


def test_an_image_without_cephs_program_has_no_such_rung(chosen, path):
    conf = chosen("maas", "ceph")
    assert fencing.storage(conf, clock=SystemClock(), by="tests")

    (path / "ceph").unlink()

    assert fencing.storage(conf, clock=SystemClock(), by="tests") is None
    assert build(conf).rungs == ("maas",)
    with pytest.raises(PolicyError, match="asks for ceph, to which there is no access"):
        build(chosen("maas", "ceph", rungs="maas,ceph"))


def test_a_rung_without_access_is_refused(chosen):
    with pytest.raises(PolicyError, match="asks for ipmi, to which there is no access"):
        build(chosen("maas", rungs="maas,ipmi"))


def test_a_maas_that_is_away_leads_to_the_hosts_own_controller(chosen, bmcs, redfish, login):
    bmcs.list(h1=[{"type": "redfish", "address": redfish.address, **login}])
    told: list[str] = []

    proof = build(chosen("maas", "bmc", rung_deadline=1.0), tell=told.append).fence("h1")

    assert (proof.method, proof.answer) == ("redfish", "off")
    assert len(told) == 1
    assert "cannot be reached" in told[0]
    assert "the next rung is redfish" in told[0]


def test_where_nothing_proves_every_reason_is_told(chosen, bmcs, redfish, login):
    redfish.powers = ["Unknown"]
    bmcs.list(h1=[{"type": "redfish", "address": redfish.address, **login}])

    with pytest.raises(FenceError, match=r"maas: .*cannot be reached.*; redfish: .*'unknown'"):
        build(chosen("maas", "bmc", rung_deadline=1.0)).fence("h1")


def test_two_engines_at_once_do_no_harm(chosen, bmcs, redfish, login):
    bmcs.list(h1=[{"type": "redfish", "address": redfish.address, **login}])
    redfish.powers = ["On"] * 4 + ["Off"]
    conf, proofs = chosen("bmc", query_interval=0.1), []
    engines = [
        threading.Thread(target=lambda: proofs.append(build(conf).fence("h1"))) for _ in range(2)
    ]
    for engine in engines:
        engine.start()
    for engine in engines:
        engine.join()

    assert [proof.answer for proof in proofs] == ["off", "off"]
    assert set(redfish.resets) == {"ForceOff"}, "nobody ordered it on or reset it"


def test_power_on_goes_to_what_proved_it_off(chosen, bmcs, redfish, login):
    bmcs.list(h1=[{"type": "redfish", "address": redfish.address, **login}])
    conf = chosen("bmc")
    proof = build(conf).fence("h1")

    fencing.power_on(conf, proof, clock=SystemClock(), by="engine@test")

    assert redfish.resets == ["ForceOff", "On"]


def test_storage_is_there_where_ceph_is(chosen):
    assert fencing.storage(chosen("maas"), clock=SystemClock(), by="me") is None
    assert fencing.storage(chosen("maas", "ceph"), clock=SystemClock(), by="me") is not None


def test_what_a_ring_proved_off_is_not_ours_to_power_on(chosen):
    proof = FenceProof(
        host="h1", method="pacemaker", target="h1", answer="off",
        ordered_at_s=1.0, confirmed_at_s=2.0, by="m1 for m2",
    )  # fmt: skip

    with pytest.raises(FenceError, match=r"takes no orders of ours.*unfence-host"):
        fencing.power_on(chosen("maas"), proof, clock=SystemClock(), by="engine@test")
