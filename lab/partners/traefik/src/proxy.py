# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A reverse proxy by path prefix: ``proxy.py PORT ROUTES.json``.

The routes are ``{"/prefix": ["http://host:port", ...]}``, an address for each unit.
"""

from __future__ import annotations

import http.client
import http.server
import json
import pathlib
import sys
import time
import urllib.parse
from collections.abc import Sequence

SKIPPED = {"connection", "transfer-encoding", "host", "content-length"}
CONNECT_S = 2.0
ANSWER_S = 60.0


class Units:
    """Which units could not be reached, and when: they are asked last."""

    def __init__(self) -> None:
        self._failed_s: dict[str, float] = {}

    def in_order(self, urls: Sequence[str]) -> Sequence[str]:
        """Return the units that never failed first, then those that failed longest ago."""
        return sorted(urls, key=lambda url: self._failed_s.get(url, 0.0))

    def connect(self, urls: Sequence[str]) -> http.client.HTTPConnection:
        """Return a connection to the first unit that takes one.

        Raises:
            OSError: of the last unit, if none does.
        """
        refused = OSError("no unit")
        for url in self.in_order(urls):
            place = urllib.parse.urlsplit(url)
            connection = http.client.HTTPConnection(str(place.netloc), timeout=CONNECT_S)
            try:
                connection.connect()
            except OSError as error:
                self._failed_s[url] = time.monotonic()
                refused = error
                continue
            self._failed_s.pop(url, None)
            connection.sock.settimeout(ANSWER_S)
            return connection
        raise refused


class Proxy(http.server.BaseHTTPRequestHandler):
    """Hand each request on, path kept, to a unit of what owns the longest prefix."""

    protocol_version = "HTTP/1.1"
    routes: pathlib.Path
    units = Units()

    def _relay(self) -> None:
        table = json.loads(self.routes.read_text())
        prefixes = sorted((p for p in table if self.path.startswith(p)), key=len)
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size) if size else None
        if not prefixes:
            self._answer(404, {}, b"no route")
            return
        sent = {k: v for k, v in self.headers.items() if k.lower() not in SKIPPED}
        try:
            connection = self.units.connect(table[prefixes[-1]])
            connection.request(self.command, self.path, body=body, headers=sent)
            answer = connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._answer(502, {}, str(error).encode())
            return
        connection.close()
        self._answer(answer.status, dict(answer.headers), told)

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
