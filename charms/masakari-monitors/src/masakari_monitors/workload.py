# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Install the instance monitor, write its files and drive its unit; knows nothing of Juju."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import jinja2
from charmlibs import apt, systemd

ROOT = pathlib.Path("/")
SERVICE = "instance-ha-instancemonitor.service"
COMMAND = "masakari-instancemonitor"
PACKAGE = "masakari-instance-monitor"
PACKAGED_SERVICE = "masakari-instance-monitor.service"
CONFIG = pathlib.Path("etc/instance-ha/masakarimonitors.conf")
CA_BUNDLE = pathlib.Path("etc/instance-ha/ca-bundle.pem")
UNIT = pathlib.Path("etc/systemd/system") / SERVICE

_APT_CONFIG = pathlib.Path(__file__).with_name("apt.conf")
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("masakari_monitors"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 - the files are INI, not HTML
)


class InstallError(Exception):
    """The monitor could not be installed; the message says what to do."""


def command() -> str | None:
    """Return the monitor's path, or None while it is not on the machine."""
    return shutil.which(COMMAND, path="/usr/local/bin:/usr/bin:/opt/masakari-monitors/bin")


def ensure_installed() -> str:
    """Return the monitor's path; install the distribution's package if it is not there yet.

    Raises:
        InstallError: if the package cannot be installed.
    """
    if found := command():
        return found
    try:
        _install()
    except (apt.Error, subprocess.SubprocessError, OSError) as error:
        raise InstallError(f"apt cannot install {PACKAGE}: check the machine's sources") from error
    if systemd.service_running(PACKAGED_SERVICE):
        systemd.service_pause(PACKAGED_SERVICE)  # two monitors would report everything twice
    if found := command():
        return found
    raise InstallError(f"{PACKAGE} brought no {COMMAND}: check the machine's sources")


def _install() -> None:
    """Install the package from the lists of packages as they are; fetch them only if need be."""
    os.environ.setdefault("APT_CONFIG", str(_APT_CONFIG))
    try:
        apt.add_package(PACKAGE)  # fetches the lists if they do not name the package
    except apt.PackageError:  # they may name a version that the archive no longer has
        apt.add_package(PACKAGE, update_cache=True)


def render(template: str, **values: object) -> str:
    """Return the text of one of this package's templates."""
    return _TEMPLATES.get_template(template).render(**values)


def ensure_file(path: pathlib.Path, text: str, *, mode: int) -> bool:
    """Make the file hold *text* with *mode*. Return whether anything changed."""
    target = ROOT / path
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=mode)
    target.chmod(mode)
    target.write_text(text, encoding="utf-8")
    return True


def ensure_running(*, restart: bool) -> None:
    """Enable and start the monitor; start it anew where *restart* says that its files changed.

    Raises:
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    if restart:
        systemd.daemon_reload()
        systemd.service_enable(SERVICE)
        systemd.service_restart(SERVICE)
    elif not systemd.service_running(SERVICE):
        systemd.service_start(SERVICE)


def is_running() -> bool:
    """Return whether the monitor runs now."""
    return systemd.service_running(SERVICE)


def remove() -> None:
    """Stop the monitor and take its files away; nothing happens where there are none."""
    if (ROOT / UNIT).exists():
        systemd.service_stop(SERVICE)
        systemd.service_disable(SERVICE)
    for path in (UNIT, CONFIG, CA_BUNDLE):
        (ROOT / path).unlink(missing_ok=True)
    systemd.daemon_reload()
