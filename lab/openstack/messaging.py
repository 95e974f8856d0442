# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""RabbitMQ, the message broker of the control plane and of whoever is related to it."""

import base64
import http.client
import json
from urllib.parse import quote

from .. import network, process
from ..errors import LabError
from ..process import Daemon
from . import places
from .places import CONTROL, MESSAGING_API_PORT, MESSAGING_PORT, MESSAGING_USER, PASSWORD

_HOME = CONTROL / "rabbitmq"
_USER = "rabbitmq"
_EVERYTHING = {"configure": ".*", "write": ".*", "read": ".*"}


def daemons() -> tuple[Daemon, Daemon]:
    """Return the processes: Erlang's name server, which would daemonize itself, and the broker."""
    names = Daemon(name="epmd", argv=["epmd"], netns=network.SWITCH, user=_USER)
    broker = Daemon(
        name="rabbitmq",
        argv=["/usr/lib/rabbitmq/bin/rabbitmq-server"],
        netns=network.SWITCH,
        user=_USER,
        env={
            "HOME": str(_HOME),
            "RABBITMQ_NODENAME": "lab@localhost",
            "RABBITMQ_CONFIG_FILE": str(_HOME / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(_HOME / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(_HOME / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(_HOME / "mnesia"),
            "RABBITMQ_LOG_BASE": str(_HOME / "log"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 +sbwt none +sbwtdcpu none",
        },
    )
    return names, broker


def start() -> None:
    """Start the broker; it makes the lab's own account by itself while it boots."""
    places.prepare(_HOME, owner=_USER)
    definitions = _HOME / "definitions.json"
    (_HOME / "rabbitmq.conf").write_text(
        f"listeners.tcp.1 = 0.0.0.0:{MESSAGING_PORT}\n"
        f"management.tcp.port = {MESSAGING_API_PORT}\n"
        "management_agent.disable_metrics_collector = true\n"
        f"load_definitions = {definitions}\n"
        "log.console = true\nlog.console.level = warning\nlog.file = false\n"
        "disk_free_limit.absolute = 50MB\n"
    )
    (_HOME / "plugins").write_text("[rabbitmq_management].\n")
    definitions.write_text(
        json.dumps(
            {
                "vhosts": [{"name": "/"}],
                "users": [{"name": MESSAGING_USER, "password": PASSWORD, "tags": "administrator"}],
                "permissions": [{"user": MESSAGING_USER, "vhost": "/"} | _EVERYTHING],
            }
        )
    )
    for each in daemons():
        process.spawn(each)


def wait_up() -> None:
    """Wait until the broker knows the lab's account and takes connections."""
    process.wait_until(
        _answers, within_s=90, what="RabbitMQ to answer", daemon=daemons()[1], every_s=0.3
    )


def _answers() -> bool:
    try:
        return _request("GET", "health/checks/port-listener/" + str(MESSAGING_PORT)) == 200
    except OSError:
        return False


def ensure_user(user: str, *, password: str, vhost: str) -> None:
    """Make the account and the vhost, and give the account everything in it.

    Raises:
        LabError: if the broker refuses.
    """
    room = quote(vhost, safe="")
    for path, body in (
        (f"users/{quote(user, safe='')}", {"password": password, "tags": ""}),
        (f"vhosts/{room}", {}),
        (f"permissions/{room}/{quote(user, safe='')}", _EVERYTHING),
    ):
        status = _request("PUT", path, body=body)
        if status not in (201, 204):
            raise LabError(
                f"RabbitMQ refused {path} with {status}; read {daemons()[1].log} and try again"
            )


def _request(method: str, path: str, *, body: dict[str, str] | None = None) -> int:
    """Return the status with which the broker's management API answers."""
    word = base64.b64encode(f"{MESSAGING_USER}:{PASSWORD}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
    with network.inside():
        connection = http.client.HTTPConnection("127.0.0.1", MESSAGING_API_PORT, timeout=10)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, f"/api/{path}", body=text, headers=headers)
            return connection.getresponse().status
        finally:
            connection.close()
