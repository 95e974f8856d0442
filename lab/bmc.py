# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A real IPMI 2.0 controller beside each host, by pyghmi; it cuts the host's power.

``python -m lab.bmc NAME`` is the controller of one host. It is a machine of its own on the
management network, as controllers are: pyghmi answers from whichever address of its machine is
nearest, and whoever asked another address of it would not know the answer for his.
"""

import sys
from collections.abc import Sequence
from typing import Any

import pyghmi.ipmi.bmc
from pyghmi.ipmi.private import serversession

from . import host, network, paths, process
from .host import Host
from .network import MANAGEMENT
from .process import Daemon

USER, PASSWORD = "lab-operator", "lab-bmc-password"
_PORT = 623
_FIRST_ADDRESS = 40
_SHA1, _NO_SUCH_SUITE = 1, 0x11


def entry(of: Host) -> dict[str, str]:
    """Return a host's controller as the operator writes it into the list of BMCs."""
    return {"type": "ipmi", "address": _address(of), "username": USER, "password": PASSWORD}


def ensure_up(hosts: Sequence[Host]) -> None:
    """Start the controller of each host, and wait until all of them listen."""
    network.ensure_up()
    for each in hosts:
        network.attach(_netns(each), to=MANAGEMENT, address=_address(each), default_route=True)
        process.spawn(_daemon(each))
    for each in hosts:
        process.wait_until(
            lambda each=each: _listens(each),
            within_s=30,
            what=f"the BMC of {each.name}",
            daemon=_daemon(each),
        )


def down(hosts: Sequence[Host]) -> None:
    """End the controllers; the power stays as it is."""
    for each in hosts:
        process.stop(_daemon(each), within_s=2)
        network.detach(_netns(each), networks=(MANAGEMENT,))
        network.remove(_netns(each))


def _netns(of: Host) -> str:
    return f"{network.SWITCH}-bmc-{of.name}"


def _address(of: Host) -> str:
    return MANAGEMENT.address(_FIRST_ADDRESS + of.number)


def _daemon(of: Host) -> Daemon:
    return Daemon(
        name=f"bmc-{of.name}",
        argv=[sys.executable, "-m", "lab.bmc", of.name],
        netns=_netns(of),
        env={"PYTHONPATH": str(paths.REPOSITORY)},
    )


def _listens(of: Host) -> bool:
    command = ["cat", "/proc/self/net/udp", "/proc/self/net/udp6"]
    return f":{_PORT:04X} " in process.run(command, netns=_netns(of)).stdout


class HostBmc(pyghmi.ipmi.bmc.Bmc):
    """Switches one host of the lab."""

    def __init__(self, of: Host, **more: Any) -> None:
        super().__init__({USER: PASSWORD}, port=_PORT, **more)
        self._host = of

    def get_power_state(self) -> str:
        """Say whether the host has power."""
        return "on" if host.is_on(self._host) else "off"

    def power_off(self) -> int:
        """Cut the power."""
        host.kill(self._host)
        return 0

    def power_on(self) -> int:
        """Press the power button."""
        host.power_on(self._host)
        return 0


_answer = serversession.ServerSession.create_open_session_response


def _open_session(self: serversession.ServerSession, request: Any) -> Any:
    """Answer as BMCs do that speak SHA-1 only; by itself pyghmi goes on with the wrong hash."""
    response = _answer(self, request)
    if request[12] != _SHA1:
        response = bytearray([request[0], _NO_SUCH_SUITE, 0, 0]) + bytearray(request[4:8])
    return response


if __name__ == "__main__":
    serversession.ServerSession.create_open_session_response = _open_session
    HostBmc(host.host(sys.argv[1])).listen()
