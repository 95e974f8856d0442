# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever was away when a server died: Masakari is told once, and only of what should run."""

from __future__ import annotations

import json

import pytest

from hypervisor_instance_ha.errors import CloudRefusedError, LibvirtError
from hypervisor_instance_ha.hypervisor import Ending
from hypervisor_instance_ha.instances import Change, Inbox

A, B = "aaaaaaaa-0000", "bbbbbbbb-0000"
DUPLICATE = CloudRefusedError("notify", status=409, reason="duplicate")


def dies(host, uuid, ending=Ending.CRASHED):
    host.libvirt.end(uuid, ending)
    host.monitor.note(Change(kind="ended", uuid=uuid, ending=ending, at_s=host.clock.now_s))


@pytest.fixture
def running(host):
    """A and B run, Nova knows it, and the monitor has seen it."""
    host.libvirt.start(A, B)
    host.cloud.place(A, B)
    host.compare()
    return host


def test_a_crash_is_told_at_once_and_nova_is_not_even_asked(running):
    running.cloud.placed.clear()
    dies(running, A)

    running.deliver()

    assert running.told == [A]


def test_eight_at_once_are_all_told_in_their_order(host):
    uuids = [f"{number}-server" for number in range(8)]
    host.libvirt.start(*uuids)
    host.compare()
    for uuid in uuids:
        dies(host, uuid)

    host.deliver()

    assert host.told == uuids


@pytest.mark.parametrize("ending", [Ending.BY_ITSELF, Ending.WANTED])
def test_an_end_that_was_wanted_is_not_told(running, ending):
    dies(running, A, ending)

    running.deliver(for_s=60)

    assert running.told == []


def test_a_process_that_was_told_to_end_counts_where_nova_holds_it_active(running):
    dies(running, A, Ending.SIGNALLED)
    running.deliver()

    assert running.told == [A]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param({"task": "powering-off"}, [], id="nova-stops-it"),
        pytest.param({"state": "stopped"}, [], id="somebody-stopped-it"),
        pytest.param({"host": "h2"}, [], id="it-moved"),
        pytest.param({"state": "paused"}, [], id="paused"),
        pytest.param({"state": "error"}, [], id="error"),
        pytest.param({}, [A], id="active"),
    ],
)
def test_nova_decides_what_was_wanted(running, change, told):
    running.cloud.place(A, **change)
    dies(running, A, Ending.SIGNALLED)

    running.deliver(for_s=20)

    assert running.told == told


def test_a_server_that_nova_is_busy_with_is_judged_when_it_is_done(running):
    running.cloud.place(A, task="rebooting_hard")
    dies(running, A, Ending.SIGNALLED)
    running.deliver(for_s=20)
    assert running.told == []

    running.cloud.place(A)
    running.deliver(for_s=20)

    assert running.told == [A]


def test_a_death_while_the_monitor_was_away_is_found_and_told_once(running):
    running.libvirt.end(A)
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)
    running.compare()
    running.deliver(for_s=60)

    assert running.told == [A]


def test_nova_may_have_stopped_what_it_found_dead_before_us(running):
    running.libvirt.end(A)
    running.cloud.place(A, state="stopped")
    running.cloud.by_nova.add(A)
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)

    assert running.told == [A]


def test_a_guest_that_shut_itself_down_while_we_were_away_stays_down(running):
    running.libvirt.end(A, Ending.BY_ITSELF)
    running.cloud.place(A, state="stopped")
    running.cloud.by_nova.add(A)
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)

    assert running.told == []


def test_what_is_noted_outlives_the_monitor(running):
    dies(running, A)
    running.start_monitor()
    running.deliver(for_s=10)

    assert running.told == [A]


def test_nova_knows_what_no_ledger_does(host):
    host.cloud.place(A)
    host.compare()
    host.deliver(for_s=60)

    assert host.told == [A]


def test_what_is_being_built_is_not_missed(host):
    host.cloud.place(A, state="building", task="spawning")
    host.compare()
    host.deliver(for_s=60)

    assert host.told == []


