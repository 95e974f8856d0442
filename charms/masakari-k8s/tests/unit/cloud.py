# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A cloud around the charm: partners that have said it all, containers of a stock image."""

import dataclasses
import json
import pathlib

import ops
from ops import testing

from charm import MasakariCharm
from masakari_k8s import plugin

ENGINE, API, HOSTMONITOR = "masakari-engine", "masakari-api", "masakari-hostmonitor"
PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"
SECRETS = (
    "db-passw0rd",
    "mq-passw0rd",
    "keystone-passw0rd",
    "maas-consumer:maas-t0ken:maas-s3cret",
)

DATABASE = testing.Relation(
    "database",
    remote_app_name="mysql-router",
    remote_app_data={
        "endpoints": "db:6446",
        "secret-user": "secret:db",
        "database": "masakari_api",
    },
)
AMQP = testing.Relation(
    "amqp",
    remote_app_name="rabbitmq",
    remote_app_data={"hostname": "mq", "password": SECRETS[1]},
)
IDENTITY = testing.Relation(
    "identity-service",
    remote_app_name="keystone",
    remote_app_data={
        "service-credentials": "secret:keystone",
        "internal-auth-url": "http://keystone.internal:5000/v3",
        "public-auth-url": "http://keystone.public:5000/v3",
        "service-domain-name": "service_domain",
        "service-project-name": "services",
    },
)
INGRESS = testing.Relation(
    "ingress-internal",
    remote_app_name="traefik",
    remote_app_data={"ingress": json.dumps({"url": "http://10.70.0.1:8080/openstack-masakari"})},
)
FENCING = testing.Relation(
    "fencing",
    remote_app_name="hacluster-shim",
    remote_app_data={
        "contract": "1",
        "mode": '"maas"',
        "maas_url": '"http://10.71.0.1:5240/MAAS"',
        "credentials": '"secret:maas"',
        "targets": json.dumps({"h1": {"system_id": "sys-h1", "fqdn": "h1.maas", "result": "ok"}}),
    },
)
PEERS = testing.PeerRelation("peers")


def consul(network: str, endpoint: str | None = "consul:8500") -> testing.Relation:
    """Return a Consul cluster of a network; without *endpoint* it has not said where it is."""
    data = {"datacenter": "dc1", "internal_http_endpoint": json.dumps(endpoint)}
    return testing.Relation(
        f"consul-{network}", remote_app_name=f"consul-{network}", remote_app_data=data
    )


STORAGE, TENANT, MANAGEMENT = (
    consul(network, f"{network}.consul:8500") for network in ("storage", "tenant", "management")
)
READY = (DATABASE, AMQP, IDENTITY, INGRESS, FENCING, STORAGE, TENANT, MANAGEMENT, PEERS)


def secret(secret_id: str, **content: str) -> testing.Secret:
    """Return a secret that a partner granted us."""
    named = {key.replace("_", "-"): value for key, value in content.items()}
    return testing.Secret(named, id=f"secret:{secret_id}")


GRANTED = (
    secret("db", username="db-user", password=SECRETS[0]),
    secret("keystone", username="svc_masakari-1", password=SECRETS[2]),
    secret("maas", api_key=SECRETS[3]),
)


