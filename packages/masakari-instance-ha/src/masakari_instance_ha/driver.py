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

import logging
import os
import threading
from functools import partial

import eventlet
from masakarimonitors.hostmonitor import driver
from oslo_config import cfg

from instance_ha.controller import Controller
from masakari_instance_ha import assembly, duties, exporter, options, spare
from masakari_instance_ha.aside import Aside
from masakari_instance_ha.clock import StoppableClock
from masakari_instance_ha.fencing import targets
from masakari_instance_ha.vitals import ControllerVitals, Sign

logger = logging.getLogger(__name__)

LEASE = "controller"
"""Whoever has the lease of this name acts; the others observe and stand by."""

_LOOK_S = 0.2
_STOP_S = 4.0
"""Pebble kills a service 5 s after it asked it to end."""


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
        self._passes = Sign("the controller began no pass")
        self._figures = journal.figures
        self._observer = assembly.observer(conf)
        self._dumps = assembly.dumps(conf, observer=self._observer, clock=clock)
        cloud = assembly.cloud(conf, clock=clock)
        self._controller = Controller(
            clock=clock,
            observer=self._observer,
            cloud=cloud,
            journal=journal,
            lease=journal.lease(LEASE, holder=conf.instance_ha.unit),
            policy=policy,
            actor=f"controller@{conf.instance_ha.unit}",
            shelf=journal.shelf(),
            dumps=self._dumps,
            duties=duties.build(conf, store=journal, observer=self._observer, cloud=cloud),
        )
        self._spare = spare.SpareRoom(
            partial(spare.count, conf),
            lease=journal.lease(spare.LEASE, holder=conf.instance_ha.unit),
            every_s=conf.instance_ha.spare_interval,
        )
        self._running: Aside[None] | None = None

    def monitor_hosts(self) -> None:
        """Run the controller until :meth:`stop`; end the process if it fails."""
        logger.info("the instance-ha controller starts")
        if port := cfg.CONF.instance_ha.metrics_port:
            listed = cfg.CONF.instance_ha_fencing.targets_file
            own = ControllerVitals(
                self._passes,
                observer=self._observer,
                fence_tests=partial(targets.tested_at_s, listed),
            )
            collectors = (self._figures, own, self._spare)
            if cfg.CONF.instance_ha.spare_interval:
                Aside(partial(self._spare.run, self._stopped), name="spare room")
            exporter.serve(port=port, collectors=collectors, ill=self._passes.ill)
        self._running = Aside(self._run, name="controller")
        while not self._running.over:
            eventlet.sleep(_LOOK_S)  # pyright: ignore[reportArgumentType] - its stub says int
        if self._running.error is not None:
            logger.critical(
                "the instance-ha controller failed; the process ends to be started anew",
                exc_info=self._running.error,
            )
            os._exit(1)

    def stop(self) -> None:
        """End the controller and give up the lease, within a few seconds.

        A pass that hangs in a call is not waited for, and keeps its lease until that runs out:
        given up, another controller would act beside it.
        """
        self._stopped.set()
        if self._running is not None and not self._running.wait(within_s=_STOP_S):
            logger.warning("a call of the controller hangs; the process ends without it")
        self._observer.stop()
        if self._dumps is not None:
            self._dumps.stop()

    def _run(self) -> None:
        self._controller.run(self._ends)

    def _ends(self) -> bool:
        """Return whether the controller shall stop; it asks before each pass."""
        self._passes.seen()
        return self._stopped.is_set()
