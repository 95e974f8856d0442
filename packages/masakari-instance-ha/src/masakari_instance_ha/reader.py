# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read one Consul server: seldom while nothing happens, at once and often when something does.

Two threads share the work. One waits in a blocking query until any host's health changes; the
other asks what the server sees. Consul's catalog is no evidence, for one server writes it alone,
but it changes within 0.1 s of the gossip, so it is a good alarm. Where it is silent, as while a
cluster has no leader, the next regular look finds the change.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha import agreement
from masakari_instance_ha import consul
from masakari_instance_ha.aside import Aside

if TYPE_CHECKING:
    import urllib3

    from instance_ha.model import Network

logger = logging.getLogger(__name__)

ALERT_S = 15.0
"""How long a server is asked often after what it says has changed, or could not be believed."""

_PAUSE_S = 0.5
"""From one blocking query to the next: in a cluster that changes all the time, and with an index
that does not move, they would follow one another without end."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often one server is asked; seconds."""

    alert_s: float = 1.0
    """From one question to the next while something happens."""
    rest_s: float = 5.0
    """The same while nothing happens."""
    budget_s: float = 1.5
    """For the three answers to one question."""
    wait_s: float = 30.0
    """How long one blocking query waits; 0: none is asked, and the rest is as the alert."""


class Reader:
    """Keep the newest answer of one server."""

    def __init__(self, address: consul.Address, *, network: Network, pace: Pace) -> None:
        self.address = address
        self._network = network
        self._pace = pace
        self._stopped = threading.Event()
        self._due = threading.Event()
        self._newest: tuple[float, consul.Answer] | None = None
        self._alert_until_s = float("-inf")
        self._problem: str | None = None
        self.server: str | None = None
        """The server's own name; None until it answered for the first time."""
        self._reading = Aside(self._read_on, name=f"consul-{network}-{address}")
        self._listening = Aside(self._listen, name=f"consul-wake-{network}-{address}")

    def newest(self) -> consul.Answer | None:
        """Return the newest answer, or None if a newer one should be there by now.

        What a thread did not expect is raised here: a reader that ended unseen would leave its
        network unknown for ever.
        """
        for thread in (self._reading, self._listening):
            if thread.error is not None:
                raise thread.error
        newest = self._newest
        if newest is None or time.monotonic() - newest[0] > self._usable_s():
            return None
        return newest[1]

    def stop(self) -> None:
        """Ask no more; a question under way ends by itself."""
        self._stopped.set()
        self._due.set()

    def _usable_s(self) -> float:
        """Return how old an answer may be: until the next one has had its time to come.

        That is 3 s after a change, so one answer alone does not last as long as it must hold.
        """
        return max(self._interval_s(), self._pace.budget_s) + self._pace.budget_s

    def _interval_s(self) -> float:
        resting = self._pace.wait_s > 0 and time.monotonic() >= self._alert_until_s
        return self._pace.rest_s if resting else self._pace.alert_s

    def _read_on(self) -> None:
        with consul.open_session() as session:
            while not self._stopped.is_set():
                self._due.clear()
                asked_s = time.monotonic()
                self._read(session, asked_s)
                self._due.wait(max(0.0, asked_s + self._interval_s() - time.monotonic()))

    def _read(self, session: urllib3.PoolManager, asked_s: float) -> None:
        try:
            answer = consul.ask(
                session,
                address=self.address,
                network=self._network,
                budget_s=self._pace.budget_s,
            )
        except consul.ConsulSilentError as error:
            self._alarm()
            if self._problem is None:
                logger.warning("%s network: %s", self._network, error)
            self._problem = str(error)
            return
        if self._problem is not None:
            logger.info("%s network: consul at %s answers", self._network, self.address)
        self._problem = None
        self.server = answer.view.server
        before = None if self._newest is None else self._newest[1].view.members
        if before != answer.view.members or not agreement.believed(answer.view):
            self._alarm()
        self._newest = (asked_s, answer)

    def _alarm(self) -> None:
        self._alert_until_s = time.monotonic() + ALERT_S

    def _listen(self) -> None:
        """Have the server asked at once when the health of any host changes."""
        if not self._pace.wait_s:
            return
        index = 0
        with consul.open_session() as session:
            while not self._stopped.is_set():
                try:
                    found = consul.wait(
                        session, address=self.address, index=index, wait_s=self._pace.wait_s
                    )
                except consul.ConsulSilentError:  # said by the other thread
                    index = 0
                    self._stopped.wait(self._pace.alert_s * random.uniform(0.5, 1.5))  # noqa: S311
                    continue
                if index and found != index:
                    self._alarm()
                    self._due.set()
                index = found if found >= index else 0  # backwards: the server began anew
                self._stopped.wait(_PAUSE_S)
