# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A Consul cluster and an OpenStack cloud on loopback, small enough to be wrong on purpose."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ALIVE, LEAVING, LEFT, FAILED = 1, 2, 3, 4
HANG_S = 3.0


class ConsulServer:
    """One server of a cluster; answers in the shapes that Consul 1.22.7 was recorded with."""

    def __init__(self, cluster: ConsulCluster, *, name: str, address: str) -> None:
        self.cluster = cluster
        self.name = name
        self.address = address
        self.score = 0
        self.leader = True
        self.last_contact_ms = 20
        self.mood = "well"
        self.believes: dict[str, int] = {}
        """Host or server -> status, where this server differs from the cluster."""
        self.asked = 0
        self._httpd = http.server.ThreadingHTTPServer((address, cluster.port), self._handler())
        self._httpd.daemon_threads = True
        threading.Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.address}:{self.cluster.port}"

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def answer(self, path: str) -> tuple[int, dict[str, str], Any]:
        self.asked += 1
        if self.mood == "hanging":
            time.sleep(HANG_S)
        if self.mood == "failing":
            return 500, {}, "No cluster leader"
        if path.startswith("/v1/agent/self"):
            return 200, {}, self._self()
        if path.startswith("/v1/health/state/critical"):
            return 200, self._headers(), []
        if path.startswith("/v1/agent/members"):
            return 200, {}, [] if self.mood == "filtered" else self._members()
        return 404, {}, None

    def _self(self) -> Any:
        if self.mood == "garbled":
            return {"Config": None}
        stats = {"health_score": str(self.score), "failed": "0", "members": "6"}
        return {"Config": {"NodeName": self.name, "Server": True}, "Stats": {"serf_lan": stats}}

    def _headers(self) -> dict[str, str]:
        return {
            "X-Consul-Index": "13",
            "X-Consul-Knownleader": str(self.leader).lower(),
            "X-Consul-Lastcontact": str(self.last_contact_ms),
        }

    def _members(self) -> list[dict[str, Any]]:
        servers = {server.name: server.address for server in self.cluster.servers}
        seen = {**dict.fromkeys(servers, ALIVE), **self.cluster.hosts, **self.believes}
        return [
            {
                "Name": name,
                "Addr": servers.get(name, "127.0.0.1"),
                "Port": 8301,
                "Tags": {"dc": "dc1", "role": "consul" if name in servers else "node"},
                "Status": status,
            }
            for name, status in seen.items()
        ]

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        server = self

        class Handler(JsonHandler):
            def do_GET(self) -> None:
                self.reply(*server.answer(self.path))

        return Handler


class ConsulCluster:
    """Servers that share one gossip, on addresses of their own and one port."""

    def __init__(self, *, port: int, size: int) -> None:
        self.port = port
        self.hosts: dict[str, int] = {"h1": ALIVE, "h2": ALIVE, "h3": ALIVE}
        self.servers: list[ConsulServer] = []
        for number in range(1, size + 1):
            self.servers.append(
                ConsulServer(self, name=f"consul-{number}", address=f"127.0.1.{number}")
            )

    def stop(self) -> None:
        for server in self.servers:
            server.stop()


class JsonHandler(http.server.BaseHTTPRequestHandler):
    """Speak JSON over connections that stay open, without a log."""

    protocol_version = "HTTP/1.1"

    def reply(self, status: int, headers: dict[str, str], body: Any) -> None:
        text = b"" if body is None else json.dumps(body).encode()
        with contextlib.suppress(OSError):  # a client whose patience is over
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def consul_cluster(free_port: int) -> Iterator[ConsulCluster]:
    cluster = ConsulCluster(port=free_port, size=3)
    yield cluster
    cluster.stop()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], str], None]:
    """Wait until a condition holds, and fail with words if it never does."""

    def wait(condition: Callable[[], bool], what: str, within_s: float = 10.0) -> None:
        deadline_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline_s, f"never seen: {what}"
            time.sleep(0.02)

    return wait
