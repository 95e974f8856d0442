# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The operator's commands, ``juju`` and ``openstack``, for a shell that speaks to the lab.

``eval "$(python -m lab env)"`` makes a shell such a one.
"""

import os
import shlex
from collections.abc import Mapping

from . import juju, network, paths
from .openstack import places

COMMANDS = paths.STATE / "commands"
"""A directory for PATH."""


def environment() -> dict[str, str]:
    """Return what an operator's shell needs; the commands are there afterwards."""
    _ensure_commands()
    return {
        "PATH": f"{COMMANDS}:{os.environ['PATH']}",
        "OS_AUTH_URL": places.AUTH_URL,
        "OS_USERNAME": places.ADMIN,
        "OS_PASSWORD": places.PASSWORD,
        "OS_PROJECT_NAME": places.ADMIN,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": places.REGION,
        "OS_IDENTITY_API_VERSION": "3",
        "OS_COMPUTE_API_VERSION": "2.74",  # the first at which a server's host can be named
        "PYTHONWARNINGS": "ignore",
    }


def exports(variables: Mapping[str, str]) -> str:
    """Return the variables as a shell takes them in."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())


def _ensure_commands() -> None:
    COMMANDS.mkdir(parents=True, exist_ok=True)
    openstack = shlex.quote(paths.openstack("openstack"))
    _write("juju", f'exec {shlex.quote(str(juju.BINARY))} "$@"')
    _write("openstack", f'exec nsenter --net=/run/netns/{network.SWITCH} {openstack} "$@"')


def _write(name: str, line: str) -> None:
    command = COMMANDS / name
    command.write_text(f"#!/bin/sh\n{line}\n")
    command.chmod(0o755)
