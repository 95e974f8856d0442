# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A real IPMI 2.0 controller, by pyghmi.

It needs a machine of its own: pyghmi answers from whichever address of its machine is nearest,
and whoever asked another address of it would not know the answer for his.
"""

import sys
from typing import Any

import pyghmi.ipmi.bmc
from pyghmi.ipmi.private import serversession

from lab import host
from lab.host import Host

from . import PASSWORD, PORTS, USER

_SHA1, _NO_SUCH_SUITE = 1, 0x11


class HostBmc(pyghmi.ipmi.bmc.Bmc):
    """Switches one host of the lab."""

    def __init__(self, of: Host, **more: Any) -> None:
        super().__init__({USER: PASSWORD}, port=PORTS["ipmi"], **more)
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
