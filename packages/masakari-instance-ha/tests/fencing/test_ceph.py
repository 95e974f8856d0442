# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Ceph against a program that keeps a blocklist as Ceph's own does."""

from __future__ import annotations

import json

import pytest

from instance_ha.errors import CloudUnreachableError, FenceError, FenceTargetError
from masakari_instance_ha.fencing.ceph import CephAccess, CephFencer

PROGRAM = """#!/usr/bin/env python3
import json, pathlib, sys
place = pathlib.Path(__file__).parent
with (place / "argv").open("a") as log:
    log.write(" ".join(sys.argv[1:]) + "\\n")
fault = (place / "fault").read_text() if (place / "fault").exists() else ""
words = [word for word in sys.argv[1:] if not word.startswith("--")][2:]
kept = place / "listed.json"
listed = json.loads(kept.read_text()) if kept.exists() else {}
if fault == "denied":
    sys.exit("Error EACCES: access denied")
if words[0] == "add" and fault != "deaf":
    listed[words[1]] = words[2]
elif words[0] == "rm":
    del listed[words[1]]
elif words[0] == "ls":
    told = [{"addr": address, "until": until} for address, until in listed.items()]
    # Two lists, the second one of ranges, as Ceph 16.2 prints them.
    answers = {"odd": "what?", "mute": "", "other": "[1][]"}
    print(answers.get(fault, "\\n" + json.dumps(told) + "[]"))
kept.write_text(json.dumps(listed))
"""


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "ceph"
    file.write_text(PROGRAM)
    file.chmod(0o755)
    return file


@pytest.fixture
def access(tmp_path, program) -> CephAccess:
    return CephAccess(
        config=tmp_path / "ceph.conf",
        keyring=tmp_path / "keyring",
        user="instance-ha",
        timeout_s=10,
        program=str(program),
    )


@pytest.fixture
def fencer(access, tmp_path, clock) -> CephFencer:
    (tmp_path / "keyring").write_text("[client.instance-ha]\n\tkey = s3cret\n")
    targets = {
        "h1": {"storage_addresses": ["10.73.0.11"]},
        "h2": {"storage_addresses": ["fd00:0::12", "10.73.0.12"]},
        "h3": {"system_id": "sys-h3"},
        "h4": {"storage_addresses": ["--help"]},
        "h5": {"storage_addresses": ["10.73.0.15"]},
        "h6": {"storage_addresses": ["10.73.0.15", "fd00::16"]},
        "h7": {"storage_addresses": ["0.0.0.0"]},
        "h8": {"storage_addresses": ["::1"]},
    }
    (tmp_path / "targets").write_text(json.dumps(targets))
    return CephFencer(
        access, targets=tmp_path / "targets", expires_s=7200, clock=clock, by="engine@test"
    )


@pytest.fixture
def objecting(fencer, access, tmp_path, clock) -> CephFencer:
    """The same, with somebody who has a reason against every order."""

    def object_to() -> None:
        raise FenceError("h1", "it is well again", hint="")

    return CephFencer(
        access, targets=tmp_path / "targets", expires_s=7200, clock=clock, by="engine@test",
        before_order=object_to,
    )  # fmt: skip


def listed(tmp_path) -> dict[str, str]:
    return json.loads((tmp_path / "listed.json").read_text())


def test_every_client_of_the_host_is_refused_and_ceph_confirms_it(fencer, tmp_path):
    proof = fencer.fence("h2")

    assert (proof.method, proof.answer) == ("ceph", "storage fenced")
    assert proof.target == "[fd00::12]:0/0, 10.73.0.12:0/0"
    assert listed(tmp_path) == {"[fd00::12]:0/0": "7200", "10.73.0.12:0/0": "7200"}


def test_nothing_is_refused_where_somebody_objects(objecting, tmp_path):
    with pytest.raises(FenceError, match="it is well again"):
        objecting.fence("h1")

    assert not (tmp_path / "argv").exists()


def test_the_key_is_on_no_command_line(fencer, tmp_path):
    fencer.fence("h1")

    assert "--keyring=" in (tmp_path / "argv").read_text()
    assert "s3cret" not in (tmp_path / "argv").read_text()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("deaf", "does not list the host as refused"),
        ("denied", "Ceph refuses: Error EACCES"),
        ("odd", "in a form that is not known"),
        ("mute", "in a form that is not known"),
        ("other", "in a form that is not known"),
    ],
)
def test_what_is_not_confirmed_is_no_proof(fencer, tmp_path, fault, words):
    (tmp_path / "fault").write_text(fault)

    with pytest.raises(FenceError, match=words):
        fencer.fence("h1")


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("h3", "storage address is not known"),
        ("h4", "no IP address"),
        ("h5", r"10\.73\.0\.15 is also that of h6"),
        ("h6", r"10\.73\.0\.15 is also that of h5"),
        ("h7", "of no host in particular"),
        ("h8", "of no host in particular"),
        ("h9", "no power target is known"),
    ],
)
def test_a_host_without_a_certain_address_is_never_called_fenced(fencer, tmp_path, host, words):
    with pytest.raises(FenceTargetError, match=words):
        fencer.fence(host)

    assert not (tmp_path / "argv").exists(), "nobody else was refused in its place"


def test_a_host_is_let_back_in_though_its_address_is_doubtful_now(fencer, tmp_path):
    fencer.fence("h1")
    known = json.loads((tmp_path / "targets").read_text())
    known["h9"] = {"storage_addresses": ["10.73.0.11"]}
    (tmp_path / "targets").write_text(json.dumps(known))

    fencer.lift("h1")

    assert listed(tmp_path) == {}


def test_the_fence_is_lifted_and_a_second_time_does_nothing(fencer, tmp_path):
    fencer.fence("h1")
    fencer.fence("h2")
    assert fencer.check("h1") == "storage fenced"

    fencer.lift("h1")
    fencer.lift("h1")
    fencer.lift("h3")

    assert fencer.check("h1") == "storage open"
    assert fencer.check("h2") == "storage fenced"


def test_a_fence_that_cannot_be_lifted_keeps_the_host_away(fencer, tmp_path):
    fencer.fence("h1")
    (tmp_path / "fault").write_text("denied")
    with pytest.raises(CloudUnreachableError, match="Ceph refuses"):
        fencer.lift("h1")

    (tmp_path / "targets").write_text("{")
    with pytest.raises(CloudUnreachableError, match="cannot be read"):
        fencer.lift("h1")


def test_an_image_without_ceph_is_named(fencer, program):
    program.unlink()

    with pytest.raises(FenceError, match=r"there is no program .*ceph-common"):
        fencer.fence("h1")


def test_a_ceph_that_hangs_costs_no_more_than_its_time(tmp_path):
    program = tmp_path / "ceph"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    access = CephAccess(
        config=tmp_path, keyring=tmp_path, user="x", timeout_s=0.5, program=str(program)
    )

    with pytest.raises(CloudUnreachableError, match=r"did not answer in 0\.5 s"):
        access.ask("status")
