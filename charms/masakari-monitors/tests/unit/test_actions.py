# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an operator may ask of a hypervisor, and what is refused with a next step."""

from __future__ import annotations

import json
import subprocess

import pytest
from ops import testing

from masakari_monitors import actions, workload

SERVER = "7b7d3a9c-3a0e-4d7e-8f3c-0d1f0c6f1a11"


@pytest.fixture
def program(monkeypatch):
    """The program on the hypervisor: it remembers its words, and answers as told."""

    class Program:
        def __init__(self) -> None:
            self.said: list[list[str]] = []
            self.answer = subprocess.CompletedProcess([], 0, "on\n", "")

    played = Program()

    def run(argv, **_):
        played.said.append(argv[3:])
        return played.answer

    monkeypatch.setattr(actions.subprocess, "run", run)
    return played


def state(**changes):
    return testing.State(relations={testing.SubordinateRelation("container")}, **changes)


def test_the_status_shows_what_each_program_says(ctx, hypervisor):
    hypervisor.say("guard", state="held", reason="Masakari recovers this host")

    ctx.run(ctx.on.action("show-status"), state())

    assert json.loads(ctx.action_results["guard"])["state"] == "held"
    assert ctx.action_results["paused"] == "false"
    assert "danger" not in ctx.action_results


def test_guests_that_nova_resumes_are_told_as_a_danger(ctx, hypervisor):
    hypervisor.write(
        "etc/nova/nova.conf", "[DEFAULT]\nhost = h1\nresume_guests_state_on_host_boot = True\n"
    )

    ctx.run(ctx.on.action("show-status"), state())

    assert "set it to false" in ctx.action_results["danger"]


def test_a_pause_is_told_to_masakari_and_ended(ctx, hypervisor, program):
    ctx.run(ctx.on.action("pause", params={"reason": "new disk"}), state())
    assert workload.paused()
    ctx.run(ctx.on.action("resume"), state())

    assert not workload.paused()
    assert program.said == [["maintenance", "on"], ["maintenance", "off"]]


def test_a_pause_holds_though_masakari_cannot_be_told(ctx, hypervisor, program):
    program.answer = subprocess.CompletedProcess([], 1, "", "error: keystone did not answer")

    with pytest.raises(testing.ActionFailed, match="keystone did not answer"):
        ctx.run(ctx.on.action("pause"), state())

    assert workload.paused()


def test_a_hold_is_not_lifted_without_being_sure(ctx, hypervisor):
    hypervisor.say("guard", state="held", reason="2 servers are on their way")

    with pytest.raises(testing.ActionFailed, match=r"2 servers are on their way.*confirm=true"):
        ctx.run(ctx.on.action("release-host"), state())

    assert not (hypervisor.root / workload.OVERRIDE).exists()


def test_a_hold_is_lifted_by_an_operator(ctx, hypervisor):
    hypervisor.say("guard", state="held", reason="nobody answers")

    ctx.run(ctx.on.action("release-host", params={"confirm": True}), state())

    assert (hypervisor.root / workload.OVERRIDE).exists()
    assert workload.GUARD in hypervisor.units, "a guard that had ended must look again"


def test_a_host_that_is_free_is_left_alone(ctx, hypervisor):
    hypervisor.say("guard", state="released", reason="this host was not fenced")

    ctx.run(ctx.on.action("release-host", params={"confirm": True}), state())

    assert not (hypervisor.root / workload.OVERRIDE).exists()


def test_a_drill_kills_only_what_is_confirmed(ctx, hypervisor, program):
    with pytest.raises(testing.ActionFailed, match="add confirm=true"):
        ctx.run(ctx.on.action("run-instance-drill", params={"server": SERVER}), state())
    assert program.said == []

    params = {"server": SERVER, "confirm": True}
    ctx.run(ctx.on.action("run-instance-drill", params=params), state())

    assert program.said == [["drill", SERVER]]


def test_a_drill_that_the_hypervisor_refuses_says_why(ctx, hypervisor, program):
    program.answer = subprocess.CompletedProcess([], 1, "", "error: not marked as a test server")

    params = {"server": SERVER, "confirm": True}
    with pytest.raises(testing.ActionFailed, match="not marked"):
        ctx.run(ctx.on.action("run-instance-drill", params=params), state())


def test_what_is_no_uuid_is_no_server(ctx, hypervisor, program):
    params = {"server": "h1; reboot", "confirm": True}
    with pytest.raises(testing.ActionFailed):
        ctx.run(ctx.on.action("run-instance-drill", params=params), state())

    assert program.said == []
