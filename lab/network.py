# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's wires: one namespace is switch and router, every node has veth ports on its bridges.

Nothing is attached to the machine's own network, so nothing of the lab can leave it.
"""

import contextlib
import ctypes
import dataclasses
import hashlib
import ipaddress
import json
import os
import pathlib
import shutil
from collections.abc import Generator

from .errors import LabError
from .paths import STATE
from .process import exclusive, run

SWITCH = "iha"
"""The namespace of bridges, router and control plane; the prefix of every other namespace."""

CUTS = STATE / "cuts"
_CLONE_NEWNET = 0x40000000
_LONGEST_INTERFACE_NAME = 15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """One bridge and the /24 on it; the router has its first address."""

    name: str
    bridge: str
    interface: str
    """What a node calls its port on this network."""
    prefix: str

    def address(self, node: int) -> str:
        """Return the address of node number *node*."""
        return f"{self.prefix}.{node}"

    @property
    def router(self) -> str:
        """The address of the router, where the control plane listens too."""
        return self.address(1)


POD = Network(name="pod", bridge="br-pod", interface="eth0", prefix="10.70.0")
MANAGEMENT = Network(name="management", bridge="br-mgmt", interface="mgmt0", prefix="10.71.0")
TENANT = Network(name="tenant", bridge="br-ten", interface="ten0", prefix="10.72.0")
STORAGE = Network(name="storage", bridge="br-sto", interface="sto0", prefix="10.73.0")
NETWORKS = {network.name: network for network in (POD, MANAGEMENT, TENANT, STORAGE)}
HOST_NETWORKS = (MANAGEMENT, TENANT, STORAGE)
"""Where every host has an interface; what Consul watches."""


def network(name: str) -> Network:
    """Return the network called *name*.

    Raises:
        LabError: if there is none.
    """
    if name not in NETWORKS:
        raise LabError(f"no network is called {name}; say one of {', '.join(NETWORKS)}")
    return NETWORKS[name]


def ensure_up() -> None:
    """Make the switch with its bridges and the router; what exists stays."""
    with exclusive("network"):
        _ensure_namespace(SWITCH)
        run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], netns=SWITCH)
        present = _ports()
        for each in NETWORKS.values():
            if each.bridge not in present:
                _ip(
                    SWITCH,
                    f"link add {each.bridge} type bridge forward_delay 0 stp_state 0",
                    f"addr add {each.router}/24 dev {each.bridge}",
                    f"link set {each.bridge} up",
                )


def down() -> None:
    """Remove every namespace of the lab; whoever lives in one was stopped before."""
    for name in namespaces():
        run(["ip", "netns", "delete", name], check=False)
    shutil.rmtree(CUTS, ignore_errors=True)


def namespaces() -> list[str]:
    """Return the names of the lab's network namespaces."""
    directory = pathlib.Path("/run/netns")
    names = (entry.name for entry in directory.iterdir()) if directory.exists() else ()
    return sorted(n for n in names if n == SWITCH or n.startswith(f"{SWITCH}-"))


def attach(netns: str, *, to: Network, address: str, default_route: bool = False) -> None:
    """Give *netns* an interface on the network *to*; make the namespace if it is new.

    A cable that was cut stays cut.
    """
    _ensure_namespace(netns)
    port = port_name(netns, to=to)
    if not _exists(port):
        peer = f"name {to.interface} address {_hardware_address(address)} netns {netns}"
        _ip(SWITCH, f"link add {port} type veth peer {peer}")
    commands = [
        f"addr replace {address}/24 dev {to.interface}",
        f"link set {to.interface} up",
    ]
    if default_route:
        commands.append(f"route replace default via {to.router} dev {to.interface}")
    _ip(netns, *commands)
    _apply_cable(port, to=to)


def _hardware_address(address: str) -> str:
    """Return the one that goes with an IP address for good.

    A host that comes back with another one would not be reached for up to a minute by those that
    remember the old one; real hosts keep theirs.
    """
    return ":".join(f"{part:02x}" for part in (2, 0, *ipaddress.IPv4Address(address).packed))


