# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether this engine takes work: it calls itself over the message queue and hears the answer.

An engine can stand there with a dead connection, or with every thread taken, and look well to
whoever asks for its process. What answers is oslo.messaging's own ping (``rpc_ping_enabled``), in
the same queue and the same pool of threads as a notification.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

import masakari.conf
import oslo_messaging
from masakari import context, rpc
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from masakari_instance_ha import exporter
from masakari_instance_ha.vitals import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

logger = logging.getLogger(__name__)

CONF = masakari.conf.CONF
_PING = "oslo_rpc_server_ping"


class Echo(Collector):
    """Calls this engine again and again."""

    def __init__(self, *, every_s: float = 10.0, patience_s: float = 60.0) -> None:
        """Make ready.

        Args:
            every_s: Pause between two calls, and what one call may take.
            patience_s: Silence after which the engine counts as ill.
        """
        self._every_s = every_s
        self._answers = Sign("no answer of this engine over the queue", patience_s=patience_s)
        self._ended = threading.Event()
        self._silent = False

    def start(self) -> None:
        """Begin to call, aside."""
        threading.Thread(target=self._call_on, name="echo", daemon=True).start()

    def stop(self) -> None:
        """Call no more; a call that is under way ends by itself."""
        self._ended.set()

    def ill(self) -> str:
        """Return what is wrong; empty while an answer came lately enough."""
        return self._answers.ill()

    def collect(self) -> Iterator[Metric]:
        """Tell how old the newest answer is."""
        yield GaugeMetricFamily(
            "instance_ha_engine_answer_age_seconds",
            "Since this unit's engine answered a call over the message queue.",
            value=self._answers.age_s,
        )

    def _call_on(self) -> None:
        here = oslo_messaging.Target(topic=CONF.masakari_topic, server=CONF.host)
        client: Any = rpc.get_client(here)
        while not self._ended.wait(self._every_s):
            try:
                client.prepare(timeout=self._every_s).call(context.get_admin_context(), _PING)
            except oslo_messaging.MessagingException as error:
                if not self._silent:
                    logger.warning("engine: no answer over the message queue: %r", error)
                self._silent = True
            else:
                if self._silent:
                    logger.info("engine: answers over the message queue again")
                self._silent = False
                self._answers.seen()


def listen(port: int) -> None:
    """Serve the engine's pages, and begin to call it."""
    echo = Echo()
    echo.start()
    exporter.serve(port=port, collectors=[echo], ill=echo.ill)
