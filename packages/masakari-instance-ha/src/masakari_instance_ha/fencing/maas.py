# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rung MAAS: which of its machines is the host, and how that one's power is switched."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.errors import FenceTargetError
from masakari_instance_ha.fencing import targets
from masakari_instance_ha.fencing.maas_api import Access, MaasApi, Machine

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Generator, Sequence

_UNSWITCHABLE = frozenset({"", "manual"})
"""Power types that MAAS can neither switch nor ask."""


@dataclass(frozen=True, kw_only=True)
class Maas:
    """The way to the hosts' machines.

    Both files are read anew for every host, so that a new key or a new hypervisor needs no
    restart.
    """

    access: Access
    targets: pathlib.Path

    def require_version(self) -> str:
        """Return the version of MAAS; raise PowerError if it is too old, or no MAAS at all."""
        with MaasApi(self.access) as maas:
            return maas.require_version()

    @contextlib.contextmanager
    def reach(self, host: str) -> Generator[MaasSwitch]:
        """Give the switch of the host's machine.

        Raises:
            FenceTargetError: if MAAS has not exactly one machine for the host, or cannot switch
                that one.
        """
        target = targets.find(host, file=self.targets)
        with MaasApi(self.access) as maas:
            machine = _only(host, maas.machines(target))
            if machine.power_type in _UNSWITCHABLE:
                reason = f"MAAS cannot switch {machine.system_id}: its power type is manual"
                hint = f"Set it: maas PROFILE machine update {machine.system_id} power_type=ipmi"
                raise FenceTargetError(host, reason, hint=hint)
            yield MaasSwitch(maas, machine.system_id)


class MaasSwitch:
    """The power of one machine of MAAS; implements :class:`~.power.Switch`."""

    def __init__(self, maas: MaasApi, system_id: str) -> None:
        self._maas = maas
        self.target = system_id

    def off(self, *, comment: str) -> bool:
        """Order the power off, hard; return whether MAAS had anything to do."""
        return self._maas.power_off(self.target, comment=comment)

    def on(self) -> None:
        """Order the power on."""
        self._maas.power_on(self.target)

    def state(self) -> str:
        """Return what the machine's controller answers MAAS now."""
        return self._maas.power_state(self.target)


def _only(host: str, machines: Sequence[Machine]) -> Machine:
    if len(machines) == 1:
        return machines[0]
    if not machines:
        reason = "MAAS has no machine for it"
        hint = "Compare its names with maas machines read, and enrol it"
    else:
        listed = ", ".join(machine.system_id for machine in machines)
        reason = f"MAAS has {len(machines)} machines of its name: {listed}"
        hint = "Give hacluster-shim the system id of the right one"
    raise FenceTargetError(host, reason, hint=hint)
