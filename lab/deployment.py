# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Deploy the product beside its partners, by juju's own commands, and speak to it.

Everything here goes through the ``juju`` command line, so that the same steps run against a real
controller.
"""

import contextlib
import dataclasses
import json
import pathlib
import shlex
import shutil
import sys
from collections.abc import Generator, Sequence
from typing import Any

import jubilant

from . import consul, host, juju, network
from .host import Host
from .maas import API_KEY, URL
from .openstack import places
from .paths import REPOSITORY, STATE
from .process import deadline, run

MASAKARI = "masakari"
SHIM = "hacluster-shim"
MONITORS = "masakari-monitors"
HYPERVISOR = "openstack-hypervisor"
SEGMENT = "lab"
PARTNERS = pathlib.Path(__file__).parent / "partners"
STAGE = STATE / "charms"
PRODUCT = ("masakari-k8s", "masakari-monitors", "hacluster-shim")
CREDENTIALS = "maas-credentials"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Application:
    """One ``juju deploy``."""

    name: str
    charm: str
    config: dict[str, str | int | bool] = dataclasses.field(default_factory=dict)
    bind: dict[str, str] = dataclasses.field(default_factory=dict)


MASAKARI_CONFIG: dict[str, str | int | bool] = {
    "return-after": 5,
    "duplicate-window": 10,
    "enrol-rule": "off",
}
"""A host that is back returns to work at once, and may be lost again at once by the next story;
the lab enrols its hosts itself, however long its bring-up takes."""

DISKS: dict[places.Profile, str] = {"light": "shared", "full": "ask"}
"""Nova's fake driver says of every disk that it is not there; Ceph's pool is really asked."""

INTEGRATIONS = (
    (f"{MASAKARI}:database", "mysql:database"),
    (f"{MASAKARI}:amqp", "rabbitmq:amqp"),
    (f"{MASAKARI}:identity-service", "keystone:identity-service"),
    (f"{MASAKARI}:receive-ca-cert", "keystone:send-ca-cert"),
    (f"{MASAKARI}:ingress-internal", "traefik:ingress"),
    (f"{MASAKARI}:consul-management", "consul-management:consul-cluster"),
    (f"{MASAKARI}:consul-tenant", "consul-tenant:consul-cluster"),
    (f"{MASAKARI}:consul-storage", "consul-storage:consul-cluster"),
    (f"{MASAKARI}:fencing", f"{SHIM}:fencing"),
    (f"{MONITORS}:container", f"{HYPERVISOR}:juju-info"),
    (f"{MONITORS}:identity-credentials", "keystone:identity-credentials"),
    (f"{MONITORS}:receive-ca-cert", "keystone:send-ca-cert"),
    (f"{SHIM}:juju-info", f"{HYPERVISOR}:juju-info"),
    (f"{SHIM}:hypervisors", f"{MONITORS}:hypervisor"),
)


def applications() -> tuple[Application, ...]:
    """Return what is deployed besides the hypervisors' principal."""
    clusters = tuple(
        Application(
            name=f"consul-{name}",
            charm="consul",
            config={"http-endpoint": consul.http_address(network.network(name))},
        )
        for name in ("management", "tenant", "storage")
    )
    return (
        Application(
            name="keystone",
            charm="keystone",
            config={"auth-url": places.AUTH_URL, "admin-password": places.PASSWORD},
        ),
        Application(name="mysql", charm="mysql", config={"root-password": places.PASSWORD}),
        Application(
            name="rabbitmq",
            charm="rabbitmq",
            config={
                "admin-user": places.MESSAGING_USER,
                "admin-password": places.PASSWORD,
                "management-port": places.MESSAGING_API_PORT,
            },
        ),
        Application(name="traefik", charm="traefik"),
        *clusters,
        Application(
            name=MASAKARI,
            charm="masakari-k8s",
            config={**MASAKARI_CONFIG, "instance-disks": DISKS[places.current_profile()]},
        ),
        Application(name=MONITORS, charm="masakari-monitors", bind={"storage": "storage"}),
        Application(name=SHIM, charm="hacluster-shim", config={"maas-url": URL}),
    )


