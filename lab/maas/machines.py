# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The machines that MAAS knows: one for each host of the lab, powered by the lab itself."""

import threading
import time
from typing import Any, Protocol

from lab import host
from lab.errors import LabError
from lab.host import Host

from .faults import Fault, Injected

_BMC_S = 0.3
"""How long a real controller takes between accepting an order and cutting the power."""


class Power(Protocol):
    """The switch of the lab's hosts; tests bring their own."""

    def known(self) -> list[Host]:
        """Return every host."""
        ...

    def is_on(self, each: Host) -> bool:
        """Say whether a host has power."""
        ...

    def turn(self, each: Host, *, on: bool, hard: bool) -> None:
        """Switch a host on or off, and return once that is done."""
        ...


class LabPower:
    """The real switch: boots and kills hosts."""

    def known(self) -> list[Host]:
        """Return every host that has a disk."""
        return host.known()

    def is_on(self, each: Host) -> bool:
        """Say whether a host has power."""
        return host.is_on(each)

    def turn(self, each: Host, *, on: bool, hard: bool) -> None:
        """Boot, kill or (neither *on* nor *hard*) shut down a host."""
        if on:
            host.power_on(each)
        elif hard or not host.is_on(each):
            host.kill(each)
        else:
            host.shutdown(each)


class Machines:
    """MAAS's view of the hosts: the last power state that it saw is all that lists show."""

    def __init__(self, power: Power) -> None:
        self._power = power
        self._seen: dict[str, str] = {}
        self._ordered: dict[str, str] = {}

    def known(self) -> dict[str, Host]:
        """Return the hosts by system ID."""
        return {f"sys-{each.name}": each for each in self._power.known()}

    def view(self, each: Host) -> dict[str, Any]:
        """Return the machine as MAAS's API shows it; its power state is from the last look."""
        return {
            "system_id": f"sys-{each.name}",
            "hostname": each.name,
            "fqdn": f"{each.name}.maas",
            "hardware_uuid": each.uuid,
            "power_type": "ipmi",
            "power_state": self._seen.setdefault(each.name, self._state(each)),
            "status": 6,
            "status_name": "Deployed",
            "resource_uri": f"/MAAS/api/2.0/machines/sys-{each.name}/",
        }

    def query(self, each: Host, *, met: Injected | None) -> str:
        """Ask the machine's controller: on, off, unknown or error."""
        match met.fault if met else None:
            case Fault.UNKNOWN_STATE:
                state = "unknown"
            case Fault.ERROR_STATE:
                state = "error"
            case Fault.LYING:
                state = self._ordered.get(each.name, "off")
            case _:
                state = self._state(each)
        self._seen[each.name] = state
        return state

    def order(self, each: Host, *, on: bool, hard: bool, met: Injected | None) -> None:
        """Order a power change, which happens a moment later, or by some faults never.

        Where nothing is to be changed nothing happens later either: whoever turns the machine
        the other way right after the answer has the last word.
        """
        self._ordered[each.name] = "on" if on else "off"
        if met and met.fault in {Fault.LYING, Fault.STUCK}:
            return
        if self._power.is_on(each) == on:
            return
        delay_s = _BMC_S + (met.seconds if met and met.fault is Fault.SLOW else 0)
        threading.Thread(
            target=self._turn, args=(each,), kwargs={"on": on, "hard": hard, "delay_s": delay_s}
        ).start()

    def _turn(self, each: Host, *, on: bool, hard: bool, delay_s: float) -> None:
        time.sleep(delay_s)
        try:
            self._power.turn(each, on=on, hard=hard)
        except LabError as error:
            # The order was answered long ago; whoever asks for the state sees that it failed.
            print(f"{each.name} was not turned {'on' if on else 'off'}: {error}", flush=True)
            return
        self._seen[each.name] = self._state(each)

    def _state(self, each: Host) -> str:
        return "on" if self._power.is_on(each) else "off"
