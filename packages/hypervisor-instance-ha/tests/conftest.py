# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor and a cloud that can be broken, and clocks that only the test moves."""

from __future__ import annotations

import http.server
import json
import pathlib
import threading
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from hypervisor_instance_ha import machine
from hypervisor_instance_ha.cloud import Cloud, Server
from hypervisor_instance_ha.courier import Courier
from hypervisor_instance_ha.errors import CloudUnreachableError, LibvirtError
from hypervisor_instance_ha.files import Report
from hypervisor_instance_ha.hypervisor import Ending, Guest
from hypervisor_instance_ha.instances import InstanceMonitor
from hypervisor_instance_ha.keystone import Session
from hypervisor_instance_ha.ledger import Ledger
from hypervisor_instance_ha.settings import Login
from hypervisor_instance_ha.spool import Spool
from hypervisor_instance_ha.station import Station
from hypervisor_instance_ha.tally import Tally

HOST = "h1"


class FakeLibvirt:
    """Guests in a dictionary; whoever shares it sees what others did."""

    def __init__(self) -> None:
        self.guests: dict[str, Guest] = {}
        self.endings: dict[str, Ending] = {}
        self.deaf: set[str] = set()
        self.away = False
        self.destroyed: list[str] = []

    def start(self, *uuids: str) -> None:
        for uuid in uuids:
            self.guests[uuid] = Guest(uuid=uuid, has_agent=True)

    def end(self, uuid: str, ending: Ending = Ending.CRASHED) -> None:
        del self.guests[uuid]
        self.endings[uuid] = ending

    def running(self):
        if self.away:
            raise LibvirtError("libvirt is away; start it")
        return dict(self.guests)

    def ending(self, uuid):
        return self.endings.get(uuid, Ending.UNKNOWN)

    def ping(self, uuid, *, timeout_s):
        return uuid not in self.deaf

    def destroy(self, uuids):
        for uuid in uuids:
            del self.guests[uuid]
            self.destroyed.append(uuid)

    def close(self):
        pass


class FakeCloud:
    """Nova's servers and what Masakari was told."""

    def __init__(self) -> None:
        self.placed: dict[str, Server] = {}
        self.told: list[tuple[str, str]] = []
        self.failures: list[Exception] = []
        self.by_nova: set[str] = set()
        self.away = False

    def place(self, *uuids: str, host: str = HOST, state: str = "active", task=None) -> None:
        for uuid in uuids:
            self.placed[uuid] = Server(
                uuid=uuid, host=host, vm_state=state, task=task, metadata={}
            )

    def _answer(self):
        if self.away:
            raise CloudUnreachableError("HTTP 503; look at it")

    def servers(self):
        self._answer()
        return [one for one in self.placed.values() if one.host == HOST]

    def server(self, uuid):
        self._answer()
        return self.placed.get(uuid)

    def stopped_by_nova(self, uuid):
        return uuid in self.by_nova

    def notify_server(self, uuid, *, recovery, at_s):
        self._answer()
        if self.failures:
            raise self.failures.pop(0)
        self.told.append((recovery.value, uuid))

    def notify_process(self, name, *, at_s):
        self._answer()
        self.told.append(("process", name))


class Clock:
    """Seconds that pass when the test says so."""

    now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


class Host:
    """One hypervisor with its monitor, which can be killed and started again."""

    def __init__(self, place: pathlib.Path) -> None:
        self.place = place
        self.libvirt = FakeLibvirt()
        self.cloud = FakeCloud()
        self.clock = Clock()
        self.silence = ""
        self.boot = "boot-1"
        self.limit = 0
        self.start_monitor()

    def station(self, name: str) -> Station:
        return Station(
            nova_host=HOST,
            cloud=self.cloud,
            spool=Spool(self.place / name, most=1000),
            tally=Tally(limit=self.limit, window_s=3600),
            report=Report(self.place / f"{name}.json"),
            now_s=self.clock,
            quiet=lambda: self.silence,
        )

    def start_monitor(self, connect=None) -> None:
        """Start the monitor; what an earlier one knew is only on disk."""
        station = self.station("instances")
        self.spool = station.spool
        self.monitor = InstanceMonitor(
            station,
            connect=connect or (lambda _: self.libvirt),
            boot=self.boot,
            ledger=Ledger(self.place / "ledger.json"),
        )
        self.courier = Courier(
            station.spool,
            judge=self.monitor.judge,
            send=self.monitor.send,
            now_s=self.clock,
            report=station.report,
        )
        self.monitor.attach(self.libvirt)

    def compare(self) -> None:
        self.monitor.look()
        self.monitor.audit()

    def deliver(self, *, for_s: float = 0.0) -> None:
        """Let the courier work for so long."""
        end_s = self.clock.now_s + for_s
        while True:
            pause_s = self.courier.step()
            if pause_s == 0.0:
                continue
            if self.clock.now_s + pause_s > end_s:
                break
            self.clock.now_s += pause_s
        self.clock.now_s = max(end_s, self.clock.now_s)

    @property
    def told(self) -> list[str]:
        return [uuid for _, uuid in self.cloud.told]


