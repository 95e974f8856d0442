# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The lab's ingress reaches whichever unit of an application is there."""

import http.client
import http.server
import json
import runpy
import socket
import threading

import pytest

from lab import paths

SOURCE = paths.REPOSITORY / "lab/partners/traefik/src/proxy.py"


class Unit(http.server.BaseHTTPRequestHandler):
    """Answers with its own port, the path it was asked for, and what it was sent."""

    def do_POST(self):
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        told = json.dumps([self.server.server_port, self.path, sent]).encode()
        self.send_response(202)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_request(self, *_):
        """Keep quiet."""


@pytest.fixture
def serve():
    """Run HTTP servers of a handler until the test is over."""
    running = []

    def start(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        running.append((server, thread))
        return server

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def gone():
    """Return the address of a unit that is not there any more."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.fixture
def ask(serve, tmp_path):
    """Ask a proxy that routes /lab-masakari to some units."""
    proxy = runpy.run_path(str(SOURCE))["Proxy"]
    proxy.log_request = lambda *_: None
    proxy.routes = tmp_path / "routes.json"
    port = serve(proxy).server_port

    def send(*units, path="/lab-masakari/v1/hosts"):
        proxy.routes.write_text(json.dumps({"/lab-masakari": units}))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", path, body="hello")
        answer = connection.getresponse()
        status, body = answer.status, answer.read()
        connection.close()
        return status, body

    return send


def address(server):
    return f"http://127.0.0.1:{server.server_port}"


def test_a_request_goes_to_a_unit_whole(ask, serve):
    unit = serve(Unit)

    status, body = ask(address(unit))

    assert status == 202
    assert json.loads(body) == [unit.server_port, "/lab-masakari/v1/hosts", "hello"]


def test_a_unit_that_is_gone_costs_no_request(ask, serve, gone):
    unit = serve(Unit)

    answers = [ask(gone, address(unit))[0] for _ in range(3)]

    assert answers == [202, 202, 202]


def test_a_unit_that_could_not_be_reached_is_asked_last(ask, serve, gone):
    stays, returns = serve(Unit), None
    ask(gone, address(stays))
    returns = http.server.ThreadingHTTPServer(
        ("127.0.0.1", int(gone.rpartition(":")[2])), Unit, bind_and_activate=True
    )

    _, body = ask(gone, address(stays))

    returns.server_close()
    assert json.loads(body)[0] == stays.server_port


def test_no_unit_at_all_is_told_as_such(ask, gone):
    assert ask(gone)[0] == 502
    assert ask()[0] == 502


def test_a_path_that_nobody_owns_is_not_found(ask, gone):
    assert ask(gone, path="/else")[0] == 404
