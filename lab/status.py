# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the lab looks like right now, for people."""

from . import consul, host, network, process
from .host import Host
from .maas import faults
from .network import HOST_NETWORKS


def show() -> None:
    """Print hosts with their cables and what Consul says of them, then faults and daemons."""
    rows = [("HOST", "POWER", "SYSTEM", *(wire.name.upper() for wire in HOST_NETWORKS))]
    rows += [_row(each) for each in host.known()]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
    print(f"power control: {_power_control()}")
    print(f"daemons: {' '.join(process.remembered()) or 'none'}")


def _row(each: Host) -> tuple[str, ...]:
    if not host.is_on(each):
        system = "-"
    elif host.is_frozen(each):
        system = "frozen"
    else:
        system = host.system_state(each)
    power = "on" if host.is_on(each) else "off"
    return (each.name, power, system, *(_cable(each, wire) for wire in HOST_NETWORKS))


def _cable(each: Host, wire: network.Network) -> str:
    """Return the cable's state and how many of the network's servers say what of the host."""
    cable = "cut" if network.is_cut(each.netns, off=wire) else "plugged"
    said = [_said(server, each) for server in consul.servers(wire)]
    counts = ", ".join(f"{said.count(word)} {word}" for word in dict.fromkeys(said))
    return f"{cable} ({counts})"


def _said(server: consul.Server, each: Host) -> str:
    if not process.alive(server.daemon):
        return "silent"
    try:
        return consul.members(server).get(each.name, "absent")
    except OSError:
        return "silent"


def _power_control() -> str:
    met = faults.load()
    return ", ".join(f"{k}: {v.fault}" for k, v in met.items()) or "no faults"
