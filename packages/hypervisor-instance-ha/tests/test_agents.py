# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Guests that run and answer no more."""

from __future__ import annotations

import threading

import pytest

from hypervisor_instance_ha.agents import AgentMonitor
from hypervisor_instance_ha.courier import What
from hypervisor_instance_ha.errors import LibvirtError
from hypervisor_instance_ha.settings import AgentWatch
from hypervisor_instance_ha.spool import Entry

A, B = "aaaa", "bbbb"


@pytest.fixture
def monitor(host):
    host.libvirt.start(A, B)
    host.cloud.place(A, B)
    return AgentMonitor(
        host.station("agents"),
        options=AgentWatch(interval_s=1, timeout_s=1, failures=3),
        connect=lambda: host.libvirt,
    )


def waiting(host):
    return list(host.station("agents").spool.entries())


def rounds(monitor, count):
    for _ in range(count):
        monitor.step()


def test_a_guest_that_falls_silent_is_told_once(host, monitor):
    monitor.step()
    host.libvirt.deaf.add(A)
    rounds(monitor, 6)

    (entry,) = waiting(host)
    assert entry.name == A
    assert monitor.judge(entry).what is What.SEND
    monitor.send(entry)
    assert host.cloud.told == [("QEMU_GUEST_AGENT_ERROR", A)]


def test_a_guest_that_never_answered_is_still_booting(host, monitor):
    host.libvirt.deaf.add(A)
    rounds(monitor, 6)

    assert waiting(host) == []


def test_a_guest_that_answers_again_is_not_restarted(host, monitor):
    monitor.step()
    host.libvirt.deaf.add(A)
    rounds(monitor, 3)
    host.libvirt.deaf.clear()
    monitor.step()

    assert monitor.judge(waiting(host)[0]).what is What.DROP


@pytest.mark.parametrize("change", [{"state": "paused"}, {"host": "h2"}], ids=["paused", "moved"])
def test_nova_decides_whether_it_should_answer(host, monitor, change):
    monitor.step()
    host.libvirt.deaf.add(A)
    rounds(monitor, 3)
    host.cloud.place(A, **change)

    assert monitor.judge(waiting(host)[0]).what is What.DROP


def test_a_question_that_never_returns_keeps_no_other_guest_waiting(host, monitor, monkeypatch):
    monkeypatch.setattr("hypervisor_instance_ha.agents.LIBVIRT_S", -0.9)
    monitor.step()
    stuck = threading.Event()
    ping = host.libvirt.ping

    def hang(uuid, *, timeout_s):
        if uuid == A:
            stuck.wait(20)
        return ping(uuid, timeout_s=timeout_s)

    host.libvirt.ping = hang
    host.libvirt.deaf.add(B)
    rounds(monitor, 3)
    stuck.set()

    assert {entry.name for entry in waiting(host)} == {A, B}


def test_libvirt_may_come_and_go(host, monitor):
    host.libvirt.away = True
    monitor.step()
    host.libvirt.away = False
    monitor.step()
    host.libvirt.deaf.add(A)
    rounds(monitor, 3)

    assert len(waiting(host)) == 1


def test_a_pause_restarts_nobody(host):
    host.silence = "paused"
    monitor = AgentMonitor(
        host.station("agents"), options=AgentWatch(), connect=lambda: host.libvirt
    )

    assert monitor.judge(Entry(kind="hangs", name=A, at_s=0.0)).what is What.LATER


def test_a_libvirt_that_refuses_is_said(host):
    def refuse():
        raise LibvirtError("cannot reach libvirt; start it")

    monitor = AgentMonitor(host.station("agents"), options=AgentWatch(), connect=refuse)
    monitor.step()

    assert "cannot reach libvirt" in (host.place / "agents.json").read_text()
