# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Bring our plugin into a stock Masakari container, and prove there that it works.

The tree ``plugin/`` of the charm holds the packages with their ``dist-info``, so that stevedore
finds the tasks and the driver among their entry points.
"""

import hashlib
import pathlib
from collections.abc import Sequence

from masakari_k8s import workload
from masakari_k8s.workload import Box, CommandError, File

HOME = "/opt/instance-ha"
LIB = f"{HOME}/lib"
COMMAND = f"{HOME}/bin/instance-ha"
_STAMP = f"{HOME}/stamp"
_VERDICT = f"{HOME}/checked"
_PASSED = "passed"

_LAUNCHER = f"""\
#!/usr/bin/env python3
import sys

sys.path.insert(0, "{LIB}")
from masakari_instance_ha.cli import main

sys.exit(main())
"""


class PluginMissingError(Exception):
    """The charm was built without its plugin."""


def fingerprint(tree: pathlib.Path) -> str:
    """Return what changes with any file of the plugin.

    Raises:
        PluginMissingError: if there is no plugin.
    """
    files = sorted(path for path in tree.rglob("*") if path.is_file() and _belongs(path))
    if not files:
        raise PluginMissingError(f"{tree} is empty: build the charm with tools/stage.py")
    found = hashlib.sha256(_LAUNCHER.encode())
    for path in files:
        found.update(str(path.relative_to(tree)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _belongs(path: pathlib.Path) -> bool:
    return "__pycache__" not in path.parts


def ensure(where: Box, tree: pathlib.Path) -> str:
    """Make the container hold the plugin, and return its fingerprint.

    The stamp is written last: a hook that dies halfway is made good by the next one.
    """
    found = fingerprint(tree)
    if workload.read(where, _STAMP) == found:
        return found
    container = where.container
    if container.exists(LIB):
        container.remove_path(LIB, recursive=True)
    for path in sorted(tree.rglob("*")):
        if path.is_file() and _belongs(path):
            target = f"{LIB}/{path.relative_to(tree).as_posix()}"
            container.push(target, path.read_bytes(), make_dirs=True, permissions=0o644)
    container.push(COMMAND, _LAUNCHER, make_dirs=True, permissions=0o755)
    container.push(_STAMP, found, make_dirs=True, permissions=0o644)
    return found


def ensure_checked(where: Box, *, options: Sequence[str], subject: str) -> bool:
    """Prove that plugin and configuration work, unless that was proven before for *subject*.

    A verdict lives in the container, so a new image or a restarted container is checked anew.

    Args:
        where: The container.
        options: What tells the command where the configuration is.
        subject: Changes with anything that the verdict depends on.

    Returns:
        Whether they work; :func:`verdict` says why not.
    """
    if workload.read(where, _VERDICT) == f"{subject}\n{_PASSED}":
        return True
    try:
        workload.run(where, [COMMAND, *options, "check"])
    except CommandError as error:
        _record(where, f"{subject}\n{error.reason}")
        return False
    _record(where, f"{subject}\n{_PASSED}")
    return True


def _record(where: Box, text: str) -> None:
    workload.ensure_files(where, [File(path=_VERDICT, text=text)])


def verdict(where: Box) -> str | None:
    """Return why the last check failed; None if it passed or there was none yet."""
    _, _, reason = (workload.read(where, _VERDICT) or "").partition("\n")
    return reason if reason and reason != _PASSED else None