class Cloud:
    """One unit of the charm, run event by event; what it did stays."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.plugin = root / "plugin" / "instance_ha" / "model.py"
        self.plugin.parent.mkdir(parents=True)
        self.plugin.write_text("")
        (root / "passwd").write_text("root:x:0:0::/:/bin/sh\nmasakari:x:64060:64060::/:/bin/sh\n")
        (root / "group").write_text("root:x:0:\nmasakari:x:64060:\n")
        self.context = testing.Context(MasakariCharm, charm_root=root)
        self.replans: list[str] = []
        self.check_fails_in: set[str] = set()
        self.migration_fails = False
        self.answer = "[]"
        """What the command beside the controller writes, well or not."""
        self.complaint = "fence_host_task cannot be loaded: no module named requests_oauthlib"

    def state(
        self,
        *relations: testing.RelationBase,
        secrets: tuple[testing.Secret, ...] = GRANTED,
        leader: bool = True,
        config: dict[str, str | int | bool] | None = None,
    ) -> testing.State:
        """Return a world with *relations*, or with all of them where none is named."""
        return testing.State(
            leader=leader,
            config=config or {},
            relations=relations or READY,
            secrets=secrets,
            containers={self.container(name) for name in (API, ENGINE, HOSTMONITOR)},
        )

    def container(self, name: str) -> testing.Container:
        """Return a container of a stock image."""
        mounts = {
            name: testing.Mount(location=f"/etc/{name}", source=self.root / name)
            for name in ("passwd", "group")
        }
        for place in ("etc/masakari", "opt/instance-ha"):  # what is not mounted is lost each time
            kept = self.root / "containers" / name / place
            kept.mkdir(parents=True, exist_ok=True)
            mounts[place.replace("/", "-")] = testing.Mount(location=f"/{place}", source=kept)
        return testing.Container(name, can_connect=True, mounts=mounts, execs=self.execs(name))

    def execs(self, container: str) -> set[testing.Exec]:
        """Return what the commands of an image answer."""
        broken = container in self.check_fails_in
        return {
            testing.Exec(["python3", "-c"], stdout="22.0.0\n"),
            testing.Exec(
                [
                    plugin.COMMAND,
                    "--config-file",
                    "/etc/masakari/instance-ha-store.conf",
                    "db-sync",
                ]
            ),
            testing.Exec(
                ["masakari-manage"],
                return_code=int(self.migration_fails),
                stderr="cannot reach mysql://db-user:db-passw0rd@db:6446",
            ),
            testing.Exec(
                [plugin.COMMAND],
                return_code=int(broken),
                stderr=self.complaint if broken else "",
                stdout=self.answer if not broken or self.answer != "[]" else "",
            ),
        }

    def again(self, state: testing.State) -> testing.State:
        """Return *state* with the commands answering as they do now."""
        containers = {
            dataclasses.replace(container, execs=self.execs(container.name))
            for container in state.containers
        }
        return dataclasses.replace(state, containers=containers)

    def run(self, state: testing.State) -> testing.State:
        """Let the charm see *state*."""
        return self.context.run(self.context.on.update_status(), self.again(state))

    def commands(self, container: str) -> list[str]:
        """Return what was executed in a container, program and words."""
        history = self.context.exec_history.get(container, [])
        return [" ".join(args.command).rpartition("/opt/instance-ha/bin/")[2] for args in history]

    def file(self, container: str, name: str) -> str | None:
        """Return a file below /etc/masakari as it is in a container now."""
        return self.path(container, f"etc/masakari/{name}")

    def files(self) -> dict[str, str]:
        """Return every file below /etc/masakari of every container, by path."""
        home = self.root / "containers"
        return {
            str(path.relative_to(home)): path.read_text()
            for path in home.glob("*/etc/masakari/*")
            if path.is_file()
        }

    def path(self, container: str, path: str) -> str | None:
        """Return a file of ours as it is in a container now."""
        file = self.root / "containers" / container / path
        return file.read_text() if file.exists() else None


def running(state: testing.State) -> set[str]:
    """Return the services that are up."""
    return {
        name
        for container in state.containers
        for name, status in container.service_statuses.items()
        if status == ops.pebble.ServiceStatus.ACTIVE
    }


def without(*endpoints: str) -> tuple[testing.RelationBase, ...]:
    """Return every relation but those of *endpoints*."""
    return tuple(relation for relation in READY if relation.endpoint not in endpoints)


def changed(relation: testing.Relation, **data: str | None) -> testing.Relation:
    """Return *relation* with other values in the partner's databag; None takes a key out."""
    named = {
        key.replace("_", "-") if "-" not in key else key: value for key, value in data.items()
    }
    bag = {**relation.remote_app_data, **named}
    return dataclasses.replace(
        relation, remote_app_data={key: value for key, value in bag.items() if value is not None}
    )


def instead(*relations: testing.Relation) -> tuple[testing.RelationBase, ...]:
    """Return every relation, with *relations* in the place of those of the same endpoints."""
    return (*without(*(relation.endpoint for relation in relations)), *relations)
