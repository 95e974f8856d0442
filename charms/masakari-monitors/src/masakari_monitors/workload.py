# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Install the monitors, write their files and drive their units; knows nothing of Juju."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import jinja2
from charmlibs import apt, systemd

import hypervisor_instance_ha
from instance_ha_relations import oslo

ROOT = pathlib.Path("/")
PACKAGE = "python3-libvirt"
CODE = pathlib.Path("opt/instance-ha/monitors")
CONFIG = pathlib.Path("etc/instance-ha/monitors.json")
CA_BUNDLE = pathlib.Path("etc/instance-ha/ca-bundle.pem")
RUN = pathlib.Path("run/instance-ha")
STATE = pathlib.Path("var/lib/instance-ha")
PERMISSION = RUN / "nova-compute-may-start"
OVERRIDE = RUN / "release"
PAUSE = STATE / "paused"
UNITS = pathlib.Path("etc/systemd/system")
DROP_IN = "instance-ha-return-guard.conf"
GUARD = "instance-ha-return-guard.service"
AUTOSTART = "instance-ha-autostart.service"
_FORMER = (pathlib.Path("etc/instance-ha/masakarimonitors.conf"),)

_APT_CONFIG = pathlib.Path(__file__).with_name("apt.conf")
_LIBRARY = (
    "usr/lib/python3/dist-packages/libvirt.py",
    "usr/local/lib/python3/dist-packages/libvirt.py",
)
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("masakari_monitors"),
    undefined=jinja2.StrictUndefined,
    keep_trailing_newline=True,
    trim_blocks=True,
    autoescape=False,  # noqa: S701 - the files are INI, not HTML
)
_TEMPLATES.filters["ini"] = oslo.escaped


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """A program that runs as a unit of its own."""

    program: str
    name: str
    description: str
    capabilities: str = ""
    writable: tuple[str, ...] = field(default=())

    @property
    def unit(self) -> str:
        """Its unit of systemd."""
        return f"instance-ha-{self.name}.service"


INSTANCES = Monitor(program="instances", name="instancemonitor", description="Servers that die")
PROCESSES = Monitor(program="processes", name="processmonitor", description="Services that end")
AGENTS = Monitor(program="agents", name="agentmonitor", description="Guests that hang")
STORAGE = Monitor(
    program="storage",
    name="storageprobe",
    description="Storage that does not answer",
    # The directories that it tries are another user's.
    capabilities="CAP_DAC_OVERRIDE",
)
METRICS = Monitor(program="metrics", name="metrics", description="Metrics of the monitors")
MONITORS = (INSTANCES, PROCESSES, AGENTS, STORAGE, METRICS)


class InstallError(Exception):
    """Something could not be installed; the message says what to do."""


def library_installed() -> bool:
    """Return whether the machine's Python knows libvirt."""
    return any((ROOT / path).exists() for path in _LIBRARY)


def ensure_library() -> None:
    """Install the distribution's libvirt for Python if it is not there yet.

    Raises:
        InstallError: if it cannot be installed.
    """
    if library_installed():
        return
    try:
        _install()
    except (apt.Error, subprocess.SubprocessError, OSError) as error:
        raise InstallError(f"apt cannot install {PACKAGE}: check the machine's sources") from error


def _install() -> None:
    """Install the package from the lists of packages as they are; fetch them only if need be."""
    os.environ.setdefault("APT_CONFIG", str(_APT_CONFIG))
    try:
        apt.add_package(PACKAGE)  # fetches the lists if they do not name the package
    except apt.PackageError:  # they may name a version that the archive no longer has
        apt.add_package(PACKAGE, update_cache=True)


def ensure_code() -> bool:
    """Put the monitors' code onto the machine. Return whether that changed it."""
    source = pathlib.Path(hypervisor_instance_ha.__file__).parent
    target = CODE / source.name
    wanted = {path.relative_to(source): path for path in source.rglob("*.py")}
    changed = False
    for name, path in sorted(wanted.items()):
        changed |= ensure_file(target / name, path.read_text(encoding="utf-8"), mode=0o644)
    for path in (ROOT / target).rglob("*.py"):
        if path.relative_to(ROOT / target) not in wanted:
            path.unlink()
            changed = True
    return changed


def render(template: str, **values: object) -> str:
    """Return the text of one of this package's templates."""
    return _TEMPLATES.get_template(template).render(path=f"/{CODE}", **values)


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


