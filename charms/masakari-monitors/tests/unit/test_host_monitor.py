# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The host monitor on a member of a ring: by what it runs, and what of it is seen."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
import sys

import pytest
from ops import testing

from masakari_instance_ha import options
from masakari_instance_ha.ring import monitor
from masakari_instance_ha.standalone import Program
from masakari_monitors import host_monitor, workload

from .test_charm import ANSWER

USER = testing.Secret({"username": "svc_monitors", "password": "s3cr3t$password"})
KEYSTONE = testing.Relation(
    "identity-credentials", remote_app_data=ANSWER | {"credentials": USER.id}
)


def state(**config: bool) -> testing.State:
    principal = testing.SubordinateRelation("container")
    return testing.State(
        relations={principal, KEYSTONE}, secrets={USER}, config={"host-monitor": True, **config}
    )


@pytest.fixture
def member(hypervisor, monkeypatch):
    """A machine of a ring, where Pacemaker answers."""
    monkeypatch.setattr(host_monitor, "FIRST_LOOK_S", 0)
    hypervisor.say("host", state="stands by")
    return hypervisor


def test_it_runs_on_what_keystone_said(ctx, member):
    out = ctx.run(ctx.on.config_changed(), state())

    conf = monitor.read_options(member.root / host_monitor.CONFIG)
    assert conf.instance_ha_api.password == "s3cr3t$password"
    assert conf.instance_ha_api.region_name == "RegionOne"
    assert conf.instance_ha.networks == ["management"]
    assert conf.instance_ha.unit == "masakari-monitors/0"
    assert options.store_url(conf) == "sqlite:////var/lib/instance-ha/host-monitor.sqlite"
    assert host_monitor.UNIT in member.units
    assert out.unit_status == testing.ActiveStatus()


def test_the_account_is_roots_alone_and_on_no_command_line(ctx, member):
    ctx.run(ctx.on.config_changed(), state())

    assert (member.root / host_monitor.CONFIG).stat().st_mode & 0o777 == 0o600
    assert "s3cr3t" not in member.read(workload.UNITS / host_monitor.UNIT)


def test_the_sdk_may_ask_for_the_machine_s_addresses(ctx, member):
    ctx.run(ctx.on.config_changed(), state())

    unit = member.read(workload.UNITS / host_monitor.UNIT)
    allowed = [line.partition("=")[2] for line in unit.splitlines() if "AddressFam" in line]
    assert {"AF_INET", "AF_UNIX", "AF_NETLINK"} <= set(" ".join(allowed).split())


def test_an_unchanged_world_does_not_restart_it(ctx, member):
    once = ctx.run(ctx.on.config_changed(), state())

    ctx.run(ctx.on.update_status(), once)

    assert member.restarts.count(host_monitor.UNIT) == 1


def test_a_new_copy_of_the_program_restarts_it(ctx, member, monkeypatch):
    once = ctx.run(ctx.on.config_changed(), state())
    monkeypatch.setattr(Program, "ensure", lambda self, home: home / f"{self.name}-2")

    ctx.run(ctx.on.upgrade_charm(), once)

    assert member.restarts.count(host_monitor.UNIT) == 2


def test_without_the_option_nothing_of_it_is_left(ctx, member):
    once = ctx.run(ctx.on.config_changed(), state())

    out = ctx.run(
        ctx.on.config_changed(), dataclasses.replace(once, config={"host-monitor": False})
    )

    assert host_monitor.UNIT not in member.units
    assert not (member.root / host_monitor.CONFIG).exists()
    assert not (member.root / workload.UNITS / host_monitor.UNIT).exists()
    assert out.unit_status == testing.ActiveStatus()


def test_the_first_look_of_a_new_monitor_is_awaited(ctx, hypervisor, monkeypatch):
    looks = iter(["blind", "stands by"])
    monkeypatch.setattr(
        host_monitor.time, "sleep", lambda _: hypervisor.say("host", state=next(looks))
    )

    out = ctx.run(ctx.on.config_changed(), state())

    assert out.unit_status == testing.ActiveStatus()


def test_a_monitor_that_does_not_see_the_ring_is_told(ctx, member):
    member.say("host", state="blind", why="crm_mon: cannot connect")

    out = ctx.run(ctx.on.update_status(), state())

    assert out.unit_status == testing.WaitingStatus(
        "host monitor: waiting for pacemaker to answer"
    )
    assert "crm_mon: cannot connect" in ctx_results(ctx, out)["host"]


def test_a_monitor_that_ended_is_told(ctx, member, monkeypatch):
    once = ctx.run(ctx.on.config_changed(), state())
    monkeypatch.setattr(workload.systemd, "service_start", lambda _: False)
    member.stop(host_monitor.UNIT)

    out = ctx.run(ctx.on.update_status(), once)

    assert out.unit_status == testing.BlockedStatus(
        "hostmonitor stopped: see journalctl on the machine"
    )


def ctx_results(ctx: testing.Context, state: testing.State) -> dict[str, str]:
    ctx.run(ctx.on.action("show-status"), state)
    return ctx.action_results


def test_it_goes_with_the_charm(ctx, member):
    once = ctx.run(ctx.on.config_changed(), state())

    ctx.run(ctx.on.remove(), once)

    assert host_monitor.UNIT not in member.units
    assert not (member.root / host_monitor.HOME).exists()
    assert not (member.root / host_monitor.CONFIG).exists()


def test_its_copy_needs_nothing_of_the_charm(tmp_path: pathlib.Path):
    copy = host_monitor.PROGRAM.ensure(tmp_path)
    python = os.path.realpath(sys.executable)
    script = (
        f"import sys; sys.path.insert(0, {str(copy)!r})\n"
        "from masakari_instance_ha.ring import monitor\n"
        "sys.exit(monitor.main(['--config-file', '/nowhere']))"
    )

    done = subprocess.run(
        [python, "-I", "-S", "-c", script], capture_output=True, text=True, check=False, cwd="/"
    )

    assert (done.returncode, "the options cannot be read" in done.stderr) == (1, True), done.stderr