@pytest.fixture
def host(tmp_path) -> Host:
    return Host(tmp_path)


class FakeSystemd:
    """Units by name, and what systemctl was told."""

    def __init__(self) -> None:
        self.units: dict[str, dict[str, str]] = {}
        self.said: list[tuple[str, ...]] = []
        self.broken: set[str] = set()

    def add(self, unit: str, *, active: str = "active", enabled: str = "enabled") -> None:
        self.units[unit] = {"LoadState": "loaded", "ActiveState": active, "UnitFileState": enabled}

    def __call__(self, *words: str, check: bool = True, timeout_s: float = 60.0) -> str:
        self.said.append(words)
        if words[0] == "show":
            empty = {"LoadState": "not-found", "ActiveState": "inactive", "UnitFileState": ""}
            told = [{"Id": one, **self.units.get(one, empty)} for one in words[3:]]
            return "\n\n".join(
                "\n".join(f"{key}={value}" for key, value in unit.items()) for unit in told
            )
        if words[0] in ("restart", "start") and words[-1] not in self.broken:
            self.units[words[-1]]["ActiveState"] = "active"
        return ""


@pytest.fixture
def systemd(monkeypatch) -> FakeSystemd:
    played = FakeSystemd()
    monkeypatch.setattr(machine, "systemctl", played)
    return played


class Control:
    """A control plane of one address; what it does is set by the test."""

    def __init__(self) -> None:
        self.password = "one"
        self.tokens: set[str] = set()
        self.logins = 0
        self.catalogue = ("compute", "instance-ha")
        self.region = "RegionOne"
        self.answers: dict[tuple[str, str], object] = {}
        self.statuses: list[int] = []
        self.delay_s = 0.0
        self.requests: list[tuple[str, str, dict[str, list[str]], object]] = []
        self.raw: bytes | None = None
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = self.published = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=[0.05], daemon=True).start()

    def login(self, **changes: str) -> Login:
        known = {
            "auth_url": f"{self.url}/identity",
            "username": "monitors",
            "password": "one",
            "project": "services",
            "user_domain": "default",
            "project_domain": "default",
            "region": "RegionOne",
        }
        return Login(**known | changes)

    def cloud(self, *, timeout_s: float = 2.0, **changes: str) -> Cloud:
        return Cloud(Session(self.login(**changes), timeout_s=timeout_s), nova_host="h1")

    def issue(self, body) -> tuple[int, object, dict[str, str]]:
        given = body["auth"]["identity"]["password"]["user"]["password"]
        if given != self.password:
            return 401, {"error": "no"}, {}
        self.logins += 1
        token = f"token-{self.logins}"
        self.tokens.add(token)
        entries = [
            {
                "type": kind,
                "endpoints": [
                    {"interface": "public", "region": self.region, "url": "http://127.0.0.1:1"},
                    {
                        "interface": "internal",
                        "region": self.region,
                        "url": f"{self.published}/{kind}/",
                    },
                ],
            }
            for kind in self.catalogue
        ]
        said = {
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2026-01-01T01:00:00.000000Z",
            "catalog": entries,
        }
        return 201, {"token": said}, {"X-Subject-Token": token}

    def _handler(control):  # noqa: N805 - the handler's own self is another
        class Handler(http.server.BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                url = urlsplit(self.path)
                time.sleep(control.delay_s)
                control.requests.append((self.command, url.path, parse_qs(url.query), body))
                self._answer(*control.respond(self, url.path, body))

            def _answer(self, status, body, headers) -> None:
                content = control.raw if control.raw is not None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = _serve  # noqa: N815 - the library's names

            def log_message(self, *_) -> None:
                pass

        return Handler

    def respond(self, request, path, body):
        if path.endswith("/auth/tokens"):
            return self.issue(body)
        if request.headers["X-Auth-Token"] not in self.tokens:
            return 401, {}, {}
        if self.statuses:
            status = self.statuses.pop(0)
            headers = {"Location": f"{self.url}/elsewhere"} if status == 302 else {}
            return status, {"badRequest": {"message": "it is so"}}, headers
        known = self.answers.get((request.command, path))
        return (404, {}, {}) if known is None else (200, known, {})


@pytest.fixture
def control():
    played = Control()
    yield played
    played.server.shutdown()
    played.server.server_close()
