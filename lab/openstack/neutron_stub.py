# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The least of Neutron's API that Nova asks for when no server has a port.

Run as a script: ``neutron_stub.py PORT``.
"""

import http
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class EmptyNetworks(BaseHTTPRequestHandler):
    """Answer every list with an empty one, and refuse to make anything."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Say which version this is, or list nothing of what was asked for."""
        kind = self.path.partition("?")[0].rstrip("/").rpartition("/")[2].removesuffix(".json")
        if kind:
            self._answer({kind.replace("-", "_"): []})
            return
        link = {"rel": "self", "href": f"http://{self.headers['Host']}/v2.0/"}
        self._answer({"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]})

    def do_POST(self) -> None:
        """Refuse."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._answer({}, status=http.HTTPStatus.NOT_FOUND)

    do_PUT = do_DELETE = do_POST  # noqa: N815 - http.server names them

    def _answer(self, body: object, *, status: int = http.HTTPStatus.OK) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


if __name__ == "__main__":
    ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), EmptyNetworks).serve_forever()
