# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung Ceph on a real Ceph: a client that writes is refused, its neighbour is not.

And the storage probe of a hypervisor, which asks the same cluster.
"""

import contextlib
import json
import os
import pathlib
import subprocess
import time

import pytest

from hypervisor_instance_ha import storage
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.settings import StorageProbe
from lab import ceph, network, oracle, process
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.ceph import CephAccess, CephError, CephFencer

pytestmark = [
    pytest.mark.lab,
    pytest.mark.skipif(os.geteuid() != 0, reason="makes namespaces and mounts"),
]

FENCED, NEIGHBOUR = "iha-c1", "iha-c2"
ADDRESSES = {FENCED: network.STORAGE.address(41), NEIGHBOUR: network.STORAGE.address(42)}
USER = "instance-ha"
RIGHTS = 'allow command "osd blocklist", allow command "osd blocklist ls"'
"""No pool, and no other command."""


@pytest.fixture(scope="module")
def cluster():
    """A cluster, and two machines on its network."""
    ceph.ensure_up()
    for netns, address in ADDRESSES.items():
        network.attach(netns, to=network.STORAGE, address=address)
    yield
    for netns in ADDRESSES:
        network.detach(netns, networks=(network.STORAGE,))
        network.remove(netns)
    ceph.down()


class Writer:
    """A client that writes to a disk of its own until it is stopped or refused."""

    def __init__(self, netns: str, *, files: pathlib.Path) -> None:
        self.address = ADDRESSES[netns]
        self.image = f"disk-{netns}-{time.monotonic_ns()}"
        ceph.rbd("create", "--size=64", f"{ceph.POOL}/{self.image}")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", netns, "rbd", f"--conf={files / 'ceph.conf'}",
             f"--keyring={files / 'keyring'}", f"--id={ceph.USER}", "bench", "--io-type=write",
             "--io-size=4K", "--io-threads=1", "--io-total=100G", f"{ceph.POOL}/{self.image}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def accepted(self) -> int:
        """Return how many writes of this machine the OSD has accepted up to now."""
        with ceph.osd_log().open() as log:
            return sum(write.address == self.address for write in oracle.parse(log))

    def has_written(self, *, more_than: int = 0) -> bool:
        return self.accepted() > more_than

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def files(cluster, tmp_path):
    """What a hypervisor has of Ceph, and what the engine has."""
    known = ceph.client_files()
    (tmp_path / "ceph.conf").write_text(known["ceph/ceph.conf"])
    (tmp_path / "keyring").write_text(known[f"ceph/ceph.client.{ceph.USER}.keyring"])
    ceph.ceph("auth", "get-or-create", f"client.{USER}", "mon", RIGHTS)
    (tmp_path / "fence-keyring").write_text(ceph.ceph("auth", "get", f"client.{USER}"))
    program = tmp_path / "ceph"
    program.write_text(f'#!/bin/sh\nexec ip netns exec {network.SWITCH} ceph "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.fixture
def access(files):
    """The way that the engine has to the cluster."""
    return CephAccess(
        config=files / "ceph.conf",
        keyring=files / "fence-keyring",
        user=USER,
        timeout_s=process.deadline(20),
        program=str(files / "ceph"),
    )


@pytest.fixture
def fencer(access, files):
    targets = {"h1": {"storage_addresses": [ADDRESSES[FENCED]]}}
    (files / "targets").write_text(json.dumps(targets))
    made = CephFencer(
        access, targets=files / "targets", expires_s=3600, clock=SystemClock(), by="tests"
    )
    yield made
    made.lift("h1")


@pytest.fixture
def writing(files):
    """Start a writer on a machine, and return it once it has written."""
    begun: list[Writer] = []

    def begin(netns: str) -> Writer:
        writer = Writer(netns, files=files)
        begun.append(writer)
        before = writer.accepted()
        process.wait_until(
            lambda: writer.has_written(more_than=before),
            within_s=60,
            what=f"{netns} to write",
            every_s=0.5,
        )
        return writer

    yield begin
    for writer in begun:
        writer.stop()


def test_a_client_that_writes_is_refused_and_its_neighbour_writes_on(fencer, writing):
    lost, neighbour = writing(FENCED), writing(NEIGHBOUR)

    proof = fencer.fence("h1")
    accepted, of_neighbour = lost.accepted(), neighbour.accepted()

    assert (proof.method, proof.answer) == ("ceph", "storage fenced")
    process.wait_until(
        lambda: neighbour.has_written(more_than=of_neighbour + 50),
        within_s=60,
        what="the neighbour to write on",
        every_s=0.5,
    )
    assert lost.accepted() == accepted, "nothing is written after the proof"
    assert lost.process.wait(timeout=process.deadline(60)) != 0, "the client was told so"
    assert neighbour.process.poll() is None


def test_a_new_client_of_a_fenced_machine_is_refused_until_the_fence_is_lifted(
    fencer, files, writing
):
    fencer.fence("h1")
    refused = Writer(FENCED, files=files)
    assert refused.process.wait(timeout=process.deadline(60)) != 0

    fencer.lift("h1")

    assert fencer.check("h1") == "storage open"
    assert writing(FENCED).process.poll() is None


@pytest.mark.parametrize("words", ["osd pool ls", "auth ls", "osd down 0"])
def test_the_fencing_client_may_do_nothing_else(access, words):
    access.ask("osd", "blocklist", "ls")

    with pytest.raises(CephError, match=r"Ceph refuses: .*EACCES"):
        access.ask(*words.split())


def test_the_storage_probe_writes_and_reads_until_the_way_is_cut(files, monkeypatch):
    monkeypatch.setenv("CEPH_ARGS", f"--conf={files}/ceph.conf --keyring={files}/keyring")
    target, deadline_s = f"{storage.attempt.RBD}{ceph.POOL}", process.deadline(5)
    options = StorageProbe(target=target, ceph_user=ceph.USER, deadline_s=deadline_s)
    argv = ["ip", "netns", "exec", NEIGHBOUR, *storage.command(options)]
    made = storage.Probe(options, argv=argv, report=Report(files / "storage.json"))

    with contextlib.closing(made) as probe:
        assert probe.step() == "ok"
        network.cut(NEIGHBOUR, off=network.STORAGE)
        assert probe.step() == "hung"
        network.heal(NEIGHBOUR, to=network.STORAGE)
        assert probe.step() == "ok"
