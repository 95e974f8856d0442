# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What it costs to watch 100 hosts on three networks while nothing happens."""

from __future__ import annotations

import http.server
import json
import multiprocessing
import threading
import time

import pytest

from instance_ha.model import Network
from masakari_instance_ha.consul import Address
from masakari_instance_ha.observer import Cluster, ConsulObserver

HOSTS = 100
SERVERS = 3
SETTLE_S = 25.0
MEASURE_S = 30.0
PORT = 18500

pytestmark = pytest.mark.bench


def serve(network: int, ready) -> None:
    """Answer as the servers of one network do, in a process of its own."""
    members = [
        {"Name": f"node-{k:03}", "Addr": f"10.71.{k // 250}.{k % 250}", "Port": 8301, "Status": 1,
         "Tags": {"dc": "dc1", "role": "node", "id": "8d2f0b5c-6a3e-4c9b-9d0a-0c2f5f1f9e11",
                  "build": "1.19.2", "segment": "", "vsn": "2"}}
        for k in range(HOSTS)
    ] + [
        {"Name": f"consul-{k}", "Addr": f"127.0.{network + 2}.{k}", "Port": 8301, "Status": 1,
         "Tags": {"dc": "dc1", "role": "consul"}}
        for k in range(1, SERVERS + 1)
    ]  # fmt: skip
    listed = json.dumps(members).encode()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            if "index=1&" in self.path:
                time.sleep(float(self.path.rpartition("wait=")[2].removesuffix("s")))
            body = listed if "members" in self.path else b"[]"
            if "self" in self.path:
                stats = {"serf_lan": {"health_score": "0"}, "pad": "x" * 8000}
                name = f"consul-{self.server.server_address[0].rpartition('.')[2]}"
                body = json.dumps({"Config": {"NodeName": name}, "Stats": stats}).encode()
            self.send_response(200)
            self.send_header("X-Consul-Index", "1")
            self.send_header("X-Consul-KnownLeader", "true")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_request(self, *_: object) -> None:
            """Keep quiet."""

    servers = [
        http.server.ThreadingHTTPServer((f"127.0.{network + 2}.{k}", PORT), Handler)
        for k in range(1, SERVERS + 1)
    ]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ready.set()
    servers[0].serve_forever()


def test_cpu_at_rest(capsys: pytest.CaptureFixture[str]):
    processes = []
    for number in range(len(Network)):
        ready = multiprocessing.Event()
        processes.append(multiprocessing.Process(target=serve, args=(number, ready), daemon=True))
        processes[-1].start()
        assert ready.wait(20)
    observer = ConsulObserver(
        [
            Cluster(network, [Address(host=f"127.0.{number + 2}.1", port=PORT)])
            for number, network in enumerate(Network)
        ]
    )
    try:
        spent_s = watch(observer)
    finally:
        observer.stop()
        for process in processes:
            process.kill()

    assert len(observer.observe()) in (0, HOSTS)
    with capsys.disabled():
        share = 100 * spent_s / MEASURE_S
        print(f"\nrest  {HOSTS} hosts, {len(Network)} networks: {share:.2f} % of a core", end=" ")  # noqa: T201


def watch(observer: ConsulObserver) -> float:
    """Look every second; return the CPU time of the time that is measured."""
    began_s = spent_s = 0.0
    for second in range(int(SETTLE_S + MEASURE_S)):
        if second == SETTLE_S:
            spent_s, began_s = time.process_time(), time.monotonic()
        seen = observer.observe()
        time.sleep(1.0)
    assert len(seen) == HOSTS
    return (time.process_time() - spent_s) * MEASURE_S / (time.monotonic() - began_s)
