# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The driver that masakari-engine starts with (``notification_driver = instance_ha``).

It is Masakari's own, and refuses to be made, or to begin a recovery, while a flow could evacuate
without our fence. Named in masakari.conf, it also keeps an engine from starting that has no
plugin at all.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import masakari.conf
from masakari import exception
from masakari.engine.drivers.taskflow.driver import TaskFlowDriver
from masakari.objects.host import Host

from instance_ha.errors import PolicyError
from masakari_instance_ha import echo, flows, options

if TYPE_CHECKING:
    from masakari.context import RequestContext

logger = logging.getLogger(__name__)

CONF = masakari.conf.CONF


class FencedFlowDriver(TaskFlowDriver):
    """Run Masakari's flows, and none that is not fenced."""

    def __init__(self) -> None:
        """Make ready.

        Raises:
            PolicyError: if a host flow would not fence, so that the engine does not start.
        """
        super().__init__()
        if problem := self._problem():
            raise PolicyError(problem)
        options.register(CONF)
        if CONF.instance_ha.metrics_port:
            echo.listen(CONF.instance_ha.metrics_port)

    def execute_host_failure(
        self,
        context: RequestContext,
        host_name: str,
        recovery_method: str,
        notification_uuid: str,
        **kwargs: Any,  # noqa: ANN401 - theirs
    ) -> None:
        """Recover a host.

        Masakari sets a host on maintenance before it recovers it, and takes no notification of
        such a host. One that could not be recovered is set free, so that it can be notified of.

        Raises:
            HostRecoveryFailureException: if a flow would not fence; whatever the flow raises.
        """
        if problem := self._problem():  # a package may be gone since the engine's start
            _end_maintenance(context, host_name)
            raise exception.HostRecoveryFailureException(message=problem)
        try:
            super().execute_host_failure(
                context, host_name, recovery_method, notification_uuid, **kwargs
            )
        except exception.SkipHostRecoveryException:
            raise
        except exception.MasakariException:
            _end_maintenance(context, host_name)
            raise

    def _problem(self) -> str:
        each = (
            flows.problem(flow, self._taskflow_conf[option])
            for flow, option in flows.OPTIONS.items()
        )
        return next((problem for problem in each if problem), "")


def _end_maintenance(context: RequestContext, host: str) -> None:
    known: Any = Host.get_by_name(context, host)
    known.on_maintenance = False
    known.save()
    logger.info("%s: not on maintenance any more, as its recovery failed", host)
