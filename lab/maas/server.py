# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The part of MAAS's API 2.0 that a fencing client uses, over HTTP.

What it answers follows MAAS's own source; it was not compared with a running MAAS.
"""

import dataclasses
import http
import json
import pathlib
import re
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from lab.host import Host

from . import faults
from .faults import Fault, Injected
from .machines import Machines
from .oauth import UnauthorizedError, Verifier

_ROOT = "/MAAS/api/2.0"
_MACHINE = re.compile(r"/machines/([^/]+)/(?:op-(\w+))?")
_FORM_SHOWN = ("stop_mode", "comment")
_NEVER_S = 3600.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What the server says: JSON, or MAAS's plain text for refusals."""

    status: http.HTTPStatus = http.HTTPStatus.OK
    body: Any = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Question:
    """One authorized request."""

    method: str
    path: str
    query: dict[str, list[str]]
    form: dict[str, list[str]]

    @property
    def machine(self) -> tuple[str, str] | None:
        """The system ID and the operation of a request about one machine."""
        found = _MACHINE.fullmatch(self.path)
        return (found[1], found[2] or self.op) if found else None

    @property
    def op(self) -> str:
        """The operation that the query names."""
        return self.query.get("op", [""])[0]


class Api:
    """Answers questions; knows nothing of HTTP connections."""

    def __init__(self, machines: Machines) -> None:
        self._machines = machines

    def answer(self, asked: Question, *, met: Injected | None) -> Answer:
        """Return MAAS's answer, under the influence of the fault that the request met."""
        if asked.machine:
            return self._about_machine(asked, met=met)
        if asked.path == "/users/" and asked.op == "whoami":
            return Answer(body={"username": "lab", "email": "lab@maas", "is_superuser": True})
        if asked.path == "/machines/" and asked.method == "GET" and not asked.op:
            return Answer(body=self._list(asked.query.get("hostname")))
        if asked.path in {"/users/", "/machines/"}:
            return _unrecognised(asked)
        return Answer(status=http.HTTPStatus.NOT_FOUND, body="Not Found")

    def _list(self, hostnames: list[str] | None) -> list[dict[str, Any]]:
        known = self._machines.known().values()
        wanted = [h for h in known if hostnames is None or h.name in hostnames]
        return [self._machines.view(h) for h in wanted if not _is_missing(h)]

    def _about_machine(self, asked: Question, *, met: Injected | None) -> Answer:
        system_id, op = asked.machine or ("", "")
        each = self._machines.known().get(system_id)
        if each is None or _is_missing(each):
            text = "No Machine matches the given query."
            return Answer(status=http.HTTPStatus.NOT_FOUND, body=text)
        match asked.method, op:
            case "GET", "":
                return Answer(body=self._machines.view(each))
            case "GET", "query_power_state":
                return Answer(body={"state": self._machines.query(each, met=met)})
            case "POST", "power_off" | "power_on":
                hard = asked.form.get("stop_mode", ["hard"])[0] != "soft"
                self._machines.order(each, on=op == "power_on", hard=hard, met=met)
                return Answer(body=self._machines.view(each))
            case _:
                return _unrecognised(asked)


def _is_missing(each: Host) -> bool:
    met = faults.find(each.name)
    return met is not None and met.fault is Fault.MISSING


def _unrecognised(asked: Question) -> Answer:
    op = asked.machine[1] if asked.machine else asked.op
    text = f"Unrecognised signature: method={asked.method} op={op or None}"
    return Answer(status=http.HTTPStatus.BAD_REQUEST, body=text)


class Server(ThreadingHTTPServer):
    """The simulator: one thread a connection, a line in *log* for each request."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self,
        address: tuple[str, int],
        *,
        machines: Machines,
        verifier: Verifier,
        log: pathlib.Path,
    ) -> None:
        super().__init__(address, _Handler)
        self.api = Api(machines)
        self.verifier = verifier
        self._log = log
        self._log_lock = threading.Lock()

    def record(self, **facts: Any) -> None:
        """Write one line to the request log; no header ever comes here, so no secret does."""
        line = json.dumps({"time": round(time.time(), 3), **facts})
        with self._log_lock, self._log.open("a") as log:
            log.write(f"{line}\n")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server  # pyright: ignore[reportIncompatibleVariableOverride] - ours, always

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: the request log has it all."""

    def _serve(self) -> None:
        asked = self._read()
        system_id = asked.machine[0] if asked.machine else None
        name = system_id.removeprefix("sys-") if system_id else None
        met = faults.find(name)
        facts: dict[str, Any] = {
            "method": asked.method,
            "path": self.path,
            "machine": name,
            "peer": self.client_address[0],
            "form": {k: asked.form[k] for k in _FORM_SHOWN if k in asked.form},
            "fault": met.fault if met else None,
        }
        if met and met.fault is Fault.HANGING:
            self.server.record(**facts, answer=None)
            time.sleep(_NEVER_S)
            self.close_connection = True
            return
        if met and met.fault is Fault.SLOW:
            time.sleep(met.seconds)
        answer = self._decide(asked, met=met)
        self.server.record(**facts, answer=answer.status)
        self._send(answer)

    def _read(self) -> Question:
        url = urllib.parse.urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        return Question(
            method=self.command,
            path=url.path.removeprefix(_ROOT) if url.path.startswith(_ROOT) else "",
            query=urllib.parse.parse_qs(url.query),
            form=urllib.parse.parse_qs(body),
        )

    def _decide(self, asked: Question, *, met: Injected | None) -> Answer:
        if met and met.fault is Fault.FAILING:
            text = "The region controller is not available."
            return Answer(status=http.HTTPStatus.SERVICE_UNAVAILABLE, body=text)
        if asked.path == "/version/":  # the only thing that MAAS tells strangers
            return Answer(body={"version": "3.5.0", "subversion": "lab", "capabilities": []})
        try:
            self.server.verifier.verify(self.headers.get("Authorization"), now_s=time.time())
        except UnauthorizedError as error:
            return Answer(status=http.HTTPStatus.UNAUTHORIZED, body=str(error))
        if met and met.fault is Fault.REFUSING:
            return Answer(status=http.HTTPStatus.FORBIDDEN, body="Forbidden")
        return self.server.api.answer(asked, met=met)

    def _send(self, answer: Answer) -> None:
        plain = isinstance(answer.body, str)
        body = (answer.body if plain else json.dumps(answer.body)).encode()
        self.send_response(answer.status)
        kind = "text/plain; charset=utf-8" if plain else "application/json; charset=utf-8"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
