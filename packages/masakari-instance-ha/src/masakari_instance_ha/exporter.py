# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The pages of a process: ``/metrics`` for Prometheus, ``/health`` for Pebble's check.

``/metrics`` may ask the database and be slow. ``/health`` is about this process alone and never
is, so that a database that is away does not make a well process look ill.
"""

from __future__ import annotations

import logging
import threading
import time
import wsgiref.simple_server
from typing import TYPE_CHECKING

import prometheus_client
from prometheus_client.exposition import ThreadingWSGIServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

_SLOW_CLIENT_S = 10.0
_PAUSE_S = 5.0


def serve(
    *, port: int, collectors: Iterable[Collector], ill: Callable[[], str], listen: str = ""
) -> None:
    """Serve both pages until the process ends.

    A port that cannot be had is told and costs no more than the pages: who recovers a cloud does
    not stop for want of them.

    Args:
        port: Where to listen.
        collectors: What is measured, beside the process's own memory and time.
        ill: Returns what is wrong with the process; empty while nothing is.
        listen: Address to listen on; empty: all.
    """
    registry = prometheus_client.CollectorRegistry()
    prometheus_client.ProcessCollector(registry=registry)
    for collector in collectors:
        registry.register(collector)
    pages = _pages(prometheus_client.make_wsgi_app(registry), ill=ill)
    try:
        server = wsgiref.simple_server.make_server(
            listen, port, pages, ThreadingWSGIServer, handler_class=_Request
        )
    except OSError as error:
        logger.error(  # noqa: TRY400 - the process goes on without
            "metrics: port %s cannot be had: %s; nothing is measured, see ss -ltnp", port, error
        )
        return
    threading.Thread(target=_answer, args=(server,), name="exporter", daemon=True).start()


def _answer(server: wsgiref.simple_server.WSGIServer) -> None:
    """Answer for ever.

    The server's own loop waits in a poll, which stops every other green thread of masakari-engine.
    A socket's accept stops only its own, there as anywhere.
    """
    while True:
        try:
            request, address = server.get_request()
        except OSError as error:
            logger.warning("metrics: no connection can be taken: %s", error)
            time.sleep(_PAUSE_S)
            continue
        server.process_request(request, address)


class _Request(wsgiref.simple_server.WSGIRequestHandler):
    timeout = _SLOW_CLIENT_S

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - theirs
        """Log nothing: a page is read every few seconds."""


def _pages(metrics: WSGIApplication, *, ill: Callable[[], str]) -> WSGIApplication:
    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            return metrics(environ, start_response)
        status, text = "404 Not Found", "here are /metrics and /health"
        if path == "/health":
            problem = ill()
            status, text = ("503 Service Unavailable", problem) if problem else ("200 OK", "well")
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{text}\n".encode()]

    return answer
