# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Consul as Sunbeam runs it: three servers on each of three networks, an agent of each on a host.

Servers are nodes of their own with one cable each. Agents are systemd units of the hosts, so a
power cut ends them and a boot starts them again.
"""

import dataclasses
import http.client
import json
import shutil
from collections.abc import Sequence
from typing import Any, Literal

from . import host, network, paths, process
from .errors import LabError
from .host import Host
from .network import HOST_NETWORKS, Network
from .process import Daemon

Profile = Literal["default", "tight"]

SERVERS = (1, 2, 3)
HTTP_PORT = 8500
_SERVER_SERF = {"management": 30301, "tenant": 30311, "storage": 30321}
_AGENT_SERF = {"management": 8301, "tenant": 8311, "storage": 8321}
_DATA = paths.STATE / "consul"
_STATUSES = {1: "alive", 2: "leaving", 3: "left", 4: "failed"}

# "tight" notices a dead host in 3 s instead of 6, still without false alarms under packet loss.
_TIGHT_GOSSIP = {
    "probe_interval": "500ms",
    "probe_timeout": "250ms",
    "gossip_interval": "100ms",
    "suspicion_mult": 4,
}
_UNIT = """[Unit]
Description=Consul agent on the {network} network
After=network.target

[Service]
ExecStart={binary} agent -config-file=/etc/consul/{network}.json
Restart=always
RestartSec=1
TimeoutStopSec=15

[Install]
WantedBy=multi-user.target
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """One Consul server: number 1, 2 or 3 of a network."""

    network: Network
    number: int

    @property
    def name(self) -> str:
        """Its node name; no hypervisor has such a name."""
        return f"consul-{self.network.name}-{self.number}"

    @property
    def netns(self) -> str:
        """The network namespace that is this node."""
        return f"{network.SWITCH}-{self.name}"

    @property
    def address(self) -> str:
        """Its only address."""
        return self.network.address(20 + self.number)

    @property
    def url(self) -> str:
        """Where its HTTP API listens."""
        return f"http://{self.address}:{HTTP_PORT}"

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        config = _DATA / f"{self.name}.json"
        return Daemon(
            name=self.name,
            argv=[paths.binary_path("consul"), "agent", f"-config-file={config}"],
            netns=self.netns,
        )


def server(name: str, number: int) -> Server:
    """Return server *number* of the network *name*."""
    wire = network.network(name)
    if wire not in HOST_NETWORKS or number not in SERVERS:
        raise LabError(f"no Consul server {number} on {name}; say management, tenant or storage")
    return Server(network=wire, number=number)


def servers(wire: Network) -> list[Server]:
    """Return the servers of one network."""
    return [Server(network=wire, number=number) for number in SERVERS]


def http_address(wire: Network) -> str:
    """Return the one address that a network's cluster is known by, as Kubernetes has a service."""
    return f"{servers(wire)[0].address}:{HTTP_PORT}"


def ensure_up(hosts: Sequence[Host], *, profile: Profile = "tight") -> None:
    """Bring up all servers and the agents of *hosts*; wait until everybody sees everybody.

    Args:
        hosts: Those that are off get their agents too, and start them when they boot.
        profile: ``tight`` for suites, ``default`` for the timing of a real cloud.
    """
    paths.binary("consul")
    network.ensure_up()
    with process.exclusive("consul"):
        for wire in HOST_NETWORKS:
            for each in servers(wire):
                _ensure_server(each, profile=profile)
        for each in hosts:
            _ensure_agents(each, profile=profile)
    for wire in HOST_NETWORKS:
        for each in servers(wire):
            _wait_ready(each, hosts=hosts)


def down() -> None:
    """Stop every server and forget what they stored; agents go with their hosts."""
    for wire in HOST_NETWORKS:
        for each in servers(wire):
            process.kill(each.daemon)
            network.heal(each.netns, to=wire)
            network.remove(each.netns)
    shutil.rmtree(_DATA, ignore_errors=True)


def start_server(each: Server) -> None:
    """Start a server that was stopped; it is a voter again about ten seconds later."""
    process.spawn(each.daemon)


def stop_server(each: Server) -> None:
    """Crash one server; its node stays on the network."""
    process.kill(each.daemon)


def isolate_server(each: Server) -> None:
    """Cut one server's cable: nobody reaches it, and it keeps running."""
    network.cut(each.netns, off=each.network)


def blind_server(each: Server) -> None:
    """Cut one server off from gossip and raft while its HTTP API still answers."""
    for chain, side, way in (("INPUT", "--dport", "-i"), ("OUTPUT", "--sport", "-o")):
        for rule in (
            ["-p", "tcp", side, str(HTTP_PORT), "-j", "ACCEPT"],
            ["!", way, "lo", "-j", "DROP"],
        ):
            process.run(["iptables", "-A", chain, *rule], netns=each.netns)


