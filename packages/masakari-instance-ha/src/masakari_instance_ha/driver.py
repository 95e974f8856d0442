# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The driver that masakari-hostmonitor loads (``monitoring_driver = instance_ha``).

The process belongs to upstream, whose manager runs the driver in a green thread of an event loop
that nothing else feeds: masakari-hostmonitor is not monkey-patched. Three things follow.

* The controller runs in a thread of its own. A call that blocks there, for example of a database,
  leaves the loop free to take signals; where a process *is* patched, the thread is a green one.
* :meth:`InstanceHaDriver.monitor_hosts` waits for that thread with the sleep of the event loop.
* An error that the controller does not expect ends the process. The manager would log it and
  return, and the process would stand there for ever, watching nothing and looking well. Raising
  ``SystemExit`` is no way out: the launcher catches it and ends with code 0. So the driver leaves
  as the manager itself does when a driver cannot be loaded, by ``os._exit(1)``, and the service
  manager starts it anew. The lease runs out by itself.
"""

from __future__ import annotations

import concurrent.futures
import logging
import os
import threading
import time

import eventlet
from masakarimonitors.hostmonitor import driver
from oslo_config import cfg

from instance_ha.controller import Controller
from masakari_instance_ha import assembly, options

logger = logging.getLogger(__name__)

LEASE = "controller"
"""Whoever has the lease of this name acts; the others observe and stand by."""

_LOOK_S = 0.2
_STOP_S = 4.0
"""Pebble kills a service 5 s after it asked it to end."""


class StoppableClock:
    """The machine's time; whoever sleeps wakes when the driver stops."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped

    def now_s(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait, or return at once when the driver stops."""
        self._stopped.wait(seconds)


class InstanceHaDriver(driver.DriverBase):
    """Run the controller inside masakari-hostmonitor."""

    def __init__(self) -> None:
        """Make every part of the process's options.

        Raises:
            InstanceHaError: if an option is missing or wrong; the manager logs it and exits.
        """
        super().__init__()
        conf = cfg.CONF
        options.register(conf)
        self._stopped = threading.Event()
        clock = StoppableClock(self._stopped)
        policy = assembly.policy(conf)
        journal = assembly.journal(conf)
        self._cloud = assembly.cloud(conf, clock=clock)
        self._observer = assembly.observer(conf)
        self._controller = Controller(
            clock=clock,
            observer=self._observer,
            cloud=self._cloud,
            journal=journal,
            lease=journal.lease(LEASE, holder=conf.instance_ha.unit),
            policy=policy,
            actor=f"controller@{conf.instance_ha.unit}",
        )
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="controller")
        self._running: concurrent.futures.Future[None] | None = None

    def monitor_hosts(self) -> None:
        """Run the controller until :meth:`stop`; end the process if it fails."""
        logger.info("the instance-ha controller starts")
        self._running = self._pool.submit(self._controller.run, self._stopped.is_set)
        while not self._running.done():
            eventlet.sleep(_LOOK_S)
        if error := self._running.exception():
            logger.critical(
                "the instance-ha controller failed; the process ends to be started anew",
                exc_info=error,
            )
            os._exit(1)

    def stop(self) -> None:
        """End the controller and give up the lease, within a few seconds.

        A pass that hangs in a call is not waited for, and keeps its lease until that runs out:
        given up, another controller would act beside it.
        """
        self._stopped.set()
        if self._running is not None:
            concurrent.futures.wait([self._running], timeout=_STOP_S)
        self._pool.shutdown(wait=False)
        self._observer.stop()
        self._cloud.stop()
