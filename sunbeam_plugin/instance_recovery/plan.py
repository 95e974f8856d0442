# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is deployed where: the plan's variables, its applications and its offers; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .networks import AGENT_PORT, SERVER_PORT, Network
from .ports import CharmFile, Model
from .settings import Fencing
from .survey import CERTIFICATES_OFFER, KEYSTONE_OFFER

if TYPE_CHECKING:
    import pathlib

PLAN = "instance-recovery-plan"
"""Sunbeam's name of the plan."""
VARIABLES_KEY = "TerraformVarsInstanceRecovery"
"""Where Sunbeam keeps its variables."""

MASAKARI, MONITORS, SHIM = "masakari", "masakari-monitors", "hacluster-shim"
MAAS_SECRET, BMC_SECRET = "instance-recovery-maas", "instance-recovery-bmcs"
IMAGE = "ghcr.io/canonical/masakari-consolidated:2026.1-24.04_edge"
"""The stock image; only charms from files have to be told."""

OURS: Mapping[str, str] = {"masakari-k8s": "masakari", MONITORS: "monitors", SHIM: "shim"}
"""Charm of ours -> how the plan's variables call it."""
PUBLISHED: frozenset[str] = frozenset()
"""Those of them that are in a store; other charms there have the same names."""

TFVAR_MAP: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "charms": {
        charm: {
            "charm": f"{name}-charm",
            "channel": f"{name}-channel",
            "revision": f"{name}-revision",
            "config": f"{name}-config",
        }
        | extra
        for charm, name, extra in (
            ("masakari-k8s", "masakari", {"resources": "masakari-resources"}),
            (MONITORS, "monitors", {}),
            (SHIM, "shim", {}),
            (
                "consul-k8s",
                "consul",
                {"config-map": "consul-config-map", "resources": "consul-resources"},
            ),
            ("consul-client", "agent", {"config-map": "agent-config-map"}),
        )
    }
}
"""What a manifest says of a charm -> the plan's variable."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where in the cloud: what is there already."""

    control_uuid: str
    machines_uuid: str
    region: str
    units: int
    own_mysql: bool
    spaces: Mapping[Network, str | None]
    offers: Mapping[str, str | None]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What shall be: decided by settings and survey."""

    networks: Sequence[Network]
    fencing: Fencing
    hypervisors: Sequence[str]
    """Sunbeam's names of them."""
    place: Place
    maas_url: str = ""
    maas_ca: str = ""
    charm_dir: pathlib.Path | None = None
    config: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """Charm of ours -> options that the manifest sets, which win."""
    image: str = IMAGE

    @property
    def fenced(self) -> bool:
        """Whether there is somebody who fences."""
        return self.fencing is not Fencing.NONE


def applications(wanted: Wanted) -> dict[Model, list[str]]:
    """Return what must be active in the end, by model."""
    place = wanted.place
    return {
        Model.CONTROL: [
            *(f"consul-{network}" for network in wanted.networks),
            *([f"{MASAKARI}-mysql"] if place.own_mysql else []),
            f"{MASAKARI}-mysql-router",
            MASAKARI,
        ],
        Model.MACHINES: [
            *(f"consul-client-{network}" for network in wanted.networks),
            MONITORS,
            *([SHIM] if wanted.fenced else []),
        ],
    }


ALL_APPLICATIONS: Mapping[Model, Sequence[str]] = {
    Model.CONTROL: (
        *(f"consul-{network}" for network in Network),
        f"{MASAKARI}-mysql",
        f"{MASAKARI}-mysql-router",
        MASAKARI,
    ),
    Model.MACHINES: (
        *(f"consul-client-{network}" for network in Network),
        MONITORS,
        SHIM,
    ),
}
"""What may be left of any deployment of ours."""

CONSUMED: Mapping[Model, Sequence[str]] = {
    Model.CONTROL: ("instance-ha-fencing", "instance-ha-hypervisors"),
    Model.MACHINES: tuple(f"consul-{network}-cluster" for network in Network),
}
"""Offers of ours, by the model that consumes them. Removing a relation between models with
Terraform leaves these behind."""


