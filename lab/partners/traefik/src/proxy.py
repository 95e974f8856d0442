# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A reverse proxy by path prefix: ``proxy.py PORT ROUTES.json`` with {"/prefix": "http://host:port"}."""

from __future__ import annotations

import http.server
import json
import pathlib
import sys
import urllib.error
import urllib.request

SKIPPED = {"connection", "transfer-encoding", "host", "content-length"}


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hand each request on, path kept, to the application that owns the longest prefix."""

    protocol_version = "HTTP/1.1"
    routes: pathlib.Path

    def _relay(self) -> None:
        table = json.loads(self.routes.read_text())
        prefixes = sorted((p for p in table if self.path.startswith(p)), key=len)
        if not prefixes:
            self._answer(404, {}, b"no route")
            return
        size = int(self.headers.get("Content-Length", 0))
        request = urllib.request.Request(  # noqa: S310 - the route's own scheme
            table[prefixes[-1]] + self.path,
            data=self.rfile.read(size) if size else None,
            method=self.command,
            headers={k: v for k, v in self.headers.items() if k.lower() not in SKIPPED},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - as above
                self._answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            self._answer(error.code, dict(error.headers), error.read())
        except urllib.error.URLError as error:
            self._answer(502, {}, str(error.reason).encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in SKIPPED:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _relay  # noqa: N815


if __name__ == "__main__":
    Proxy.routes = pathlib.Path(sys.argv[2])
    http.server.ThreadingHTTPServer(("0.0.0.0", int(sys.argv[1])), Proxy).serve_forever()
