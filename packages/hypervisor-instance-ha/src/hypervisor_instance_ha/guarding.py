# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The return guard at work: hold nova-compute of a host that has booted, clean up, let it start.

The unit of nova-compute has a file as a condition (``machine.PERMISSION``) that is gone after each
boot, so nothing can start it before the guard has written the file: not the boot, not snapd, not a
person. The guard itself never keeps the boot waiting: as soon as it knows that it has to hold, it
says so to systemd and goes on in the background.
"""

from __future__ import annotations

import logging
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.errors import CloudError, LibvirtError, SettingsError, UnitError
from hypervisor_instance_ha.files import Report, write_whole
from hypervisor_instance_ha.guard import Standing, Verdict, judge
from hypervisor_instance_ha.hypervisor import Hypervisor

logger = logging.getLogger(__name__)

LOOK_S = 3.0
"""Pause between two questions while nova-compute is held."""
NOVA_MARK = "openstack.org/xmlns/libvirt/nova/"
"""What Nova writes into the definition of each of its guests."""
AUTOSTART = (
    pathlib.Path("etc/libvirt/qemu/autostart"),
    pathlib.Path("var/snap/openstack-hypervisor/common/etc/libvirt/qemu/autostart"),
)
_CALM = Verdict(may_start=True, clean=False, reason="nova-compute ran in this boot already")


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What the guard touches."""

    standing: Callable[[], Standing]
    """Asks Nova and Masakari; raises ``CloudError`` or ``SettingsError``."""
    connect: Callable[[], Hypervisor]
    """Raises ``LibvirtError`` or ``SettingsError``."""
    guests_run: Callable[[], bool]
    """Whether any emulator runs; answers without libvirt."""
    units: Sequence[str]


class ReturnGuard:
    """One boot of this host."""

    def __init__(self, around: Surroundings, *, report: Report) -> None:
        self._around = around
        self._report = report
        self.let_back = False
        """Whether it let a host start that was lost before."""

    def run(self, pause: Callable[[float], None]) -> None:
        """Return as soon as nova-compute may start, and has been started."""
        while not self.step():
            pause(LOOK_S)

    def step(self) -> bool:
        """Look once. Return whether nova-compute may start now."""
        verdict = self.verdict()
        if verdict.clean:
            verdict = self._clean(verdict)
        state = "released" if verdict.may_start else "held"
        if self._report.tell(state=state, reason=verdict.reason):
            logger.warning("nova-compute is %s: %s", state, verdict.reason)
            machine.notify_ready(f"{state}: {verdict.reason}")
        if verdict.may_start:
            self._release(verdict)
            self.let_back = verdict.clean
        return verdict.may_start

    def verdict(self) -> Verdict:
        """Return what is to be done, as far as anybody can be asked."""
        if machine.PERMISSION.exists() or self._nova_runs():
            return _CALM
        if machine.OVERRIDE.exists():
            return Verdict(may_start=True, clean=True, reason="released by an operator")
        try:
            return judge(self._around.standing())
        except (CloudError, SettingsError) as error:
            reason = f"nobody says whether this host was fenced: {error}"
            return Verdict(may_start=False, clean=True, reason=reason)

    def _nova_runs(self) -> bool:
        """Return whether nova-compute runs, as when this guard is installed beside it."""
        told = machine.show(self._around.units, properties=("ActiveState",))
        return any(one.get("ActiveState") == "active" for one in told)

    def _clean(self, verdict: Verdict) -> Verdict:
        """End every guest of Nova's: none may run before nova-compute does."""
        try:
            hypervisor = self._around.connect()
        except (LibvirtError, SettingsError) as error:
            if not self._around.guests_run():
                return verdict
            return Verdict(may_start=False, clean=True, reason=str(error))
        try:
            if leftovers := sorted(hypervisor.running()):
                logger.warning("%s guests are ended, as they may run elsewhere", len(leftovers))
                hypervisor.destroy(leftovers)
        except LibvirtError as error:
            return Verdict(may_start=False, clean=True, reason=str(error))
        finally:
            hypervisor.close()
        return verdict

    def _release(self, verdict: Verdict) -> None:
        write_whole(machine.PERMISSION, f"{verdict.reason}\n", durable=False)
        told = machine.show(self._around.units, properties=("Id", "ActiveState", "UnitFileState"))
        for unit in told:
            wanted = unit.get("UnitFileState") in ("enabled", "enabled-runtime")
            if not wanted or unit.get("ActiveState") == "active":
                continue
            try:
                machine.systemctl("start", "--no-block", unit["Id"])
            except UnitError as error:
                logger.error("%s may start and does not: %s", unit["Id"], error)  # noqa: TRY400


def remove_autostart(root: pathlib.Path = pathlib.Path("/")) -> Sequence[str]:
    """Make no guest of Nova's start by libvirt alone; runs before libvirt does.

    Nova never sets autostart. A guest that has it starts before anybody can ask whether it runs
    elsewhere already.

    Returns:
        The names of the definitions whose links were removed.
    """
    removed: list[str] = []
    for directory in AUTOSTART:
        for link in sorted((root / directory).glob("*.xml")):
            try:
                text = link.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                logger.warning("%s is left as it is: %s", link, error)
                continue
            if NOVA_MARK in text:
                link.unlink()
                removed.append(link.stem)
                logger.warning("%s does not start by itself any more", link.stem)
    return removed


def emulators_run(proc: pathlib.Path = pathlib.Path("/proc")) -> bool:
    """Return whether any QEMU runs on this machine."""
    for comm in proc.glob("[0-9]*/comm"):
        try:
            if comm.read_text(encoding="utf-8").startswith(("qemu", "kvm")):
                return True
        except (FileNotFoundError, ProcessLookupError):
            continue
    return False
