# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the charm knows at one moment: frozen, and free of Juju."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pydantic

from instance_ha.model import Network
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.fencing import FencingTarget
from masakari_k8s.config import MasakariConfig


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database that we may use."""

    name: str
    """Where it is and what it is called, without the account; fit for a databag."""
    url: pydantic.SecretStr
    ca: str
    """PEM of the authority of its certificate; empty without TLS."""


@dataclass(frozen=True, kw_only=True)
class Keystone:
    """The service user and where it logs in."""

    auth_url: str
    public_auth_url: str
    username: str
    password: pydantic.SecretStr
    project: str
    domain: str


@dataclass(frozen=True, kw_only=True)
class Core:
    """Everything that the API needs, and that the engine needs besides fencing."""

    config: MasakariConfig
    database: Database
    transport_url: pydantic.SecretStr
    keystone: Keystone
    authorities: tuple[str, ...]
    """PEM certificates to trust besides the image's own."""
    ingress_paths: tuple[str, ...]
    """Paths in front of which a proxy passes requests on."""


@dataclass(frozen=True, kw_only=True)
class Fencing:
    """What proves a hypervisor off."""

    mode: str
    maas_url: str = ""
    credentials: pydantic.SecretStr | None = None
    ca: str = ""
    targets: Mapping[str, FencingTarget]
    bmcs: pydantic.SecretStr | None = None
    """JSON of the hypervisors' own power controllers."""
    ceph: CephAccount | None = None
    """The way to the storage that can refuse a hypervisor."""
    rungs: Sequence[str] = ()
    segment_rungs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Where the evidence comes from; it exists only once every declared network has said."""

    consul: Mapping[Network, str]
    """Declared network -> host:port of its Consul servers."""
