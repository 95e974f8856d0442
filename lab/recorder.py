# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A cloud that only remembers: Keystone, Nova and Masakari as far as monitors ask them.

For labs without OpenStack. What it knows is a file, so that tests can look and change it while
the daemon runs. It moves no server; a notification stays as it is until a test changes it.

``python -m lab.recorder`` serves until it is killed.
"""

import contextlib
import fcntl
import http.server
import json
import socket
import sys
import time
import urllib.parse
from collections.abc import Generator, Sequence
from http import HTTPStatus
from typing import Any

from . import network, paths, process
from .process import Daemon

PORT = 5000
ADDRESS = network.MANAGEMENT.router
URL = f"http://{ADDRESS}:{PORT}"
REGION = "RegionOne"
SEGMENT = "5e63e470-0000-4000-8000-000000000001"

FILE = paths.STATE / "recorder" / "cloud.json"
"""What is known."""
_SHELVES = ("hosts", "services", "notifications", "servers")
_FOREVER = "2099-01-01T00:00:00.000000Z"

DAEMON = Daemon(
    name="recorder",
    argv=[sys.executable, "-m", "lab.recorder"],
    netns=network.SWITCH,
    env={"PYTHONPATH": str(paths.REPOSITORY)},
)

Cloud = dict[str, list[dict[str, Any]]]
Answer = tuple[HTTPStatus, object]


def ensure_up(hosts: Sequence[str]) -> None:
    """Serve a cloud that has these hypervisors, each of them in the one failover segment."""
    enrol(hosts)
    network.ensure_up()
    process.spawn(DAEMON)
    process.wait_until(_accepts, within_s=20, what="the recorder", daemon=DAEMON)


def enrol(hosts: Sequence[str]) -> None:
    """Make hypervisors known to Nova and Masakari."""
    with _cloud() as cloud:
        known = {each["name"] for each in cloud["hosts"]}
        for name in hosts:
            if name not in known:
                cloud["hosts"].append(_host(name))
                cloud["services"].append(_service(name))


def add_server(uuid: str, *, host: str) -> None:
    """Make a server known to Nova that is active on a host."""
    with _cloud() as cloud:
        cloud["servers"].append(
            {
                "id": uuid,
                "OS-EXT-SRV-ATTR:host": host,
                "OS-EXT-STS:vm_state": "active",
                "OS-EXT-STS:task_state": None,
                "metadata": {},
            }
        )


def forget() -> None:
    """Forget every server and notification, and bring every host back into service."""
    with _cloud() as cloud:
        cloud["notifications"], cloud["servers"] = [], []
        for service in cloud["services"]:
            service["forced_down"] = False


def notifications(kind: str) -> list[dict[str, Any]]:
    """Return what Masakari was told of this kind, oldest first; ``told_by`` is an address."""
    with _cloud() as cloud:
        return [each for each in cloud["notifications"] if each["type"] == kind]


def tell_loss(host: str, *, status: str) -> None:
    """Have Masakari know of a loss of *host*, and be so far with its recovery."""
    with _cloud() as cloud:
        fields = {"type": "COMPUTE_HOST", "hostname": host, "payload": {}}
        made = {**_notification(cloud, fields), "status": status}
        others = [n for n in cloud["notifications"] if n["hostname"] != host]
        cloud["notifications"] = [*others, made]


def is_forced_down(host: str) -> bool:
    """Return whether Nova was told that *host* is down."""
    with _cloud() as cloud:
        return any(each["host"] == host and each["forced_down"] for each in cloud["services"])


@contextlib.contextmanager
def _cloud() -> Generator[Cloud]:
    """Give what is known, to one process at a time; what the block changes is kept."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    with FILE.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        cloud: Cloud = json.loads(text) if text else {key: [] for key in _SHELVES}
        yield cloud
        file.truncate(0)
        json.dump(cloud, file)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())


def _host(name: str) -> dict[str, Any]:
    return {
        "id": 1,
        "uuid": f"host-{name}",
        "name": name,
        "failover_segment_id": SEGMENT,
        "type": "COMPUTE",
        "control_attributes": "lab",
        "reserved": False,
        "on_maintenance": False,
        "created_at": _now(),
    }


def _service(name: str) -> dict[str, Any]:
    return {
        "id": f"service-{name}",
        "host": name,
        "binary": "nova-compute",
        "zone": "nova",
        "state": "up",
        "status": "enabled",
        "forced_down": False,
        "updated_at": _now(),
    }


def _notification(cloud: Cloud, fields: dict[str, Any]) -> dict[str, Any]:
    number = len(cloud["notifications"]) + 1
    return {
        "id": number,
        "notification_uuid": f"notification-{number}",
        "source_host_uuid": f"host-{fields['hostname']}",
        "status": "new",
        "generated_time": _now(),
        "created_at": _now(),
        "updated_at": _now(),
        **fields,
    }


def answer(cloud: Cloud, method: str, path: str, query: dict[str, str], body: Any) -> Answer:
    """Return what the API at the head of *path* says; *cloud* is changed where it is told to."""
    head, *rest = path.strip("/").split("/")
    match head:
        case "v3":
            return _keystone(method)
        case "compute":
            return _nova(cloud, method, rest[1:], query, body)
        case "ha":
            return _masakari(cloud, method, rest[1:], query, body)
        case _:
            return HTTPStatus.NOT_FOUND, {}