def heal_server(each: Server) -> None:
    """Undo ``isolate_server`` and ``blind_server``; its view is right again within 20 s."""
    process.run(["iptables", "-F"], netns=each.netns)
    network.heal(each.netns, to=each.network)


def members(each: Server) -> dict[str, str]:
    """Return what one server thinks of every node: alive, leaving, left or failed.

    Raises:
        OSError: if the server does not answer.
    """
    return {m["Name"]: _STATUSES.get(m["Status"], "unknown") for m in get(each, "agent/members")}


def leader(each: Server) -> str:
    """Return the raft address of the leader that one server knows; empty for none."""
    return get(each, "status/leader")


def get(each: Server, path: str) -> Any:
    """Return one server's answer to ``GET /v1/<path>``.

    Raises:
        OSError: if the server does not answer within two seconds, or answers an error.
    """
    connection = http.client.HTTPConnection(each.address, HTTP_PORT, timeout=2)
    with network.inside():
        connection.connect()
    try:
        connection.request("GET", f"/v1/{path}")
        answer = connection.getresponse()
        text = answer.read().decode()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{each.name} broke off its answer") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ConnectionError(f"{each.name} answers {answer.status}: {text.strip()}")
    return json.loads(text)


def _ensure_server(each: Server, *, profile: Profile) -> None:
    network.attach(each.netns, to=each.network, address=each.address, default_route=True)
    _DATA.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_server_config(each, profile=profile), indent=2)
    config = _DATA / f"{each.name}.json"
    if not config.exists() or config.read_text() != text:
        process.stop(each.daemon)
        config.write_text(text)
    process.spawn(each.daemon)


def _ensure_agents(each: Host, *, profile: Profile) -> None:
    for wire in HOST_NETWORKS:
        text = json.dumps(_agent_config(each, wire=wire, profile=profile), indent=2)
        unit = _UNIT.format(binary=paths.binary("consul"), network=wire.name)
        changed = host.write(each, f"/etc/consul/{wire.name}.json", text, mode=0o640)
        changed |= host.install_unit(each, f"consul-{wire.name}.service", unit)
        if host.is_on(each):
            verb = "restart" if changed else "start"
            host.run(each, ["systemctl", verb, f"consul-{wire.name}.service"])


def _wait_ready(each: Server, *, hosts: Sequence[Host]) -> None:
    expected = {h.name for h in hosts if host.is_on(h)}
    expected -= {h.name for h in hosts if network.is_cut(h.netns, off=each.network)}

    def sees_everybody() -> bool:
        try:
            alive = {name for name, status in members(each).items() if status == "alive"}
            return bool(leader(each)) and expected | _peers(each) <= alive
        except OSError:
            return False

    what = f"{each.name} to see {', '.join(sorted(expected)) or 'its peers'} and a leader"
    process.wait_until(sees_everybody, within_s=90, what=what, daemon=each.daemon)


def _peers(each: Server) -> set[str]:
    return {peer.name for peer in servers(each.network)}


def _server_config(each: Server, *, profile: Profile) -> dict[str, Any]:
    config = _config(each.network, profile=profile)
    config |= {
        "server": True,
        "bootstrap_expect": len(SERVERS),
        "bind_addr": each.address,
        "client_addr": "0.0.0.0",
        "node_name": each.name,
        "data_dir": str(_DATA / each.name),
        "connect": {"enabled": False},
        "ui_config": {"enabled": False},
    }
    config["ports"] |= {"http": HTTP_PORT, "serf_lan": _SERVER_SERF[each.network.name]}
    if profile == "tight":
        config["performance"] = {"raft_multiplier": 1}
    return config


def _agent_config(each: Host, *, wire: Network, profile: Profile) -> dict[str, Any]:
    config = _config(wire, profile=profile)
    config |= {
        "bind_addr": each.address(wire),
        "node_name": each.name,
        "data_dir": f"/var/lib/consul-{wire.name}",
    }
    config["ports"]["serf_lan"] = _AGENT_SERF[wire.name]
    return config


def _config(wire: Network, *, profile: Profile) -> dict[str, Any]:
    """Return what servers and agents have in common; -1 closes a port."""
    closed = dict.fromkeys(("dns", "http", "https", "grpc", "grpc_tls", "serf_wan"), -1)
    serf = _SERVER_SERF[wire.name]
    config: dict[str, Any] = {
        "datacenter": "dc1",
        "disable_update_check": True,
        "log_level": "INFO",
        "ports": {**closed, "server": 8300},
        "retry_join": [f"{each.address}:{serf}" for each in servers(wire)],
    }
    if profile == "tight":
        config |= {"gossip_lan": _TIGHT_GOSSIP, "retry_interval": "2s"}
    return config
