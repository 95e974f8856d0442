# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Pacemaker ring that the charm formed, on the distribution's daemons: who is fenced, and when.

Powered off is said by MAAS's log and by the host itself; the product's reader is only compared.
"""

import json
import time

import pytest

from lab import bmc, host, maas, network, process, ring

pytestmark = pytest.mark.lab
MANAGEMENT = network.MANAGEMENT


@pytest.fixture(scope="module")
def cluster():
    found = ring.of(3, 2)
    try:
        yield found, ring.ensure_up(found)
    finally:  # a ring that did not come up would be in the way of all that follows
        ring.down()


@pytest.fixture
def it(cluster):
    ring.heal(cluster[0])
    yield cluster[0]
    print(ring.told(cluster[0]))  # shown where the test failed


@pytest.fixture
def client(cluster):
    return cluster[1]


def orders(of, *, since_s):
    return [
        request
        for request in maas.requests()
        if request["time"] >= since_s
        and request["machine"] == of.name
        and "power_off" in request["path"]
    ]


def stay_unproven(it, of, *, lost_at_s, for_s):
    """See that a host is on, and called unclean, for as long as nobody can prove it off."""
    end = time.monotonic() + process.deadline(for_s)
    while time.monotonic() < end:
        assert host.is_on(of)
        assert ring.proof(it, of, lost_at_s=lost_at_s) is None
        time.sleep(1)
    assert ring.view(ring.decider(it)).nodes[of.name].unclean


def wait_proof(it, of, *, lost_at_s, within_s=60):
    return process.wait_until(
        lambda: ring.proof(it, of, lost_at_s=lost_at_s),
        within_s=within_s,
        what=f"the proof that {of.name} is off",
        every_s=0.2,
    )


def test_a_remote_that_is_cut_off_is_fenced_and_confirmed(it):
    lost, other = it.remotes
    cut_at_s = time.time()
    network.cut(lost.netns, off=MANAGEMENT, silent=True)

    process.wait_until(lambda: not host.is_on(lost), within_s=30, what="it to be off", every_s=0.1)
    off_s = time.time() - cut_at_s
    found = wait_proof(it, lost, lost_at_s=cut_at_s)

    print(f"off after {off_s:.1f} s, confirmed after {found.confirmed_at_s - cut_at_s:.0f} s")
    assert found.answer == "off"
    assert len(orders(lost, since_s=cut_at_s)) >= 1
    assert host.is_on(other)
    assert ring.proof(it, other, lost_at_s=cut_at_s) is None
    assert ring.proof(it, it.members[0], lost_at_s=cut_at_s) is None
    speaking = [m for m in it.members if ring.view(m).speaks(m.name)]
    assert len(speaking) == 1, "one member decides, and only it is asked"


@pytest.mark.parametrize("off_s", [0, pytest.param(90, marks=pytest.mark.chaos)])
def test_a_host_that_came_back_is_proven_off_no_more(it, off_s):
    """The ring takes it back by itself; after so long, each member has tried in vain."""
    lost = it.remotes[0]
    cut_at_s = time.time()
    host.kill(lost)
    wait_proof(it, lost, lost_at_s=cut_at_s)

    time.sleep(off_s)
    host.boot(lost)
    ring.wait_connected(it, within_s=180)

    assert ring.proof(it, lost, lost_at_s=cut_at_s) is None


def test_the_keys_are_replaced_while_the_ring_runs(it, client):
    def told_by_all(*words):
        return [host.run(each, words, check=False).stdout for each in it.members]

    def keys():
        return told_by_all("sha256sum", "/etc/corosync/authkey", "/etc/pacemaker/authkey")

    def reloads():
        journals = told_by_all("journalctl", "--no-pager", "--output=cat", "--unit=corosync")
        return [text.count("reload requested") for text in journals]

    def processes():
        return told_by_all("systemctl", "show", "--property=MainPID", "corosync", "pacemaker")

    def well():
        told = ring.status(client)
        print(told)
        states = {state for links in told["links"].values() for state in links.values()}
        nodes = told["nodes"].values()
        return (
            told["quorum"] == "yes"
            and states == {"enabled connected"}
            and all("online" in state and "unclean" not in state for state in nodes)
        )

    before, reloaded, ran, began_s = keys(), reloads(), processes(), time.time()
    assert len(set(before)) == 1

    client.run(f"{ring.SHIM}/leader", "rotate-keys", {"confirm": True})
    process.wait_until(
        lambda: len(set(now := keys())) == 1 and now[0] != before[0],
        within_s=90,
        what="every member to have the new keys",
        every_s=1.0,
    )
    process.wait_until(
        lambda: all(now > old for now, old in zip(reloads(), reloaded, strict=True)),
        within_s=90,
        what="Corosync to read the keys everywhere",
        every_s=1.0,
    )
    process.wait_until(well, within_s=60, what="a ring with all its members", every_s=1.0)

    assert processes() == ran, "nothing was restarted"
    assert [orders(each, since_s=began_s) for each in it.hosts] == [[]] * len(it.hosts)


def test_no_key_is_anywhere_but_in_roots_files(it, client):
    secrets = ["lab-secret"]
    member = it.members[0]
    secrets += [
        host.run(member, ["cat", "/etc/corosync/authkey"], check=False).stdout[:24],
    ]
    places = {
        "CIB": ["cibadmin", "--query"],
        "corosync.conf": ["cat", "/etc/corosync/corosync.conf"],
        "arguments": ["sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' ' '"],
        "journal": ["journalctl", "--no-pager", "--output=cat"],
        "logs": ["sh", "-c", "cat /var/log/pacemaker/* /var/log/corosync/* 2>/dev/null; true"],
        "temporary files": [
            "sh",
            "-c",
            "grep -rIh lab-secret /tmp /var/tmp; true",
        ],
    }
    for name, command in places.items():
        said = host.run(member, command, check=False).stdout
        assert not [s for s in secrets if s and s in said], f"a key is in {name}"
    modes = "stat -c '%a %U' /etc/instance-ha/* /etc/corosync/authkey /etc/pacemaker/authkey"
    said = host.run(member, ["sh", "-c", modes]).stdout.split("\n")
    assert set(said) <= {"600 root", "400 root", "440 root", ""}
    bags = client.cli("show-unit", f"{ring.SHIM}/0")
    assert "lab-secret" not in bags
    assert "pacemaker-key:" not in bags


@pytest.mark.chaos
def test_maas_that_hangs_confirms_nothing_and_is_asked_until_it_answers(it):
    lost = it.remotes[0]
    maas.inject("hanging")
    cut_at_s = time.time()
    network.cut(lost.netns, off=MANAGEMENT, silent=True)
    stay_unproven(it, lost, lost_at_s=cut_at_s, for_s=30)

    maas.clear()
    wait_proof(it, lost, lost_at_s=cut_at_s, within_s=150)
    assert not host.is_on(lost)


@pytest.fixture
def second_rung(it, client):
    """A BMC of its own for the first remote, below MAAS."""
    remote = it.remotes[0]
    bmc.ensure_up([remote])
    listed = json.dumps({remote.name: [bmc.entry(remote)]})
    secret = client.add_secret("bmcs", {"bmcs": listed})
    client.grant_secret(secret, ring.SHIM)
    client.config(ring.SHIM, {"bmc-credentials": str(secret)})
    wait_levels(it, remote, 2)
    yield remote
    ring.heal(it)
    client.config(ring.SHIM, reset="bmc-credentials")
    wait_levels(it, remote, 1)
    client.remove_secret(secret)
    bmc.down([remote])


def wait_levels(it, of, count):
    def there():
        asked = ["cibadmin", "--query", "--scope", "fencing-topology"]
        return host.run(it.members[0], asked, check=False).stdout.count(f'target="{of.name}"')

    process.wait_until(
        lambda: there() == count,
        within_s=120,
        what=f"{count} fencing levels of {of.name}",
        every_s=1.0,
    )


@pytest.mark.chaos
def test_while_no_rung_answers_nothing_is_proven_and_the_first_that_does_proves(it, second_rung):
    lost = second_rung
    bmc.down([lost])
    maas.inject("failing")
    cut_at_s = time.time()
    network.cut(lost.netns, off=MANAGEMENT, silent=True)
    stay_unproven(it, lost, lost_at_s=cut_at_s, for_s=30)

    bmc.ensure_up([lost])
    wait_proof(it, lost, lost_at_s=cut_at_s, within_s=150)
    assert not host.is_on(lost)
    assert orders(lost, since_s=cut_at_s) == []


@pytest.mark.chaos
@pytest.mark.parametrize("command", [["kill", "--signal=SIGKILL"], ["stop"]], ids=["kill", "stop"])
def test_a_remote_daemon_that_ends_on_a_healthy_host_gets_it_fenced(it, command):
    lost = it.remotes[0]
    at_s = time.time()
    host.run(lost, ["systemctl", *command, "pacemaker_remote"])

    wait_proof(it, lost, lost_at_s=at_s)
    assert not host.is_on(lost)


@pytest.mark.chaos
@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5, 2.0])
def test_short_interruptions_get_nobody_fenced(it, seconds):
    at_s = time.time()
    for each in it.remotes:
        network.cut(each.netns, off=MANAGEMENT, silent=True)
    time.sleep(seconds)
    network.heal_all()
    time.sleep(process.deadline(10))

    assert all(host.is_on(each) for each in it.remotes)
    assert [orders(each, since_s=at_s) for each in it.remotes] == [[], []]
    ring.wait_connected(it)


@pytest.mark.chaos
def test_a_member_that_is_lost_is_fenced_and_its_remotes_are_watched_on(it):
    member = ring.decider(it)
    at_s = time.time()
    host.kill(member)
    rest = it.without(member)

    ring.decider(rest)
    process.wait_until(
        lambda: orders(member, since_s=at_s), within_s=90, what=f"{member.name} to be fenced"
    )
    ring.wait_connected(rest)
    assert all(host.is_on(each) for each in it.remotes)


@pytest.mark.chaos
def test_of_a_split_ring_only_the_part_with_the_quorum_fences(it):
    alone = ring.decider(it)
    rest = it.without(alone)
    at_s = time.time()
    ring.split([alone], rest.members)

    process.wait_until(
        lambda: not host.is_on(alone), within_s=90, what=f"{alone.name} to be fenced"
    )
    ring.wait_connected(rest)
    ring.wait_done(ring.decider(rest))
    ordered = [r for r in maas.requests() if r["time"] >= at_s and "power_off" in r["path"]]
    assert {request["machine"] for request in ordered} == {alone.name}
    assert alone.address() not in {request["peer"] for request in ordered}
    assert all(host.is_on(each) for each in it.remotes)


@pytest.mark.chaos
def test_without_a_quorum_nobody_is_fenced_and_nobody_speaks(it):
    alone, *others = it.members
    at_s = time.time()
    for each in others:
        host.freeze(each)
    try:
        network.cut(it.remotes[0].netns, off=MANAGEMENT, silent=True)
        time.sleep(process.deadline(25))
        seen = ring.view(alone)
        assert seen is None or not seen.speaks(alone.name)
        assert [orders(each, since_s=at_s) for each in it.hosts] == [[]] * len(it.hosts)
        assert host.is_on(it.remotes[0])
    finally:
        network.heal_all()
        for each in others:
            host.thaw(each)
