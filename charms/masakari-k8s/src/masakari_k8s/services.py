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
    if name == API:
        found["checks"] = {"masakari-api": _api_check()}
        service["on-check-failure"] = {"masakari-api": "restart"}
    return found


def _api_check() -> pebble.CheckDict:
    return {
        "override": "replace",
        "level": "ready",
        "period": "10s",
        "timeout": "5s",
        "threshold": 3,
        "http": {"url": f"http://localhost:{rendering.API_PORT}/healthcheck"},
    }
