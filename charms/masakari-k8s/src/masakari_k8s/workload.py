# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Files, commands and services in a container under Pebble; knows nothing of Juju's model."""

import hashlib
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ops
from ops import pebble

logger = logging.getLogger(__name__)

ACCOUNT = "masakari"


class CommandError(Exception):
    """A command in a container did not end well; the message holds no password."""

    def __init__(self, command: str, reason: str, *, output: str = "") -> None:
        super().__init__(f"{command} failed: {reason}")
        self.reason = reason
        self.output = output
        """What it answered all the same."""


class ServiceError(Exception):
    """A service did not start, or did not stay up."""


@dataclass(frozen=True, kw_only=True)
class File:
    """A file that a container shall hold, readable by the service's group."""

    path: str
    text: str
    live: bool = False
    """The service reads it anew whenever it needs it, so a change restarts nothing."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A container that can be reached, and the account that its services run as.

    Stock images have the account ``masakari``. In one that has not, everything runs as root, and
    files of mode 0640 are root's alone.
    """

    container: ops.Container
    account: str | None


def box(container: ops.Container) -> Box | None:
    """Return the container if its Pebble answers."""
    if not container.can_connect():
        return None
    root = Box(container=container, account=None)
    known = all(
        re.search(rf"^{ACCOUNT}:", read(root, path) or "", re.MULTILINE)
        for path in ("/etc/passwd", "/etc/group")
    )
    return Box(container=container, account=ACCOUNT) if known else root


def ensure_files(where: Box, files: Iterable[File]) -> bool:
    """Make the container hold *files*. Return whether anything changed."""
    changed = False
    for file in files:
        if read(where, file.path) == file.text:
            continue
        where.container.push(
            file.path,
            file.text,
            make_dirs=True,
            permissions=0o640,
            user="root" if where.account else None,
            group=where.account,
        )
        changed = True
    return changed


def ensure_gone(where: Box, path: str) -> bool:
    """Remove a file. Return whether it was there."""
    if not where.container.exists(path):
        return False
    where.container.remove_path(path)
    return True


def read(where: Box, path: str) -> str | None:
    """Return a file's text, or None where there is no such file."""
    try:
        with where.container.pull(path) as file:
            return str(file.read())
    except pebble.PathError as error:
        if error.kind != "not-found":
            raise
        return None


def digest(files: Iterable[File], *more: str) -> str:
    """Return what changes whenever a service must start anew; live files do not count."""
    text = hashlib.sha256()
    for part in (*(f"{file.path}\0{file.text}" for file in files if not file.live), *more):
        text.update(part.encode() + b"\0")
    return text.hexdigest()[:16]


def run(
    where: Box, command: Sequence[str], *, stdin: str | None = None, timeout_s: float = 60
) -> str:
    """Run a command as the services' account and return what it printed.

    Raises:
        CommandError: if it failed, did not end in time, or could not be started.
    """
    name = command[0].rpartition("/")[2]
    try:
        process = where.container.exec(
            list(command),
            user=where.account,
            group=where.account,
            stdin=stdin,
            timeout=timeout_s,
        )
        output, _ = process.wait_output()
    except pebble.ExecError as error:  # pyright: ignore[reportUnknownVariableType]
        answer = str(error.stdout or "")  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        text = f"{answer}\n{error.stderr}"  # pyright: ignore[reportUnknownMemberType]
        reason = _last_words(text).removeprefix(f"{name}: ") or f"exit code {error.exit_code}"
        # The original holds the whole of what it wrote, passwords of a traceback too.
        raise CommandError(name, reason, output=answer) from None
    except pebble.ChangeError as error:
        raise CommandError(name, f"no end within {timeout_s:.0f} s") from error
    except pebble.APIError as error:
        raise CommandError(name, error.message) from error
    return str(output)


def _last_words(text: str) -> str:
    """Return the last line of a command's output, without accounts in URLs."""
    lines = text.strip().splitlines()
    return re.sub(r"://[^@/\s]+@", "://", lines[-1].strip()) if lines else ""


def ensure_service(where: Box, name: str, layer: pebble.LayerDict) -> bool:
    """Make a service run as *layer* says. Return whether anything had to be done.

    Raises:
        ServiceError: if it does not come up.
    """
    wanted = pebble.Layer(layer)
    plan = where.container.get_plan()
    same = (
        plan.services.get(name) == wanted.services[name]
        and {key: plan.checks.get(key) for key in wanted.checks} == wanted.checks
    )
    if same and runs(where, name):
        return False
    where.container.add_layer(name, wanted, combine=True)
    try:
        where.container.replan()
    except pebble.ChangeError as error:
        raise ServiceError(f"{name} does not stay up: {error.err}") from error
    return True


def ensure_log_targets(where: Box, targets: Mapping[str, pebble.LogTargetDict]) -> bool:
    """Make Pebble forward what services write to *targets* only. Return whether that is new."""
    known = where.container.get_plan().log_targets
    wanted = dict(targets)
    for name in known.keys() - wanted.keys():  # a target cannot be removed, only be given nothing
        wanted[name] = {**known[name].to_dict(), "override": "replace", "services": ["-all"]}
    layer = pebble.Layer({"log-targets": wanted})
    if layer.log_targets == known:
        return False
    where.container.add_layer("log-forwarding", layer, combine=True)
    return True


def runs(where: Box, name: str) -> bool:
    """Return whether a service is up."""
    services: Mapping[str, pebble.ServiceInfo] = where.container.get_services(name)
    return name in services and services[name].is_running()
