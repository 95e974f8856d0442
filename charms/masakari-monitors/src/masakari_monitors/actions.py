# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The actions of the unit: what an operator asks of one hypervisor."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping

import ops
import pydantic
from charmlibs.systemd import SystemdError

from masakari_monitors import hypervisor, workload

PROGRAM = ("/usr/bin/python3", "-m", "hypervisor_instance_ha")
TIMEOUT_S = 120
REPORTS = ("guard", "host", "instances", "processes", "agents", "storage")


class _Params(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class ReasonParams(_Params):
    """Parameters of pause and release-host."""

    reason: str = pydantic.Field("", max_length=200)
    confirm: bool = False


class DrillParams(_Params):
    """Parameters of run-instance-drill."""

    server: str = pydantic.Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    confirm: bool = False


class Refusal(Exception):  # noqa: N818 - it is the answer to an operator
    """An action that was not done; the message holds fact, reason and next command."""


def show_status(_: ops.ActionEvent) -> Mapping[str, str]:
    """Return what every program says of itself."""
    told = {name: json.dumps(workload.report(name), sort_keys=True) for name in REPORTS}
    told = {name: text for name, text in told.items() if text != "{}"}
    told["paused"] = str(workload.paused()).lower()
    if unit := hypervisor.other_monitor():
        told["other-monitor"] = f"{unit} runs too: remove its relation, or stop and disable it"
    if hypervisor.resumes_guests():
        told["danger"] = (
            "resume_guests_state_on_host_boot is true: nova-compute may start guests that run "
            "elsewhere; set it to false"
        )
    return told


def pause(event: ops.ActionEvent) -> Mapping[str, str]:
    """Let nothing of this host be reported, restarted or recovered."""
    params = event.load_params(ReasonParams, errors="fail")
    workload.pause(why=params.reason or "an operator works on the host")
    return {"paused": "true", "maintenance": _run("maintenance", "on")}


def resume(_: ops.ActionEvent) -> Mapping[str, str]:
    """End the pause; what died meanwhile is found."""
    told = _run("maintenance", "off")
    workload.resume()
    return {"paused": "false", "maintenance": told}


def release_host(event: ops.ActionEvent) -> Mapping[str, str]:
    """Let nova-compute start though the guard holds it."""
    params = event.load_params(ReasonParams, errors="fail")
    guard = workload.report("guard")
    if guard.get("state") != "held":
        return {"state": str(guard.get("state", "released"))}
    if not params.confirm:
        raise Refusal(
            f"nova-compute is held: {guard.get('reason')}. Servers of this host may be starting "
            "elsewhere; make sure that they are not, and add confirm=true"
        )
    workload.release(why=params.reason or "released by an operator")
    return {"state": "released", "was-held-because": str(guard.get("reason"))}


def run_instance_drill(event: ops.ActionEvent) -> Mapping[str, str]:
    """Kill the process of a test server, to see it come back."""
    params = event.load_params(DrillParams, errors="fail")
    if not params.confirm:
        raise Refusal(f"this would kill the server {params.server}; add confirm=true")
    return {"killed": _run("drill", params.server)}


ACTIONS: Mapping[str, Callable[[ops.ActionEvent], Mapping[str, str]]] = {
    "show-status": show_status,
    "pause": pause,
    "resume": resume,
    "release-host": release_host,
    "run-instance-drill": run_instance_drill,
}


def answer(event: ops.ActionEvent) -> None:
    """Run the action of *event*; set its results, or fail it with what to do next."""
    name = event.handle.kind.removesuffix("_action").replace("_", "-")
    try:
        event.set_results(dict(ACTIONS[name](event)))
    except (Refusal, SystemdError) as refusal:
        event.fail(str(refusal))


def _run(*words: str) -> str:
    """Run a program of the hypervisor's and return its last line."""
    try:
        done = subprocess.run(
            [*PROGRAM, *words],
            env={"PYTHONPATH": f"/{workload.CODE}", "PATH": "/usr/sbin:/usr/bin"},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Refusal(f"{words[0]} did not end: {error}; see journalctl on the machine") from error
    if done.returncode:
        raise Refusal(done.stderr.strip() or f"{words[0]} failed; see journalctl on the machine")
    return done.stdout.strip()
