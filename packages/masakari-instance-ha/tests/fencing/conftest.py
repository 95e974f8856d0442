# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Hosts' own controllers for tests: a Redfish service, and a real IPMI 2.0 BMC by pyghmi."""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import pathlib
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

USER, PASSWORD = "fence", "pa55-w0rd"
SYSTEM = "/redfish/v1/Systems/1"


class Redfish(http.server.ThreadingHTTPServer):
    """As much of a Redfish service as a BMC shows to who fences."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.systems = [SYSTEM]
        self.powers: list[object] = ["On", "PoweringOff", "Off"]
        """Power states to answer with; the last one stays."""
        self.failures: list[int] = []
        """HTTP statuses that the next requests get instead of an answer."""
        self.resets: list[str] = []
        self.reset_status = 204
        self.basic = True
        self.sessions: set[str] = set()
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def power(self) -> object:
        return self.powers.pop(0) if len(self.powers) > 1 else self.powers[0]


class _Requests(http.server.BaseHTTPRequestHandler):
    server: Redfish

    def log_message(self, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_DELETE(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(json.loads(body))

    def _answer(self, said: dict[str, str]) -> None:
        bmc = self.server
        bmc.asked.append(f"{self.command} {self.path}")
        if bmc.failures and (status := bmc.failures.pop(0)) != 200:
            self._send(status, {"error": "scripted"})
        elif self.path == "/redfish/v1/SessionService/Sessions":
            self._open_session(said)
        elif not self._is_let_in():
            self._send(401, {"error": "who are you?"})
        else:
            self._serve(said)

    def _serve(self, said: dict[str, str]) -> None:
        bmc = self.server
        if self.command == "DELETE":
            bmc.sessions.clear()
            self._send(204, {})
        elif self.path == "/redfish/v1/Systems":
            self._send(200, {"Members": [{"@odata.id": path} for path in bmc.systems]})
        elif self.path in bmc.systems:
            goal = {"target": f"{self.path}/Actions/ComputerSystem.Reset"}
            actions = {"#ComputerSystem.Reset": goal}
            self._send(200, {"PowerState": bmc.power(), "Actions": actions})
        elif self.path.endswith("/Actions/ComputerSystem.Reset"):
            bmc.resets.append(said["ResetType"])
            self._send(bmc.reset_status, {})
        else:
            self._send(404, {})

    def _open_session(self, said: dict[str, str]) -> None:
        if (said.get("UserName"), said.get("Password")) != (USER, PASSWORD):
            self._send(401, {})
            return
        self.server.sessions.add("token-1")
        self._send(201, {}, **{"X-Auth-Token": "token-1", "Location": f"{self.path}/1"})

    def _is_let_in(self) -> bool:
        wanted = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        basic = self.server.basic and self.headers.get("Authorization") == f"Basic {wanted}"
        return basic or self.headers.get("X-Auth-Token") in self.server.sessions

    def _send(self, status: int, answer: object, **headers: str) -> None:
        body = b"" if status == 204 else json.dumps(answer).encode()
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", "http://user:hidden@127.0.0.1:9/elsewhere?token=hidden")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(server: http.server.HTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


_BMC = """
import pathlib, sys
import pyghmi.ipmi.bmc as bmc
from pyghmi.ipmi.private import serversession

SHA1, NO_SUCH_SUITE = 1, 0x11
answer = serversession.ServerSession.create_open_session_response

def open_session(self, request):
    # It speaks SHA-1 only, and says so, as BMCs do; by itself it would go on with the wrong one.
    response = answer(self, request)
    if request[12] != SHA1:
        response = bytearray([request[0], NO_SUCH_SUITE, 0, 0]) + bytearray(request[4:8])
    return response

serversession.ServerSession.create_open_session_response = open_session

class Simulated(bmc.Bmc):
    state = pathlib.Path(sys.argv[1])
    orders = state.with_suffix(".orders")

    def get_power_state(self):
        return self.state.read_text()

    def power_off(self):
        with self.orders.open("a") as orders:
            orders.write("off\\n")
        if not self.state.with_suffix(".stuck").exists():
            self.state.write_text("off")
        return 0

    def power_on(self):
        self.state.write_text("on")
        return 0

Simulated({sys.argv[3]: sys.argv[4]}, port=int(sys.argv[2])).listen()
"""


class Ipmi:
    """A BMC that speaks IPMI 2.0 over UDP, as a process of its own."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._state = folder / "power"
        self._state.write_text("on")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BMC, str(self._state), str(self.port), USER, PASSWORD],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Ipmi:
        until = time.monotonic() + 20
        listening = f":{self.port:04X} "
        while not any(
            listening in pathlib.Path(f"/proc/net/{name}").read_text() for name in ("udp", "udp6")
        ):
            assert time.monotonic() < until, "the BMC does not listen"
            time.sleep(0.05)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def power(self) -> str:
        return self._state.read_text()

    @property
    def orders(self) -> int:
        kept = self._state.with_suffix(".orders")
        return len(kept.read_text().splitlines()) if kept.exists() else 0

    def stick(self) -> None:
        self._state.with_suffix(".stuck").touch()

    def switch_on(self) -> None:
        self._state.write_text("on")


class Bmcs:
    """The list of BMCs, as the charm renders it."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file

    def list(self, **hosts: object) -> None:
        self.file.write_text(json.dumps(hosts))


@pytest.fixture
def redfish() -> Iterator[Redfish]:
    server = Redfish()
    with serving(server):
        yield server


@pytest.fixture
def ipmi(tmp_path: pathlib.Path) -> Iterator[Ipmi]:
    with Ipmi(tmp_path) as bmc:
        yield bmc


@pytest.fixture
def login() -> dict[str, str]:
    """What every BMC of these tests lets in."""
    return {"username": USER, "password": PASSWORD}


@pytest.fixture
def bmcs(tmp_path: pathlib.Path) -> Bmcs:
    return Bmcs(tmp_path / "bmcs.json")
