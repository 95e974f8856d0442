# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Install Corosync and Pacemaker, write their files and drive them; knows nothing of Juju."""

from __future__ import annotations

import base64
import os
import pathlib
import shutil
import subprocess
from collections.abc import Iterable

from charmlibs import apt

from hacluster_shim.ring.keys import Keys

ROOT = pathlib.Path("/")
PACKAGES = ("corosync", "pacemaker", "pacemaker-cli-utils", "pacemaker-resource-agents")
AGENT_PACKAGES = ("resource-agents-base", "resource-agents")
"""Who has the address agents: Ubuntu's name, and Debian's."""
PROGRAMS = ("corosync", "pacemakerd", "crm_mon", "cibadmin")
COROSYNC, PACEMAKER = "corosync.service", "pacemaker.service"

CONF = pathlib.Path("etc/corosync/corosync.conf")
COROSYNC_KEY = pathlib.Path("etc/corosync/authkey")
PACEMAKER_KEY = pathlib.Path("etc/pacemaker/authkey")
CIB = pathlib.Path("var/lib/pacemaker/cib")
_GROUP = "haclient"
_OURS = "# Written by the charm hacluster-shim"
_DEADLINE_S = 60


class RingError(Exception):
    """The ring could not be set up or asked; the message says what to do."""


def ensure_installed() -> None:
    """Install Corosync and Pacemaker from the distribution, if they are not there yet.

    Raises:
        RingError: if the archive does not give them.
    """
    if all(shutil.which(name, path="/usr/sbin:/usr/bin") for name in PROGRAMS):
        return
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    try:
        apt.add_package(list(PACKAGES), update_cache=True)
    except (apt.Error, subprocess.SubprocessError, OSError) as error:
        raise RingError("apt cannot install pacemaker: check the machine's sources") from error
    for name in AGENT_PACKAGES:
        try:
            apt.add_package(name)
        except apt.PackageError:
            continue  # the other distribution's name
        return


def ensure(conf: str, keys: Keys) -> bool:
    """Make this machine a member of the ring that *conf* describes; restart nothing that runs.

    Corosync reads new members, times and keys while it runs, once it is told to.
    Only what the distribution's package started by itself, a ring of its own, is thrown away.

    Returns:
        Whether anything had to be started.

    Raises:
        RingError: if a daemon refuses.
    """
    if not _text(CONF).startswith(_OURS):
        for service in (PACEMAKER, COROSYNC):
            systemctl("stop", service)
        for file in (ROOT / CIB).glob("*"):
            file.unlink()
    ensure_file(COROSYNC_KEY, base64.b64decode(keys.corosync), mode=0o400)
    ensure_file(PACEMAKER_KEY, base64.b64decode(keys.pacemaker), mode=0o440, group=_GROUP)
    ensure_file(CONF, conf.encode(), mode=0o644)
    return start()


def start() -> bool:
    """Start the ring's daemons, now and after each boot. Return whether one of them was down."""
    started = False
    for service in (COROSYNC, PACEMAKER):
        if not _systemd_says("is-enabled", service):
            systemctl("enable", service)
        if not _systemd_says("is-active", service):
            systemctl("start", service)
            started = True
    return started


def stop() -> None:
    """Leave the ring in order, and stay out of it after a boot."""
    for service in (PACEMAKER, COROSYNC):
        systemctl("disable", service)
        systemctl("stop", service)


def is_running() -> bool:
    """Return whether this machine's Pacemaker runs."""
    return _systemd_says("is-active", PACEMAKER)


def remove() -> None:
    """Leave the ring, and take away what the charm wrote."""
    if not _text(CONF).startswith(_OURS):
        return
    stop()
    for path in (CONF, COROSYNC_KEY, PACEMAKER_KEY):
        (ROOT / path).unlink(missing_ok=True)


def reload() -> None:
    """Make the Corosync of every member read its configuration and key again."""
    tool("corosync-cfgtool", "-R")


def hand_over(services: Iterable[str]) -> None:
    """Leave the start of these system services to Pacemaker; one that runs is adopted by it."""
    for service in services:
        if _systemd_says("is-enabled", service):
            systemctl("disable", service)


def systemctl(verb: str, service: str) -> None:
    """Make systemd do something.

    Raises:
        RingError: if it refuses.
    """
    tool("systemctl", verb, service, folder="/usr/bin")


def ensure_file(path: pathlib.Path, content: bytes, *, mode: int, group: str = "root") -> bool:
    """Make the file hold *content*, at once or not at all. Return whether it changed."""
    target = ROOT / path
    if target.exists() and target.read_bytes() == content:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    new.write_bytes(content)
    if group != "root":
        shutil.chown(new, group=group)
    new.chmod(mode)
    new.replace(target)
    return True


def tool(
    name: str,
    *words: str,
    given: str | None = None,
    folder: str = "/usr/sbin",
    within_s: float = _DEADLINE_S,
) -> str:
    """Run one of the system's tools and return what it said.

    Raises:
        RingError: if it does not answer in time, or fails.
    """
    try:
        done = subprocess.run(
            [f"{folder}/{name}", *words],
            input=given,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
            env=os.environ | {"TZ": "UTC"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RingError(f"{name} {words[0]} did not answer: {error}") from error
    if done.returncode:
        reason = " ".join((done.stderr or done.stdout).split())[:300]
        raise RingError(f"{name} {' '.join(words)} failed: {reason}")
    return done.stdout


def _systemd_says(question: str, service: str) -> bool:
    done = subprocess.run(
        ["/usr/bin/systemctl", "--quiet", question, service], check=False, capture_output=True
    )
    return done.returncode == 0


def _text(path: pathlib.Path) -> str:
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.exists() else ""
