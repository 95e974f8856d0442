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
import urllib.parse
import warnings
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

with warnings.catch_warnings():  # upstream's own: it imports what is deprecated
    warnings.simplefilter("ignore")
    import masakari.engine.drivers.taskflow.host_failure  # noqa: F401

ALIVE, LEAVING, LEFT, FAILED = 1, 2, 3, 4
_NO_MOVES = {"badRequest": {"code": 400, "message": "This notification without vm moves."}}


class ConsulServer:
    """One server of a cluster; answers in the shapes that Consul 1.22.7 was recorded with."""

    hang_s = 6.0

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
            time.sleep(self.hang_s)
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
                "Addr": servers.get(name, f"10.1.0.{name.removeprefix('h')}"),
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
    disable_nagle_algorithm = True  # a body that follows its headers would wait for their ACK

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


class OpenStack:
    """Keystone, Nova and Masakari behind one port, as strict as the real ones where we write."""

    WRITABLE: ClassVar = {
        "segment": {"name", "description", "recovery_method", "service_type", "enabled"},
        "host": {"name", "type", "control_attributes", "reserved", "on_maintenance"},
        "notification": {"type", "hostname", "generated_time", "payload"},
    }

    def __init__(self) -> None:
        self.segments: list[dict[str, Any]] = []
        self.hosts: list[dict[str, Any]] = []
        self.notifications: list[dict[str, Any]] = []
        self.vmoves: list[dict[str, Any]] = []
        self.services: list[dict[str, Any]] = []
        self.servers: list[dict[str, Any]] = []
        self.aggregates: list[dict[str, Any]] = []
        self.migrations: list[dict[str, Any]] = []
        self.refusals: dict[tuple[str, str], tuple[int, str]] = {}
        """Method and a part of the path -> status and the service's words."""
        self.delay_s = 0.0
        self.page = 1000
        self.calls: list[tuple[str, str, Any]] = []
        self._httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._httpd.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._httpd.server_port}"
        threading.Thread(target=self._httpd.serve_forever, args=(0.02,), daemon=True).start()

    def enrol(self, *names: str, segment: str = "seg1", **fields: Any) -> None:
        """Add hosts to a segment, and their compute services to Nova."""
        found = [known for known in self.segments if known["name"] == segment]
        if not found:
            found = [self.make("segment", {"name": segment, "recovery_method": "auto"})]
        for name in names:
            self.make("host", {"name": name, **fields}, failover_segment_id=found[0]["uuid"])
            self.services.append(
                {
                    "id": f"service-{name}",
                    "host": name,
                    "binary": "nova-compute",
                    "state": "up",
                    "status": "enabled",
                    "forced_down": False,
                }
            )

    def written(self) -> list[tuple[str, str, Any]]:
        """Return every call but GET, with its body; logins left out."""
        return [call for call in self.calls if call[0] != "GET" and "/auth/" not in call[1]]

    def stop(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        self.calls.append((method, path, body))
        time.sleep(self.delay_s)
        for (refused, part), (status, words) in self.refusals.items():
            if method == refused and part in path:
                return status, {"conflictingRequest": {"code": status, "message": words}}
        head, *rest = path.strip("/").split("/")
        if head == "identity":
            return self._keystone(method)
        if head == "compute":
            return self._nova(method, rest[1:], query, body)
        return self._masakari(method, rest[1:], query, body)

    def _keystone(self, method: str) -> tuple[int, Any]:
        if method == "GET":
            links = [{"rel": "self", "href": f"{self.url}/identity/v3"}]
            return 200, {"version": {"id": "v3.14", "status": "stable", "links": links}}
        where = {"compute": f"{self.url}/compute/v2.1", "instance-ha": f"{self.url}/ha/v1"}
        known = {"interface": "internal", "region": "R", "region_id": "R"}
        catalog = [
            {"type": kind, "name": kind, "endpoints": [{**known, "url": url}]}
            for kind, url in where.items()
        ]
        day = "2099-01-01T00:00:00.000000Z"
        return 201, {"token": {"methods": ["password"], "expires_at": day, "catalog": catalog}}

    def _nova(
        self, method: str, rest: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        match method, rest:
            case "GET", ["os-services"]:
                known = self.services
                for key in query.keys() & {"host", "binary"}:
                    known = [service for service in known if service[key] == query[key]]
                return 200, {"services": known}
            case "GET", ["os-hypervisors", "detail"]:
                return 200, {"hypervisors": [self._hypervisor(s) for s in self.services]}
            case "GET", ["os-aggregates" | "os-migrations" as kind]:
                return 200, {kind[3:]: getattr(self, kind[3:])}
            case "PUT", ["os-services", wanted]:
                service = next(s for s in self.services if s["id"] == wanted)
                service.update(body)
                service["state"] = "up" if body.get("forced_down") is False else service["state"]
                return 200, {"service": service}
            case _, ["servers", *which]:
                return self._servers(which, query, body)
            case _:
                return 200, self._version("v2.1", "2.96", f"{self.url}/compute/v2.1/")

    def _servers(self, which: list[str], query: dict[str, str], body: Any) -> tuple[int, Any]:
        if which == ["detail"]:
            on_host = [s for s in self.servers if s["host"] == query.get("host", s["host"])]
            return 200, {"servers": on_host}
        if which[1:] == ["action"]:
            self.live_migrate(which[0], **body["os-migrateLive"])
            return 202, None
        found = [server for server in self.servers if server["id"] == which[0]]
        missing = {"itemNotFound": {"code": 404, "message": f"no {which[0]}"}}
        return (200, {"server": found[0]}) if found else (404, missing)

    def live_migrate(self, server: str, *, host: str | None, block_migration: str) -> None:
        """Move a server at once; a test may put something slower here."""
        assert block_migration == "auto"
        for found in self.servers:
            if found["id"] == server and host is not None:
                found.update({"host": host, "OS-EXT-SRV-ATTR:host": host})

    def _hypervisor(self, service: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": service["id"],
            "hypervisor_hostname": f"{service['host']}.example",
            "hypervisor_type": service.get("hypervisor_type", "QEMU"),
            "service": {"id": service["id"], "host": service["host"], "disabled_reason": None},
        }

    def _masakari(  # noqa: C901, PLR0911
        self, method: str, rest: list[str], query: dict[str, str], body: Any
    ) -> tuple[int, Any]:
        match method, rest:
            case "GET", ["segments"]:
                return 200, {"segments": self._cut(self.segments, query)}
            case "GET", ["segments", uuid, "hosts"]:
                inside = [h for h in self.hosts if h["failover_segment_id"] == uuid]
                return 200, {"hosts": self._cut(inside, query)}
            case "GET", ["notifications"]:
                asked = {k: query[k] for k in ("source_host_uuid", "type", "status") if k in query}
                found = [n for n in self.notifications if {**n, **asked} == {**asked, **n}]
                return 200, {"notifications": self._cut(found, query)}
            case "GET", ["notifications", uuid]:
                found = next(n for n in self.notifications if n["notification_uuid"] == uuid)
                return 200, {"notification": found}
            case "GET", ["notifications", uuid, "vmoves"]:
                kinds = {n["notification_uuid"]: n["type"] for n in self.notifications}
                wrong = kinds.get(uuid, "COMPUTE_HOST") != "COMPUTE_HOST"
                return (400, _NO_MOVES) if wrong else (200, {"vmoves": self.vmoves})
            case "GET", []:
                return 200, self._version("v1.0", "1.3", f"{self.url}/ha/v1/")
            case "POST", ["notifications"]:
                return self.take_notification(body["notification"])
            case "POST", ["segments"]:
                return 201, {"segment": self.make("segment", body["segment"])}
            case "POST", ["segments", uuid, "hosts"]:
                made = self.make("host", body["host"], failover_segment_id=uuid)
                return 201, {"host": made}
            case "PUT", [*_, uuid]:
                ((kind, fields),) = body.items()
                return 200, {kind: self._update(kind, uuid, fields)}
            case "DELETE", [*_, uuid]:
                self.segments = [s for s in self.segments if s["uuid"] != uuid]
                self.hosts = [h for h in self.hosts if h["uuid"] != uuid]
                return 204, None
            case _:
                return 404, {"itemNotFound": {"message": f"no {rest}"}}

    def take_notification(self, fields: dict[str, Any]) -> tuple[int, Any]:
        hosts = [h for h in self.hosts if h["name"] == fields["hostname"]]
        if not hosts:
            words = f"Host with name {fields['hostname']} could not be found."
            return 400, {"badRequest": {"code": 400, "message": words}}
        known = {
            "notification_uuid": f"notification-{len(self.notifications) + 1}",
            "source_host_uuid": hosts[0]["uuid"],
            "status": "new",
        }
        return 202, {"notification": self.make("notification", fields, **known)}

    def make(self, kind: str, fields: dict[str, Any], **known: Any) -> dict[str, Any]:
        assert not fields.keys() - self.WRITABLE[kind], "masakari refuses other properties"
        shelf = getattr(self, f"{kind}s")
        number = len(shelf) + 1
        standard: dict[str, Any] = {"id": number, "uuid": f"{kind}-{number}"}
        if kind == "host":
            standard |= {"reserved": False, "on_maintenance": False, "type": "COMPUTE"}
        if kind == "segment":
            standard |= {"enabled": True, "service_type": "COMPUTE", "description": None}
        shelf.append({**standard, **known, **fields, "created_at": "2026-11-21T05:00:00.000000"})
        return shelf[-1]

    def _update(self, kind: str, uuid: str, fields: dict[str, Any]) -> dict[str, Any]:
        assert not fields.keys() - self.WRITABLE[kind], "masakari refuses other properties"
        found = next(known for known in getattr(self, f"{kind}s") if known["uuid"] == uuid)
        found.update(fields)
        return found

    def _cut(self, items: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
        after = int(query.get("marker", 0))  # Masakari wants the number, not the UUID
        return [item for item in items if item["id"] > after][: self.page]

    def _version(self, name: str, newest: str, url: str) -> dict[str, Any]:
        oldest = f"{newest[0]}.{'1' if name == 'v2.1' else '0'}"
        known = {"id": name, "status": "CURRENT", "version": newest, "min_version": oldest}
        return {"version": {**known, "links": [{"rel": "self", "href": url}]}}

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        cloud = self

        class Handler(JsonHandler):
            def do_GET(self) -> None:
                address = urllib.parse.urlsplit(self.path)
                query = dict(urllib.parse.parse_qsl(address.query))
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(text) if text else None
                status, answer = cloud.answer(self.command, address.path, query, body)
                self.reply(status, {"X-Subject-Token": "a-token"}, answer)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

        return Handler


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
def openstack_cloud() -> Iterator[OpenStack]:
    cloud = OpenStack()
    yield cloud
    cloud.stop()


@pytest.fixture
def login(openstack_cloud: OpenStack) -> str:
    """The part of instance-ha.conf that leads to the cloud."""
    return f"""
[instance_ha_api]
auth_url = {openstack_cloud.url}/identity/v3
username = masakari
password = secret
project_name = services
region_name = R
"""