def variables(wanted: Wanted) -> dict[str, object]:
    """Return the plan's variables; none of them is a secret."""
    place = wanted.place
    management = place.spaces.get(Network.MANAGEMENT)
    return {
        "control-model-uuid": place.control_uuid,
        "machine-model-uuid": place.machines_uuid,
        "keystone-offer-url": place.offers.get(KEYSTONE_OFFER),
        "cert-distributor-offer-url": place.offers.get(CERTIFICATES_OFFER),
        "mysql": f"{MASAKARI}-mysql" if place.own_mysql else "mysql",
        "own-mysql": place.own_mysql,
        "units": place.units,
        "region": place.region,
        "networks": [str(network) for network in wanted.networks],
        "fencing": wanted.fenced,
        "from-files": wanted.charm_dir is not None,
        "masakari-config": masakari_config(wanted),
        "consul-config-map": {
            f"consul-{network}": {
                "serflan-node-port": str(SERVER_PORT[network]),
                "expose-gossip-and-rpc-ports": _exposure(network),
            }
            for network in wanted.networks
        },
        "agent-config-map": {
            f"consul-client-{network}": {
                "serf-lan-port": str(AGENT_PORT[network]),
                # Its only effect is that the hypervisor shuts its machines by itself when a
                # Consul server is away; who is lost is decided by evidence from all servers.
                "enable-health-check": "false",
            }
            for network in wanted.networks
        },
        "agent-bindings": {
            str(network): _agent_bindings(management, place.spaces.get(network))
            for network in wanted.networks
        },
        "machine-bindings": machine_bindings(place),
    }


def masakari_config(wanted: Wanted) -> dict[str, str]:
    """Return options of masakari; new hypervisors are protected as soon as they join."""
    config = {"enrol-rule": "segment", "enrol-wait": "0"}
    if not wanted.fenced:
        # Nova itself must notice the loss, as nobody proves it.
        config |= {"fencing-mode": "none", "evacuation-delay": "60"}
    return config


def shim_config(wanted: Wanted, *, maas: str | None, bmcs: str | None) -> dict[str, str]:
    """Return options of hacluster-shim; *maas* and *bmcs* are IDs of secrets."""
    config: dict[str, str] = {}
    if maas:
        config |= {"maas-url": wanted.maas_url, "maas-credentials": secret_uri(maas)}
        if wanted.maas_ca:
            config["maas-ca"] = wanted.maas_ca
    if bmcs:
        config["bmc-credentials"] = secret_uri(bmcs)
    return config


def secret_uri(secret_id: str) -> str:
    """Return the form in which a charm's option takes a secret."""
    return f"secret:{secret_id.removeprefix('secret:')}"


def machine_bindings(place: Place) -> list[dict[str, str]] | None:
    """Return the spaces of subordinates without a network of their own."""
    space = place.spaces.get(Network.MANAGEMENT)
    return [{"space": space}] if space else None


def charm_files(wanted: Wanted, *, shim: Mapping[str, str]) -> list[CharmFile]:
    """Return what is deployed from files, in the order of need."""
    if wanted.charm_dir is None:
        return []
    region = {"region": wanted.place.region}
    bindings = machine_bindings(wanted.place) or []
    masakari = CharmFile(
        application=MASAKARI,
        model=Model.CONTROL,
        path=_file(wanted.charm_dir, "masakari-k8s"),
        units=wanted.place.units,
        config=region | masakari_config(wanted) | dict(wanted.config.get("masakari-k8s", {})),
        resources={"masakari-image": wanted.image},
    )
    monitors = CharmFile(
        application=MONITORS,
        model=Model.MACHINES,
        path=_file(wanted.charm_dir, MONITORS),
        units=0,
        config=region | dict(wanted.config.get(MONITORS, {})),
        bindings=bindings,
    )
    if not wanted.fenced:
        return [masakari, monitors]
    fencing = CharmFile(
        application=SHIM,
        model=Model.MACHINES,
        path=_file(wanted.charm_dir, SHIM),
        units=0,
        config=dict(shim) | dict(wanted.config.get(SHIM, {})),
        bindings=bindings,
    )
    return [masakari, monitors, fencing]


def missing_files(folder: pathlib.Path, *, fenced: bool) -> list[str]:
    """Return the charms of which *folder* has no file."""
    needed = [name for name in OURS if fenced or name != SHIM]
    return [name for name in needed if not _files(folder, name)]


def _file(folder: pathlib.Path, charm: str) -> pathlib.Path:
    return _files(folder, charm)[-1].absolute()


def _files(folder: pathlib.Path, charm: str) -> list[pathlib.Path]:
    return sorted(folder.glob(f"{charm}_*.charm"))


def _exposure(network: Network) -> str:
    """Return how agents reach the servers: storage through an address of that network."""
    return "loadbalancer" if network is Network.STORAGE else "nodeport"


def _agent_bindings(management: str | None, space: str | None) -> list[dict[str, str]]:
    if management is None or space is None:
        return []
    return [
        {"space": management},
        {"endpoint": "consul", "space": space},
        {"endpoint": "consul-notify", "space": space},
    ]
