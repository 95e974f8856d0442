# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What answers may be slow, huge, cut short, or no power controller at all: never an ``off``.

Real sockets: each server is one function on a connection.
"""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import socket
import threading
import time

import pytest

from instance_ha.errors import FenceError
from instance_ha.ladder import Rung
from masakari_instance_ha.clock import SystemClock
from masakari_instance_ha.fencing.maas import Maas
from masakari_instance_ha.fencing.maas_api import Access, MaasApi
from masakari_instance_ha.fencing.power import Pace, PowerError, PowerFencer
from masakari_instance_ha.fencing.redfish import Redfish

SECRET = "s3cr3t-t0ken"
SENT = base64.b64encode(f"fence:{SECRET}".encode()).decode()
"""How basic authentication sends it."""
TIMEOUT_S = 0.6
OFF = b'{"state": "off", "system_id": "sys-h1", "PowerState": "Off", "power_type": "ipmi"}'


class Odd:
    """Listens on a loopback port and lets *behave* treat each connection."""

    def __init__(self, behave) -> None:
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._treat, args=(connection,), daemon=True).start()

    def _treat(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            request = b""
            while b"\r\n\r\n" not in request and (more := connection.recv(65536)):
                request += more
            self._behave(connection, request, self._over)

    def close(self) -> None:
        self._over.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=5)


def answers(body: bytes, *, status: str = "200 OK", length: int | None = None, head: str = ""):
    def behave(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
        size = len(body) if length is None else length
        lines = f"HTTP/1.1 {status}\r\n{head}Content-Length: {size}\r\nConnection: close\r\n\r\n"
        connection.sendall(lines.encode() + body)

    return behave


def hangs(_connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    over.wait(120)


def hangs_up(_connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
    pass


def drips_its_head(connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    """A slow loris: each byte comes before any timeout of the library."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 1000:
        if over.wait(0.05):
            return
        connection.sendall(bytes([byte]))


def drips_its_body(connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(OFF)}\r\n\r\n"
    connection.sendall(head.encode())
    for byte in OFF:
        if over.wait(0.05):
            return
        connection.sendall(bytes([byte]))


