# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

import concurrent.futures
import contextlib
import http.server
import json
import threading
import time


class MaasServer(http.server.ThreadingHTTPServer):
    """A MAAS of one test: machines, faults, and how many are asked at the same time."""

    daemon_threads = True

    def __init__(self, count: int, *, delay_s: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.machines = [f"sys-{number}" for number in range(count)]
        self.delay_s = delay_s
        self.answers: dict[str, tuple[int, object]] = {}
        self.seen: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.counting = threading.Lock()

    @contextlib.contextmanager
    def serving(self):
        """Answer until the block is over."""
        with concurrent.futures.ThreadPoolExecutor(max_workers=1) as pool, self:
            pool.submit(self.serve_forever, poll_interval=0.02)
            try:
                yield self
            finally:
                self.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/MAAS"

    def answer(self, path: str) -> tuple[int, object]:
        if path in self.answers:
            return self.answers[path]
        if path == "users/?op=whoami":
            return 200, {"username": "fencing", "is_superuser": True}
        if path == "machines/":
            rows = [
                {"system_id": name, "hostname": name, "fqdn": f"{name}.m", "power_type": "ipmi"}
                for name in self.machines
            ]
            return 200, rows
        return 200, {"state": "on"}


class Handler(http.server.BaseHTTPRequestHandler):
    server: MaasServer

    def do_GET(self):
        with self.server.counting:
            self.server.seen.append(self.headers["Authorization"])
            self.server.at_once += 1
            self.server.most_at_once = max(self.server.most_at_once, self.server.at_once)
        time.sleep(self.server.delay_s)
        status, body = self.server.answer(self.path.removeprefix("/MAAS/api/2.0/"))
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        with self.server.counting:
            self.server.at_once -= 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass
