# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The daemons of the control plane that speak OpenStack's APIs, and Nova's workers behind them."""

import dataclasses
import http.client
import pathlib
import sys
from collections.abc import Sequence

from .. import network, paths, process
from ..process import Daemon
from . import places
from .places import ETC

_STUB = pathlib.Path(__file__).with_name("neutron_stub.py")
_QUIET = {"PYTHONWARNINGS": "ignore"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Api:
    """One OpenStack API: its process, its port, its entry in the catalogue."""

    name: str
    type: str
    port: int
    path: str = ""
    module: str | None = None
    """WSGI application that uwsgi loads; None for the lab's own stub."""

    @property
    def url(self) -> str:
        """The address in the catalogue."""
        return f"http://{places.ADDRESS}:{self.port}{self.path}"

    @property
    def daemon(self) -> Daemon:
        """Its process."""
        if self.module is None:
            argv: list[str] = [sys.executable, str(_STUB), str(self.port)]
        else:
            argv = uwsgi("--module", self.module, port=self.port, venv=paths.openstack_venv())
        directory = {f"OS_{self.name.upper()}_CONFIG_DIR": str(ETC / self.name)}
        return Daemon(
            name=f"{self.name}-api", argv=argv, netns=network.SWITCH, env=_QUIET | directory
        )


def uwsgi(*application: str, port: int, venv: pathlib.Path) -> list[str]:
    """Return the command that serves an application, named by uwsgi's own options, on *port*."""
    # Without post-buffering and "Connection: close" uwsgi resets a POST that the application
    # refuses before it has read the body.
    return [
        str(venv / "bin/uwsgi"),
        *("--master", "--die-on-term", "--lazy-apps", "--need-app", "--enable-threads"),
        *("--processes", "1", "--threads", "8", "--disable-logging"),
        *("--buffer-size", "65535", "--post-buffering", "65536"),
        *("--add-header", "Connection: close"),
        *("--http-socket", f"0.0.0.0:{port}", *application),
    ]


KEYSTONE = Api(
    name="keystone",
    type="identity",
    port=places.KEYSTONE_PORT,
    path="/v3",
    module="keystone.wsgi.api:application",
)
PLACEMENT = Api(
    name="placement",
    type="placement",
    port=places.PLACEMENT_PORT,
    module="placement.wsgi.api:application",
)
GLANCE = Api(
    name="glance",
    type="image",
    port=places.GLANCE_PORT,
    module="glance.wsgi.api:application",
)
NOVA = Api(
    name="nova",
    type="compute",
    port=places.NOVA_PORT,
    path="/v2.1",
    module="nova.wsgi.osapi_compute:application",
)
NEUTRON = Api(name="neutron", type="network", port=places.NEUTRON_PORT)
APIS = (KEYSTONE, PLACEMENT, GLANCE, NOVA, NEUTRON)


def workers() -> tuple[Daemon, ...]:
    """Return Nova's daemons that have no API of their own."""
    return tuple(
        Daemon(
            name=name,
            argv=[paths.openstack(name), "--config-file", ETC / "nova/nova.conf"],
            netns=network.SWITCH,
            env=_QUIET,
        )
        for name in ("nova-conductor", "nova-scheduler")
    )


def ensure_up(apis: Sequence[Api]) -> None:
    """Start *apis* side by side and wait until each one answers."""
    for api in apis:
        process.spawn(api.daemon)
    for api in apis:
        process.wait_until(
            lambda port=api.port: answers(port),
            within_s=120,
            what=f"{api.name} to answer",
            daemon=api.daemon,
            every_s=0.3,
        )


def answers(port: int) -> bool:
    """Say whether an application answers there; uwsgi's port is open long before it does."""
    with network.inside():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