def test_what_starts_before_it_is_judged_is_not_told(host):
    host.cloud.place(A)
    host.compare()
    host.libvirt.start(A)
    host.deliver(for_s=60)

    assert host.told == []


def test_servers_that_a_short_reboot_took_are_told_once_nova_may_start(running):
    running.libvirt.guests.clear()
    running.boot = "boot-2"
    running.silence = "the return guard holds nova-compute"
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)
    assert running.told == []

    running.silence = ""
    running.deliver(for_s=60)

    assert sorted(running.told) == [A, B]


def test_servers_that_were_evacuated_meanwhile_are_left_alone(running):
    running.libvirt.guests.clear()
    running.cloud.place(A, B, host="h2")
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)

    assert running.told == []


def test_nothing_is_lost_in_ten_minutes_without_api_and_the_order_is_kept(running):
    running.cloud.away = True
    dies(running, B)
    dies(running, A)
    running.deliver(for_s=600)
    assert running.told == []

    running.cloud.away = False
    running.deliver(for_s=60)

    assert running.told == [B, A]


def test_who_was_restarted_by_hand_meanwhile_is_not_restarted_again(running):
    running.cloud.away = True
    dies(running, A)
    running.deliver(for_s=120)
    running.libvirt.start(A)
    running.cloud.away = False
    running.deliver(for_s=60)

    assert running.told == []


def test_what_masakari_calls_a_duplicate_is_told_again_while_it_is_dead(running):
    running.cloud.failures = [DUPLICATE, DUPLICATE]
    dies(running, A)
    running.deliver(for_s=100)

    assert running.told == [A]


def test_one_that_masakari_declines_keeps_no_other_waiting(running):
    running.cloud.failures = [DUPLICATE]
    dies(running, A)
    dies(running, B)
    running.deliver()

    assert running.told == [B]


def test_what_dies_again_and_again_is_left_alone_in_the_end(host):
    host.limit = 3
    host.start_monitor()
    host.cloud.place(A)
    for _ in range(5):
        host.libvirt.start(A)
        host.compare()
        dies(host, A)
        host.deliver(for_s=60)

    assert host.told == [A, A, A]
    assert json.loads((host.place / "instances.json").read_text())["given_up"] == A


def test_libvirt_that_is_away_delays_and_loses_nothing(running):
    dies(running, A)
    running.libvirt.away = True
    running.deliver(for_s=30)
    assert running.told == []

    running.libvirt.away = False
    running.deliver(for_s=30)

    assert running.told == [A]


def test_nova_that_is_away_is_asked_again_soon(host):
    host.cloud.place(A)
    host.cloud.away = True
    host.compare()
    assert "503" in json.loads((host.place / "instances.json").read_text())["nova"]

    host.cloud.away = False
    host.compare()
    host.deliver(for_s=60)

    assert host.told == [A]


def test_a_broken_ledger_is_begun_anew(running):
    (running.place / "ledger.json").write_text("{")
    running.libvirt.end(A)
    running.start_monitor()
    running.compare()
    running.deliver(for_s=60)

    assert running.told == [A], "nova still knows"


def test_a_start_that_libvirt_tells_is_remembered(running):
    running.libvirt.start("cccc")
    running.monitor.note(Change(kind="started", uuid="cccc"))
    running.libvirt.end("cccc")
    running.cloud.place("cccc")
    running.start_monitor()
    running.monitor.look()
    running.deliver(for_s=60)

    assert running.told == ["cccc"]


def test_the_monitor_survives_libvirt(running):
    """Three lives of libvirt: refused, lost, and the last one in which it is told to stop."""
    lives = []

    def connect(inbox: Inbox):
        lives.append(inbox)
        if len(lives) == 1:
            raise LibvirtError("cannot reach libvirt; start it")
        if len(lives) == 2:
            running.libvirt.end(A)
            inbox.ended(A, Ending.CRASHED, running.clock.now_s)
            inbox.lost()
        return running.libvirt

    running.start_monitor(connect)
    running.monitor.run(lambda: len(lives) == 3, pause=lambda _: None)
    running.start_monitor()
    running.deliver(for_s=10)

    assert running.told == [A]
