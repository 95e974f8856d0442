# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What one Consul server says of the hosts of its network, and whether it may be believed.

Servers are asked one by one: behind a shared address two questions may reach two servers, whose
views of the gossip differ just when it matters. Three answers make a view:

* ``/v1/agent/self``: the server's name and how its gossip judges itself (``health_score``);
* ``/v1/health/state/critical?stale``: only its headers, which say whether the server knows a
  leader and how long ago it heard from it;
* ``/v1/agent/members``: the gossip's own view of every host and every other server.
"""

from __future__ import annotations

import http
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3

from instance_ha.agreement import MemberState, ServerView
from instance_ha.errors import InstanceHaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.model import Network

HTTP_PORT = 8500
"""Consul's own default."""

_HOST_ROLE = "node"
_SERVER_ROLE = "consul"
_STATES = {
    1: MemberState.ALIVE,
    2: MemberState.LEAVING,
    3: MemberState.LEFT,
    4: MemberState.FAILED,
}


class ConsulSilentError(InstanceHaError):
    """A server did not answer, or its answer is no evidence; what it would say is unknown."""


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server's HTTP API listens."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one server said at one moment."""

    view: ServerView
    servers: Mapping[str, str]
    """Name -> gossip address of every server that has not left, the answering one included."""
    addresses: Mapping[str, str]
    """Gossip address -> host, whatever its state."""


def parse_address(text: str) -> Address | None:
    """Read ``host[:port]`` as charms and people write it; None where nothing is said.

    Quotes, a scheme and a trailing slash are dropped, and ``null`` is nothing: relations carry
    all of these.
    """
    bare = text.strip().strip("\"'").removeprefix("http://").rstrip("/")
    if bare in ("", "null", "None"):
        return None
    if bare.count(":") > 1 and not bare.startswith("["):  # an IPv6 address without a port
        return Address(host=bare, port=HTTP_PORT)
    host, _, port = bare.rpartition(":") if not bare.endswith("]") else (bare, "", "")
    if not host:
        host, port = bare, ""
    if port and not port.isdigit():
        raise ValueError(f"{text} is no host:port")
    return Address(host=host.strip("[]"), port=int(port) if port else HTTP_PORT)


def open_session() -> urllib3.PoolManager:
    """Return what one thread asks with; it keeps its connection and ignores proxies.

    Evidence that came through a proxy would be the proxy's. The servers are asked all day, and
    this costs less than half of what a session of requests does.
    """
    return urllib3.PoolManager(num_pools=1, retries=False)


def ask(
    session: urllib3.PoolManager, *, address: Address, network: Network, budget_s: float
) -> Answer:
    """Ask one server its three questions within *budget_s*.

    Raises:
        ConsulSilentError: if an answer is late, refused, malformed, or an empty list: without
            the right to read, Consul answers 200 and nothing.
    """
    deadline = time.monotonic() + budget_s

    def get(path: str) -> urllib3.BaseHTTPResponse:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise ConsulSilentError(f"consul at {address} took more than {budget_s} s")
        return _get(session, path, address=address, timeout=urllib3.Timeout(total=left_s))

    try:
        return _parse(
            json.loads(get("/v1/agent/self").data),
            get("/v1/health/state/critical?stale").headers,
            json.loads(get("/v1/agent/members").data),
            network=network,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConsulSilentError(f"consul at {address} is not understood: {error!r}") from error


def wait(session: urllib3.PoolManager, *, address: Address, index: int, wait_s: float) -> int:
    """Wait until the health of any host changes; return the index to wait from next.

    Args:
        session: Not used for anything else meanwhile.
        address: Of the server.
        index: What the last call returned; 0 to begin with, which does not wait.
        wait_s: How long to wait for a change; the server adds up to a sixteenth to it.

    Raises:
        ConsulSilentError: if the server does not answer.
    """
    path = f"/v1/health/state/critical?stale&index={index}&wait={wait_s:g}s"
    patience_s = wait_s * (1 + 1 / 16) + 5.0
    timeout = urllib3.Timeout(connect=5.0, read=patience_s)
    response = _get(session, path, address=address, timeout=timeout)
    try:
        return int(response.headers["X-Consul-Index"])
    except (KeyError, ValueError) as error:
        raise ConsulSilentError(f"consul at {address} is not understood: {error!r}") from error


def _get(
    session: urllib3.PoolManager, path: str, *, address: Address, timeout: urllib3.Timeout
) -> urllib3.BaseHTTPResponse:
    try:
        response = session.request(
            "GET", f"http://{address}{path}", timeout=timeout, redirect=False
        )
    except urllib3.exceptions.HTTPError as error:
        reason = type(error).__name__
        raise ConsulSilentError(f"consul at {address} is silent: {reason}") from error
    if response.status != http.HTTPStatus.OK:
        raise ConsulSilentError(f"consul at {address} answered {response.status}")
    return response


@dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    role: str
    state: MemberState | None
    """None for a number that Consul does not document."""
    address: str

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> _Member:
        return cls(
            name=raw["Name"],
            role=(raw.get("Tags") or {}).get("role", ""),
            state=_STATES.get(raw["Status"]),
            address=raw["Addr"],
        )


def _parse(
    own: Mapping[str, Any],
    headers: Mapping[str, str],
    raw_members: list[Mapping[str, Any]],
    *,
    network: Network,
) -> Answer:
    members = [_Member.parse(raw) for raw in raw_members]
    if not members:
        raise ValueError("empty member list; the reader's token may lack node:read")
    hosts = {m.name: m.state for m in members if m.role == _HOST_ROLE and m.state is not None}
    servers = [m for m in members if m.role == _SERVER_ROLE and m.state is not MemberState.LEFT]
    score = own["Stats"]["serf_lan"].get("health_score")
    view = ServerView(
        server=own["Config"]["NodeName"],
        network=network,
        members=hosts,
        health_score=None if score is None else int(score),
        known_leader=headers.get("X-Consul-KnownLeader") == "true",
        last_contact_ms=int(headers.get("X-Consul-LastContact") or 0),
        servers_alive=sum(m.state is MemberState.ALIVE for m in servers),
        servers_total=len(servers),
        agents_alive=sum(state is MemberState.ALIVE for state in hosts.values()),
    )
    return Answer(
        view=view,
        servers={m.name: m.address for m in servers},
        addresses={m.address: m.name for m in members if m.role == _HOST_ROLE},
    )
