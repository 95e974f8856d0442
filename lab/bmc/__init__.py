# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The hosts' own controllers (BMCs): real services, which cut the host's power.

A controller is a machine of its own on the management network, as controllers are, and speaks
IPMI 2.0, Redfish, or both. ``python -m lab.bmc.ipmi NAME`` is such a service of one host.
"""

import pathlib
import sys
from collections.abc import Sequence
from typing import Literal

from lab import network, paths, process
from lab.host import Host
from lab.network import MANAGEMENT
from lab.process import Daemon

Protocol = Literal["ipmi", "redfish"]

USER, PASSWORD = "lab-operator", "lab-bmc-password"
PORTS: dict[Protocol, int] = {"ipmi": 623, "redfish": 443}
_FIRST_ADDRESS = 40


def entry(of: Host, *, speaks: Protocol = "ipmi") -> dict[str, str]:
    """Return a host's controller, which is up, as the operator writes it into the list of BMCs."""
    access = {"type": speaks, "address": address(of), "username": USER, "password": PASSWORD}
    if speaks == "redfish":
        access["ca"] = certificate(of).read_text()
    return access


def ensure_up(hosts: Sequence[Host], *, speaks: Protocol = "ipmi") -> None:
    """Start one service of each host's controller, and wait until all of them listen."""
    network.ensure_up()
    for each in hosts:
        network.attach(_netns(each), to=MANAGEMENT, address=address(each), default_route=True)
        process.spawn(daemon(each, speaks=speaks))
    for each in hosts:
        process.wait_until(
            lambda each=each: _listens(each, port=PORTS[speaks]),
            within_s=30,
            what=f"the BMC of {each.name} to speak {speaks}",
            daemon=daemon(each, speaks=speaks),
        )


def down(hosts: Sequence[Host]) -> None:
    """End the controllers; the power stays as it is."""
    for each in hosts:
        for speaks in PORTS:
            process.stop(daemon(each, speaks=speaks), within_s=2)
        network.detach(_netns(each), networks=(MANAGEMENT,))
        network.remove(_netns(each))


def address(of: Host) -> str:
    """Return the address of a host's controller."""
    return MANAGEMENT.address(_FIRST_ADDRESS + of.number)


def daemon(of: Host, *, speaks: Protocol) -> Daemon:
    """Return one service of a host's controller."""
    return Daemon(
        name=f"bmc-{speaks}-{of.name}",
        argv=[sys.executable, "-m", f"lab.bmc.{speaks}", of.name],
        netns=_netns(of),
        env={"PYTHONPATH": str(paths.REPOSITORY)},
    )


def certificate(of: Host) -> pathlib.Path:
    """Return the file with the certificate of a controller that speaks Redfish; it signed it."""
    return paths.STATE / "bmc" / of.name / "certificate.pem"


def _netns(of: Host) -> str:
    return f"{network.SWITCH}-bmc-{of.name}"


def _listens(of: Host, *, port: int) -> bool:
    command = ["ss", "--no-header", "-lntu", f"sport = :{port}"]
    return bool(process.run(command, netns=_netns(of)).stdout)