def never_ends(connection: socket.socket, _request: bytes, over: threading.Event) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n[")
    while not over.is_set():
        connection.sendall(b"[" * 1_000_000)


def repeats_what_it_was_sent(
    connection: socket.socket, request: bytes, over: threading.Event
) -> None:
    body = b"<html>debug page: " + request[-160:] + b"</html>"
    answers(body, status="400 Bad Request")(connection, request, over)


def speaks_no_http(connection: socket.socket, _request: bytes, _over: threading.Event) -> None:
    connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")


ODD = [
    pytest.param(hangs, "did not answer in 0.6 s", id="hangs"),
    pytest.param(hangs_up, "cannot be reached", id="hangs up"),
    pytest.param(drips_its_head, "did not answer in 0.6 s", id="slow loris, head"),
    pytest.param(drips_its_body, "did not answer in 0.6 s", id="slow loris, body"),
    pytest.param(never_ends, "more than 4 MiB|did not answer", id="never ends"),
    pytest.param(speaks_no_http, "cannot be reached", id="no HTTP"),
    pytest.param(answers(OFF[:-9]), "is no ", id="truncated"),
    pytest.param(answers(OFF, length=4000), "cannot be reached|is no |answer", id="cut short"),
    pytest.param(answers(b"<html>off</html>"), "is no .*<html>off", id="HTML"),
    pytest.param(answers(b""), "is no ", id="nothing"),
    pytest.param(answers(b"[" * 100_000), "is no ", id="deep"),
    pytest.param(answers(b"\xff\xfe\x00off"), "is no ", id="binary"),
    pytest.param(
        answers(OFF, status="302 Found", head=f"Location: http://u:{SECRET}@evil/?k={SECRET}\r\n"),
        "sends us elsewhere: HTTP 302 to http://evil/",
        id="redirect",
    ),
    pytest.param(repeats_what_it_was_sent, "HTTP 400", id="repeats the request"),
    pytest.param(answers(OFF, status="401 No"), "refuses ", id="401 that says off"),
    pytest.param(answers(OFF, status="500 No"), "HTTP 500", id="500 that says off"),
]


@pytest.fixture
def odd():
    made: list[Odd] = []

    def serve(behave) -> int:
        made.append(Odd(behave))
        return made[-1].port

    yield serve
    for server in made:
        server.close()


def maas(port: int, folder) -> PowerFencer:
    (folder / "key").write_text(f"consumer:token:{SECRET}")
    (folder / "targets").write_text(json.dumps({"h1": {"system_id": "sys-h1"}}))
    access = Access(
        url=f"http://127.0.0.1:{port}/MAAS",
        credentials=folder / "key",
        ca=None,
        timeout_s=TIMEOUT_S,
    )
    return fencer(Maas(access=access, targets=folder / "targets"), Rung.MAAS)


def redfish(port: int, folder) -> PowerFencer:
    entry = {"type": "redfish", "address": f"http://127.0.0.1:{port}", "username": "fence"}
    entry |= {"password": SECRET, "system": "/redfish/v1/Systems/1"}
    (folder / "bmcs").write_text(json.dumps({"h1": entry}))
    return fencer(Redfish(file=folder / "bmcs", timeout_s=TIMEOUT_S), Rung.REDFISH)


def fencer(way, rung: Rung) -> PowerFencer:
    pace = Pace(deadline_s=0.5, interval_s=0.1)
    return PowerFencer(way.reach, rung=rung, pace=pace, clock=SystemClock(), by="engine@test")


@pytest.mark.parametrize("make", [maas, redfish])
@pytest.mark.parametrize(("behave", "words"), ODD)
def test_an_odd_answer_is_an_error_in_time_and_never_off(
    make, behave, words, odd, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    tried = make(odd(behave), tmp_path)
    began_s = time.monotonic()

    for ask in (tried.check, tried.fence):
        with pytest.raises(FenceError, match=words) as caught:
            ask("h1")
        assert SECRET not in str(caught.value)
        assert SENT not in str(caught.value)

    assert time.monotonic() - began_s < 60
    assert SECRET not in caplog.text
    assert SENT not in caplog.text


@pytest.mark.parametrize(
    "answer",
    [b"null", b"[]", b"7", b'"off"', b"{}", b'{"state": null}', b'{"state": ["off"]}'],
)
@pytest.mark.parametrize("make", [maas, redfish])
def test_json_of_another_shape_is_never_off(make, answer, odd, tmp_path):
    tried = make(odd(answers(answer)), tmp_path)

    assert tried.check("h1") != "off"
    with pytest.raises(FenceError):
        tried.fence("h1")


@pytest.mark.parametrize(
    "url", ["http://", "ftp://127.0.0.1/MAAS", "http://[::1", "maas", "http://127.0.0.1:99999/"]
)
def test_a_wrong_address_is_named(url, tmp_path):
    (tmp_path / "key").write_text(f"consumer:token:{SECRET}")
    access = Access(url=url, credentials=tmp_path / "key", ca=None, timeout_s=1)

    with MaasApi(access) as api, pytest.raises(PowerError, match=r"address|reached"):
        api.power_state("sys-h1")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param(b'{"version": "3.5.2"}', "", id="new enough"),
        pytest.param(b'{"version": "2.9.2"}', "is version 2.9.2, older than 3.0", id="too old"),
        pytest.param(b'{"version": "who knows"}', "does not say its version", id="unclear"),
        pytest.param(b"[]", "does not say its version", id="no MAAS"),
    ],
)
def test_the_version_of_maas_is_asked_and_checked(answer, words, odd, tmp_path):
    (tmp_path / "key").write_text(f"consumer:token:{SECRET}")
    url = f"http://127.0.0.1:{odd(answers(answer))}/MAAS"
    access = Access(url=url, credentials=tmp_path / "key", ca=None, timeout_s=5)

    with MaasApi(access) as api:
        if words:
            with pytest.raises(PowerError, match=words):
                api.require_version()
        else:
            assert api.require_version() == "3.5.2"


def test_a_machine_that_maas_cannot_switch_is_named(odd, tmp_path):
    body = b'{"system_id": "sys-h1", "power_type": "manual"}'

    with pytest.raises(FenceError, match="its power type is manual"):
        maas(odd(answers(body)), tmp_path).fence("h1")
