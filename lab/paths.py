# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where the lab keeps what it makes.

``STATE`` holds one running lab and goes with ``python -m lab down``; ``CACHE`` holds what is slow
to build and outlives it.
"""

import hashlib
import os
import pathlib
import shutil

from .errors import MissingError

STATE = pathlib.Path(os.environ.get("INSTANCE_HA_LAB", "/var/tmp/instance-ha-lab"))
CACHE = pathlib.Path(
    os.environ.get("INSTANCE_HA_CACHE", pathlib.Path.home() / ".cache" / "instance-ha-lab")
)
BUILD = pathlib.Path(__file__).parent / "build"
"""The pinned inputs of everything in ``CACHE``: go.mod, go.sum and requirement files."""

REPOSITORY = pathlib.Path(__file__).parent.parent


def fingerprint(file: pathlib.Path) -> str:
    """Return the part of a cached thing's name that changes whenever *file* does."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12]


def binary_path(name: str) -> pathlib.Path:
    """Return the machine's own Consul, or where a binary built from ``build/<name>`` belongs.

    Nobody's ``pebble`` is taken from PATH: another program has that name as well.
    """
    if name == "consul" and (found := shutil.which(name)):
        return pathlib.Path(found)
    return CACHE / "bin" / f"{name}-{fingerprint(BUILD / name / 'go.sum')}"


def binary(name: str) -> pathlib.Path:
    """Return the cached binary *name* (``consul``, ``pebble``).

    Raises:
        MissingError: if it was not built yet.
    """
    path = binary_path(name)
    if not path.exists():
        raise MissingError(name, reason=f"{path} does not exist")
    return path


def openstack_venv_path() -> pathlib.Path:
    """Return where the OpenStack virtual environment belongs."""
    return environment_path("openstack")


def environment_path(name: str) -> pathlib.Path:
    """Return where the environment of ``build/<name>-requirements.txt`` belongs."""
    return CACHE / f"{name}-{fingerprint(BUILD / f'{name}-requirements.txt')}"


def openstack_venv() -> pathlib.Path:
    """Return the finished OpenStack virtual environment.

    Raises:
        MissingError: if it was not built yet, or its build was interrupted.
    """
    path = openstack_venv_path()
    if not (path / "complete").exists():
        raise MissingError("the OpenStack environment", reason=f"{path} is not complete")
    return path


def openstack(command: str) -> str:
    """Return the full path of *command* in the OpenStack environment."""
    return str(openstack_venv() / "bin" / command)
