# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Run one hook: the charm's ``dispatch`` as a process where the unit lives."""

import dataclasses
import os
import pathlib
import subprocess
import time
from collections.abc import Mapping
from typing import Protocol

from . import equipment
from .charmdir import unpack
from .context import HookContext
from .event import Event
from .model import JUJU_VERSION, Model, Unit
from .place import JUJU, Place, in_directory
from .toolserver import NAME

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a hook ended."""

    code: int
    stdout: str
    stderr: str
    took_s: float


class Runner(Protocol):
    """What the agent needs to run a unit's hooks."""

    def provision(self, unit: Unit, *, place: Place) -> None:
        """Prepare a place that is up for a unit: its directories and its hook tools."""
        ...

    def lay_out_charm(self, unit: Unit, *, place: Place, charm: pathlib.Path) -> None:
        """Give a unit the code in *charm*."""
        ...

    def dispatch(self, unit: Unit, *, event: Event, context: HookContext, place: Place) -> Outcome:
        """Run the hook to its end; a place that dies meanwhile makes it fail."""
        ...


class ProcessRunner:
    """Runs hooks as processes."""

    def provision(self, unit: Unit, *, place: Place) -> None:
        """Prepare a place that is up for a unit: its directories and its hook tools."""
        agent_directory(place, unit).mkdir(parents=True, exist_ok=True)
        equipment.lay_out_tools(place.juju / "tools" / unit.tag)

    def lay_out_charm(self, unit: Unit, *, place: Place, charm: pathlib.Path) -> None:
        """Give a unit the code in *charm*."""
        unpack(charm, at=agent_directory(place, unit) / "charm", python=equipment.charm_python())

    def dispatch(self, unit: Unit, *, event: Event, context: HookContext, place: Place) -> Outcome:
        """Run the hook to its end; a place that dies meanwhile makes it fail."""
        variables = environment(context.model, unit, event=event, context_id=context.id)
        directory = str(JUJU / "agents" / unit.tag / "charm")
        return execute(place, ["./dispatch"], directory=directory, variables=variables)


def agent_directory(place: Place, unit: Unit) -> pathlib.Path:
    """Return the directory of a unit's agent, as the machine sees it."""
    return place.juju / "agents" / unit.tag


def environment(model: Model, unit: Unit, *, event: Event, context_id: str) -> dict[str, str]:
    """Return the variables of a hook, as recorded (juju-trace: Shapes)."""
    agent = JUJU / "agents" / unit.tag
    action = event.task is not None
    variables = {
        "CHARM_DIR": str(agent / "charm"),
        "DEBIAN_FRONTEND": "noninteractive",
        "HOME": "/root",
        "JUJU_AGENT_SOCKET_ADDRESS": str(agent / NAME),
        "JUJU_AGENT_SOCKET_NETWORK": "unix",
        "JUJU_API_ADDRESSES": "10.70.0.1:17070",
        "JUJU_AVAILABILITY_ZONE": "" if unit.machine is None else "default",
        "JUJU_CHARM_DIR": str(agent / "charm"),
        "JUJU_CONTEXT_ID": context_id,
        "JUJU_DISPATCH_PATH": event.hook if action else f"hooks/{event.hook}",
        "JUJU_HOOK_NAME": "" if action else event.hook,
        "JUJU_MODEL_NAME": model.name,
        "JUJU_MODEL_UUID": model.uuid,
        "JUJU_PRINCIPAL_UNIT": unit.principal or "",
        "JUJU_UNIT_NAME": unit.name,
        "JUJU_VERSION": JUJU_VERSION,
        "LANG": "C.UTF-8",
        "PATH": f"{JUJU / 'tools' / unit.tag}:{_PATH}",
        "TERM": "tmux-256color",
    }
    if unit.machine is not None:
        variables["JUJU_MACHINE_ID"] = str(unit.machine)
    return variables | dict(event.env)


def execute(
    place: Place,
    argv: list[str],
    *,
    directory: str,
    variables: Mapping[str, str],
    container: str = "",
) -> Outcome:
    """Run a command in a place with exactly the given *variables*."""
    words = in_directory(place, argv, directory=directory, container=container)
    started = time.monotonic()
    done = subprocess.run(
        words,
        env={"PATH": os.defpath, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    took_s = time.monotonic() - started
    return Outcome(code=done.returncode, stdout=done.stdout, stderr=done.stderr, took_s=took_s)