def stage() -> None:
    """Make the charms' trees: ours by the project's own staging, the partners as they are."""
    for charm in PRODUCT:
        run(
            [sys.executable, REPOSITORY / "tools" / "stage.py", charm, "--output", STAGE],
            within_s=300,
        )
    for partner in PARTNERS.iterdir():
        if partner.is_dir():
            shutil.copytree(partner, STAGE / partner.name, dirs_exist_ok=True)


def prepare_machines(hosts: Sequence[Host]) -> None:
    """Give each host what MAAS would: who it is there."""
    for each in hosts:
        host.write(each, "/var/lib/cloud/data/instance-id", f"sys-{each.name}\n")
        source = f"DataSourceMAAS: DataSourceMAAS [{URL}/metadata/]\n"
        host.write(each, "/var/lib/cloud/instance/datasource", source)


def ensure_up(hosts: Sequence[Host]) -> None:
    """Deploy and relate everything that is not there yet, and wait until all of it is active."""
    prepare_machines(hosts)
    stage()
    client = juju.ensure_up()
    present = set(client.status().apps)
    machines = [str(each.number - 1) for each in hosts]
    if HYPERVISOR not in present:
        client.deploy(STAGE / HYPERVISOR, HYPERVISOR, num_units=len(hosts), to=machines)
    secret = _ensure_secret(client)
    for app in applications():
        if app.name in present:
            continue
        client.deploy(STAGE / app.charm, app.name, config=app.config, bind=app.bind or None)
    client.grant_secret(secret, SHIM)
    client.config(SHIM, {CREDENTIALS: secret})
    for one, other in INTEGRATIONS:
        _ensure_integrated(client, one, other)
    wait_active(client)


def _ensure_secret(client: jubilant.Juju) -> str:
    known = {secret.name: secret.uri for secret in client.secrets()}
    return str(known.get(CREDENTIALS) or client.add_secret(CREDENTIALS, {"api-key": API_KEY}))


def _ensure_integrated(client: jubilant.Juju, one: str, other: str) -> None:
    app, _, endpoint = one.partition(":")
    related = client.status().apps[app].relations.get(endpoint, [])
    if other.partition(":")[0] not in {relation.related_app for relation in related}:
        client.integrate(one, other)


def wait_active(client: jubilant.Juju, *, within_s: float = 300) -> None:
    """Wait until every unit is active and nothing is left to do."""
    client.wait(
        lambda status: jubilant.all_active(status) and jubilant.all_agents_idle(status),
        error=jubilant.any_error,
        timeout=deadline(within_s),
        delay=0.5,
        successes=2,
    )


@contextlib.contextmanager
def option(client: jubilant.Juju, name: str, value: str | int) -> Generator[None]:
    """Set an option of the product's charm while the block lasts; all hosts are to be up."""
    client.config(MASAKARI, {name: value})
    wait_active(client)
    try:
        yield
    finally:
        client.config(MASAKARI, reset=[name])
        wait_active(client)


def units(client: jubilant.Juju) -> Sequence[str]:
    """Return the names of the product's units."""
    return tuple(client.status().apps[MASAKARI].units)


def ensure_enrolled(client: jubilant.Juju, hosts: Sequence[Host], *, method: str = "auto") -> None:
    """Put the hosts into one failover segment, as an operator does after deploying."""
    segments = {segment["name"] for segment in instance_ha(client, "segment", "list")}
    if SEGMENT not in segments:
        client.run(f"{MASAKARI}/0", "create-segment", {"name": SEGMENT, "recovery-method": method})
    enrolled = {known["name"] for known in instance_ha(client, "host", "list")}
    for each in hosts:
        if each.name not in enrolled:
            client.run(f"{MASAKARI}/0", "add-host", {"segment": SEGMENT, "host": each.name})


def instance_ha(client: jubilant.Juju, *words: str) -> Any:
    """Return what the product's own command says, run where it runs in production."""
    command = ["/opt/instance-ha/bin/instance-ha", "--format", "json", *words]
    # A shell reads there what ssh puts together with spaces.
    line = shlex.join(command)
    answer = client.ssh(f"{MASAKARI}/0", line, container="masakari-hostmonitor")
    return json.loads(answer)
