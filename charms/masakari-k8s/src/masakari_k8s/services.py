# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The three services and how Pebble runs them."""

from ops import pebble

from masakari_k8s import plugin, rendering
from masakari_k8s.workload import Box

API, ENGINE, HOSTMONITOR = "masakari-api", "masakari-engine", "masakari-hostmonitor"
NAMES = (API, ENGINE, HOSTMONITOR)
"""The services; each lives in the container of its name."""
CONFIG = {
    API: (rendering.MASAKARI_CONF,),
    ENGINE: (rendering.MASAKARI_CONF, rendering.INSTANCE_HA_CONF),
    HOSTMONITOR: (rendering.MONITORS_CONF, rendering.INSTANCE_HA_CONF),
}
"""Service -> its configuration files, a later one adding to an earlier one."""


def options(name: str) -> list[str]:
    """Return the words that tell a service, or a command beside it, what to read."""
    return [word for path in CONFIG[name] for word in ("--config-file", path)]


def layer(name: str, where: Box, *, digest: str) -> pebble.LayerDict:
    """Return how Pebble shall run a service.

    The API is the command ``masakari-api``: under a WSGI server its calls to the engine time out.

    Args:
        name: The service, which is also its container's name.
        where: Its container.
        digest: Changes whenever the service must start anew. It is part of the layer, so that a
            hook that dies before the restart is made good by the next one.
    """
    service: pebble.ServiceDict = {
        "override": "replace",
        "summary": name,
        "command": " ".join((name, *options(name))),
        "startup": "enabled",
        "environment": {"PYTHONPATH": plugin.LIB, "INSTANCE_HA_DIGEST": digest},
    }
    if where.account:
        service |= {"user": where.account, "group": where.account}
    found: pebble.LayerDict = {"services": {name: service}}
    found["checks"] = {name: _check(name)}
    if name in RESTARTED:
        service["on-check-failure"] = {name: "restart"}
    return found


_HEALTH = {
    API: f"http://localhost:{rendering.API_PORT}/healthcheck",
    ENGINE: f"http://localhost:{rendering.ENGINE_PORT}/health",
    HOSTMONITOR: f"http://localhost:{rendering.CONTROLLER_PORT}/health",
}
RESTARTED = (API, HOSTMONITOR)
"""Who is started anew when it is ill. An engine is not: it may be ill for want of the message
queue, and a recovery under way in it would begin again for nothing."""


def _check(name: str) -> pebble.CheckDict:
    """Return how Pebble, and Kubernetes through it, sees that a service does its work.

    The last two are given a minute: a process that starts on a busy machine does not listen yet.
    """
    return {
        "override": "replace",
        "level": "ready",
        "period": "10s",
        "timeout": "5s",
        "threshold": 3 if name == API else 6,
        "http": {"url": _HEALTH[name]},
    }
