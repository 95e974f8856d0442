# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Servers on plain and on encrypted volumes, of a host that loses power: Cinder and Barbican."""

import contextlib

import pytest

from lab import host, network, oracle, servers, stories, volumes
from lab.openstack import cloud
from lab.process import wait_until
from lab.stories import faults, losses

pytestmark = [pytest.mark.lab, pytest.mark.chaos]


@pytest.fixture(scope="module")
def storage(lab):
    volumes.ensure_up()


@contextlib.contextmanager
def unable_to_decrypt():
    """Let Barbican see in Masakari's user what it sees where `enable-secret-access` is off.

    The role stays: Keystone would revoke the user's tokens with it, and more than keys be refused.
    """
    volumes.write_policy(reader="nobody")
    try:
        yield
    finally:
        volumes.write_policy()


def play(act, capsys):
    told = stories.play(stories.Story(name=act.__name__, play=act), say=lambda _: None)
    with capsys.disabled():
        print(f"\n== {act.__doc__}\n{told}")


def boot():
    """Boot a customer's encrypted server where Nova likes, and a plain one beside it."""
    with volumes.customer() as customer:
        secret = volumes.boot("encrypted", connection=customer, type=volumes.ENCRYPTED)
    lost = host.host(secret.server.host)
    with cloud() as connection:
        plain = volumes.boot("plain", connection=connection, on=lost)
    for disk in (secret, plain):
        servers.wait_first_write(disk.server.id, on=lost)
    return lost, secret, plain


def check_one_writer(scene, disk, *, ran_on):
    # Cinder wrote first where it had to make a LUKS.
    turns = ([network.STORAGE.router] if disk.key else []) + [
        each.address(network.STORAGE) for each in ran_on
    ]
    finding = oracle.examine(
        disk.server.id, ran_on=ran_on, image=disk.image, unlock=disk.unlock, moves=len(turns) - 1
    )
    scene.note("oracle", "\n".join(oracle.describe(finding)))
    sound = finding.sound and [run.address for run in finding.runs] == turns
    scene.check(f"{disk.server.name}: one writer after the other, nothing lost", sound)


def test_volumes_and_encrypted_volumes_are_recovered(storage, capsys):
    def power_loss(scene, _):
        """A host loses power; its servers on a plain and on an encrypted volume write on."""
        lost, secret, plain = boot()
        moved = [secret.server, plain.server]
        scene.check("the customer's disk has a key of its own", bool(secret.key and not plain.key))
        scene.fault(f"{lost.name} loses power")
        host.kill(lost)
        scene.wait_incident(lost, state="recovered", within_s=losses.RECOVERED_S)
        scene.wait_elsewhere(moved, lost=lost)
        scene.check_fenced_recovery(moved, lost=lost)
        for disk in (secret, plain):
            check_one_writer(scene, disk, ran_on=[lost, scene.wait_writing(disk.server)])

    play(power_loss, capsys)


def test_without_the_right_to_a_key_one_server_waits_and_says_why(storage, capsys):
    def key_refused(scene, _):
        """Masakari may read no key: one server waits and says why, all others are recovered."""
        lost, secret, plain = boot()
        (image,) = scene.boot_servers(lost, count=1)
        with unable_to_decrypt():
            scene.fault(f"{lost.name} loses power, and Masakari's user may read no key")
            host.kill(lost)
            scene.wait_elsewhere([plain.server, image], lost=lost)
            why = wait_until(
                lambda: [
                    event["text"]
                    for event in faults.events(scene, lost)
                    if "encrypted" in event["text"] and "KeyManagerError" in event["text"]
                ],
                within_s=losses.RECOVERED_S,
                what="the incident to name the server and the reason",
                every_s=1.0,
            )
            scene.note("incident", why[-1])
            scene.check("it says what the key manager refused", "Forbidden" in why[-1])
            scene.check("it says what to do", volumes.DECRYPTER in why[-1])
            waiting = servers.server(secret.server.id)
            scene.check(f"it is {waiting.status} where it was", waiting.host == lost.name)
        scene.wait_incident(lost, state="recovered", within_s=losses.RECOVERED_S)
        scene.wait_elsewhere([secret.server], lost=lost)
        for disk in (secret, plain):
            check_one_writer(scene, disk, ran_on=[lost, scene.wait_writing(disk.server)])
        scene.check_one_writer([image])

    play(key_refused, capsys)