def ensure_guard(held: Collection[str], *, known: Collection[str]) -> bool:
    """Have nova-compute wait for the return guard at every boot. Return whether that is new.

    Args:
        held: The units of nova-compute that this machine has.
        known: Those that any machine has; the guard is ordered before all of them.
    """
    unit = render("return-guard.service.j2", held=known, capabilities="")
    changed = ensure_file(UNITS / GUARD, unit, mode=0o644)
    changed |= ensure_file(UNITS / AUTOSTART, render("autostart.service.j2"), mode=0o644)
    for name in sorted(held):
        drop_in = UNITS / f"{name}.d" / DROP_IN
        if not (ROOT / drop_in).exists():
            # In the boot in which the guard comes, nova-compute runs or may: it never stops it.
            ensure_file(PERMISSION, "the guard was installed in this boot\n", mode=0o644)
        changed |= ensure_file(drop_in, render("held.conf.j2"), mode=0o644)
    if changed:
        systemd.daemon_reload()
        systemd.service_enable(GUARD)
        systemd.service_enable(AUTOSTART)
    return changed


def ensure_monitors(wanted: Mapping[str, Monitor], *, restart: bool, restart_delay: int) -> None:
    """Run exactly the monitors of *wanted*, by unit; start anew what changed.

    Raises:
        charmlibs.systemd.SystemdError: if systemd refuses.
    """
    changed = {
        unit
        for unit, monitor in wanted.items()
        if ensure_file(UNITS / unit, _unit(monitor, restart_delay=restart_delay), mode=0o644)
    }
    if changed:
        systemd.daemon_reload()
    for monitor in MONITORS:
        unit = monitor.unit
        if unit not in wanted:
            remove_unit(unit)
            forget_report(monitor.program)
        elif restart or unit in changed:
            systemd.service_enable(unit)
            systemd.service_restart(unit)
        elif not systemd.service_running(unit):
            systemd.service_start(unit)


def _unit(monitor: Monitor, *, restart_delay: int) -> str:
    return render(
        "monitor.service.j2",
        description=monitor.description,
        program=monitor.program,
        capabilities=monitor.capabilities,
        writable=monitor.writable,
        restart_delay=restart_delay,
    )


def is_running(unit: str) -> bool:
    """Return whether a unit runs now."""
    return systemd.service_running(unit)


def report(name: str) -> Mapping[str, object]:
    """Return what a program says of itself; nothing while it has not said anything."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((ROOT / RUN / f"{name}.json").read_text(encoding="utf-8"))
    return {}


def forget_report(name: str) -> None:
    """Take away what a program said of itself, so that nobody waits for what is gone."""
    (ROOT / RUN / f"{name}.json").unlink(missing_ok=True)


def paused() -> bool:
    """Return whether the monitors are paused."""
    return (ROOT / PAUSE).exists()


def pause(*, why: str) -> bool:
    """Let nothing be reported or restarted. Return whether that is new."""
    return ensure_file(PAUSE, f"{why}\n", mode=0o644)


def resume() -> bool:
    """End the pause. Return whether there was one."""
    was = paused()
    (ROOT / PAUSE).unlink(missing_ok=True)
    return was


def release(*, why: str) -> None:
    """Let nova-compute start, whatever the guard knows.

    Raises:
        charmlibs.systemd.SystemdError: if the guard cannot be started.
    """
    ensure_file(OVERRIDE, f"{why}\n", mode=0o644)
    if not systemd.service_running(GUARD):
        systemd.service_start(GUARD)


def remove() -> None:
    """Stop everything of ours and take its files away; nothing happens where there is none."""
    for drop_in in (ROOT / UNITS).glob(f"*.service.d/{DROP_IN}"):
        drop_in.unlink()
        with contextlib.suppress(OSError):  # somebody else's files may be in it
            drop_in.parent.rmdir()
    for unit in (*(monitor.unit for monitor in MONITORS), GUARD, AUTOSTART):
        remove_unit(unit)
    for path in (CONFIG, CA_BUNDLE, *_FORMER):
        (ROOT / path).unlink(missing_ok=True)
    for path in (CODE, STATE, RUN):
        shutil.rmtree(ROOT / path, ignore_errors=True)
    systemd.daemon_reload()


def forget_former() -> None:
    """Take away what earlier revisions of this charm wrote, passwords among it."""
    for path in _FORMER:
        (ROOT / path).unlink(missing_ok=True)


def remove_unit(unit: str) -> None:
    """Stop a unit of ours and take its file away; nothing happens where there is none."""
    if (ROOT / UNITS / unit).exists():
        systemd.service_stop(unit)
        systemd.service_disable(unit)
        (ROOT / UNITS / unit).unlink()