def detach(netns: str, *, networks: tuple[Network, ...]) -> None:
    """Take all ports of *netns* out of the switch at once: nothing is sent from now on."""
    present = _ports()
    ports = [port for each in networks if (port := port_name(netns, to=each)) in present]
    if ports:
        _ip(SWITCH, *(f"link del {port}" for port in ports))


def remove(netns: str) -> None:
    """Remove the namespace *netns* with every socket that is left in it."""
    if netns in namespaces():
        run(["ip", "netns", "delete", netns])


def cut(netns: str, *, off: Network, silent: bool = True) -> None:
    """Cut the cable of *netns* to one network; it stays cut over power cuts.

    Args:
        off: The network that is lost.
        silent: The node still sees a carrier, and nothing arrives; otherwise the carrier goes.
    """
    port = port_name(netns, to=off)
    CUTS.mkdir(parents=True, exist_ok=True)
    (CUTS / port).write_text(f"{off.name} {'silent' if silent else 'carrier'}")
    if _exists(port):
        _apply_cable(port, to=off)


def heal(netns: str, *, to: Network) -> None:
    """Plug the cable of *netns* to one network in again."""
    port = port_name(netns, to=to)
    (CUTS / port).unlink(missing_ok=True)
    if _exists(port):
        _apply_cable(port, to=to)


def heal_all() -> None:
    """Plug in every cable that was cut, of whatever node."""
    for file in sorted(CUTS.glob("*")):
        to = network(file.read_text().split()[0])
        file.unlink()
        if _exists(file.name):
            _apply_cable(file.name, to=to)


def is_cut(netns: str, *, off: Network) -> bool:
    """Say whether the cable of *netns* to one network is cut."""
    return (CUTS / port_name(netns, to=off)).exists()


def _apply_cable(port: str, *, to: Network) -> None:
    file = CUTS / port
    how = file.read_text().split()[1] if file.exists() else ""
    if how == "silent":
        _ip(SWITCH, f"link set {port} up", f"link set {port} nomaster")
    elif how == "carrier":
        _ip(SWITCH, f"link set {port} master {to.bridge}", f"link set {port} down")
    else:
        _ip(SWITCH, f"link set {port} master {to.bridge}", f"link set {port} up")


def port_name(netns: str, *, to: Network) -> str:
    """Return what the switch calls the port of *netns* on a network."""
    name = f"{netns.removeprefix(f'{SWITCH}-')}-{to.interface}"
    if len(name) <= _LONGEST_INTERFACE_NAME:
        return name
    return f"port-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


@contextlib.contextmanager
def inside(netns: str = SWITCH) -> Generator[None]:
    """Let this thread open its sockets in *netns*: the way from the CLI to the lab's daemons.

    A socket belongs to the namespace that it was opened in for good, so only opening matters.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    own, other = pathlib.Path("/proc/thread-self/ns/net"), pathlib.Path("/run/netns", netns)
    with own.open() as home, other.open() as target:
        _set_namespace(libc, target.fileno())
        try:
            yield
        finally:
            _set_namespace(libc, home.fileno())


def _set_namespace(libc: ctypes.CDLL, descriptor: int) -> None:
    if libc.setns(descriptor, _CLONE_NEWNET):
        reason = os.strerror(ctypes.get_errno())
        raise LabError(f"cannot enter a network namespace: {reason}; run the lab as root")


def _ensure_namespace(netns: str) -> None:
    if netns not in namespaces():
        run(["ip", "netns", "add", netns])
        _ip(netns, "link set lo up")


def _ip(netns: str, *commands: str) -> None:
    """Run several commands of ip(8) in one process: a power cut must be quick."""
    run(["ip", "-n", netns, "-batch", "-"], input="\n".join(commands) + "\n")


def _exists(port: str) -> bool:
    return port in _ports()


def _ports() -> set[str]:
    """Return the names of the switch's interfaces; none while it is down."""
    if SWITCH not in namespaces():
        return set()
    links = json.loads(run(["ip", "-n", SWITCH, "-json", "link", "show"]).stdout)
    return {link["ifname"] for link in links}