def _keystone(method: str) -> Answer:
    if method == "GET":
        return HTTPStatus.OK, {"version": _version("v3.14", "", f"{URL}/v3/")}
    where = {"compute": f"{URL}/compute/v2.1", "instance-ha": f"{URL}/ha/v1"}
    catalog = [
        {
            "type": kind,
            "name": kind,
            "endpoints": [
                {"interface": interface, "region": REGION, "region_id": REGION, "url": url}
                for interface in ("internal", "public")
            ],
        }
        for kind, url in where.items()
    ]
    token = {"methods": ["password"], "issued_at": f"{_now()}Z", "expires_at": _FOREVER}
    return HTTPStatus.CREATED, {"token": {**token, "catalog": catalog}}


def _nova(cloud: Cloud, method: str, rest: list[str], query: dict[str, str], body: Any) -> Answer:
    match method, rest:
        case "GET", ["os-services"]:
            asked = {key: query[key] for key in ("host", "binary") if key in query}
            return HTTPStatus.OK, {"services": _like(cloud["services"], asked)}
        case "PUT", ["os-services", wanted]:
            (service,) = _like(cloud["services"], {"id": wanted})
            service.update(body)
            return HTTPStatus.OK, {"service": service}
        case "GET", ["os-aggregates" | "os-migrations" as kind]:
            return HTTPStatus.OK, {kind.removeprefix("os-"): []}
        case "GET", ["servers", *which]:
            return _servers(cloud, which[0], query)
        case _:
            return HTTPStatus.OK, {"version": _version("v2.1", "2.96", f"{URL}/compute/v2.1/")}


def _servers(cloud: Cloud, which: str, query: dict[str, str]) -> Answer:
    if which == "detail":
        asked = {"OS-EXT-SRV-ATTR:host": query["host"]} if "host" in query else {}
        return HTTPStatus.OK, {"servers": _like(cloud["servers"], asked)}
    for found in _like(cloud["servers"], {"id": which}):
        return HTTPStatus.OK, {"server": found}
    return HTTPStatus.NOT_FOUND, {"itemNotFound": {"message": f"no server {which}"}}


def _masakari(
    cloud: Cloud, method: str, rest: list[str], query: dict[str, str], body: Any
) -> Answer:
    match method, rest:
        case "GET", ["segments"]:
            return HTTPStatus.OK, {"segments": [_segment()]}
        case "GET", ["segments", _, "hosts"]:
            return HTTPStatus.OK, {"hosts": cloud["hosts"]}
        case "PUT", ["segments", _, "hosts", uuid]:
            (known,) = _like(cloud["hosts"], {"uuid": uuid})
            known.update(body["host"])
            return HTTPStatus.OK, {"host": known}
        case "GET", ["notifications"]:
            asked = {k: query[k] for k in ("source_host_uuid", "type", "status") if k in query}
            return HTTPStatus.OK, {"notifications": _like(cloud["notifications"], asked)}
        case "POST", ["notifications"]:
            return _take(cloud, body["notification"])
        case _:
            return HTTPStatus.OK, {"version": _version("v1.0", "1.3", f"{URL}/ha/v1/")}


def _take(cloud: Cloud, fields: dict[str, Any]) -> Answer:
    if not _like(cloud["hosts"], {"name": fields["hostname"]}):
        words = f"Host with name {fields['hostname']} could not be found."
        return HTTPStatus.BAD_REQUEST, {"badRequest": {"message": words}}
    made = _notification(cloud, fields)
    cloud["notifications"].append(made)
    return HTTPStatus.ACCEPTED, {"notification": made}


def _segment() -> dict[str, Any]:
    return {
        "id": 1,
        "uuid": SEGMENT,
        "name": "lab",
        "recovery_method": "auto",
        "service_type": "COMPUTE",
        "description": None,
        "enabled": True,
        "created_at": _now(),
    }


def _version(name: str, newest: str, url: str) -> dict[str, Any]:
    links = [{"rel": "self", "href": url}]
    oldest = "2.1" if newest.startswith("2") else newest and "1.0"
    return {
        "id": name, "status": "CURRENT", "version": newest, "min_version": oldest, "links": links,
    }  # fmt: skip


def _like(known: list[dict[str, Any]], asked: dict[str, str]) -> list[dict[str, Any]]:
    return [each for each in known if asked.items() <= each.items()]


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        asked = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(asked.query))
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with _cloud() as cloud:
            body = json.loads(text) if text else None
            known = len(cloud["notifications"])
            status, said = answer(cloud, self.command, asked.path, query, body)
            for made in cloud["notifications"][known:]:
                made["told_by"] = self.client_address[0]
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Subject-Token", "a-token")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_PUT = do_GET  # noqa: N815 - http.server names them


def server(port: int) -> http.server.ThreadingHTTPServer:
    """Return a server of all APIs; the caller has it serve."""
    return http.server.ThreadingHTTPServer(("0.0.0.0", port), _Handler)


def _accepts() -> bool:
    with network.inside(), socket.socket() as probe:
        return probe.connect_ex((ADDRESS, PORT)) == 0


if __name__ == "__main__":
    server(PORT).serve_forever()
