# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of a cloud before anything is changed; values only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .maas import Account, Machine, Power
from .networks import Network


@dataclass(frozen=True, kw_only=True)
class Hypervisor:
    """One hypervisor under the names that the parts of the cloud have for it."""

    node: str
    """Sunbeam's name; on MAAS it is that of the machine there."""
    machine: str
    """Juju's number of the machine."""
    system_id: str = ""
    """MAAS' identity, where Sunbeam knows one."""
    spaces: frozenset[str] = frozenset()
    """Spaces in which the machine has an interface."""


@dataclass(frozen=True, kw_only=True)
class MaasSurvey:
    """What MAAS answered; ``error`` if it did not."""

    url: str
    error: str = ""
    refused: bool = False
    account: Account | None = None
    machines: Sequence[Machine] = ()
    power: Mapping[str, Power] = field(default_factory=dict[str, Power])


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The cloud, read once."""

    is_maas: bool
    """Whether Sunbeam deployed it on MAAS."""
    hypervisors: Sequence[Hypervisor]
    compute_services: Sequence[str] | None
    """Names of nova-compute in Nova; None if Nova could not be asked."""
    shared_storage: bool
    spaces: Mapping[Network, str | None]
    """Network -> the space that Sunbeam maps it to; None if to none."""
    known_spaces: frozenset[str]
    """Spaces of the model with the machines."""
    offers: Mapping[str, str | None]
    """Offer that the control plane makes, by the name of its output -> URL; None if it is gone."""
    builtin: bool = False
    """Whether Sunbeam's own feature of this name is deployed."""
    deployed_from_files: bool | None = None
    """How the charms were deployed before; None if they were not."""
    deployed_networks: frozenset[Network] | None = None
    """What was watched before; None if nothing was."""
    missing_charms: Sequence[str] = ()
    """Charm files that the folder lacks."""
    unnamed_charms: Sequence[str] = ()
    """Charms of ours for which the manifest names none of the store's."""
    has_maas_secret: bool = False
    """Whether a key was stored by an earlier run."""
    maas: MaasSurvey | None = None
    """None where MAAS is not to be asked."""


KEYSTONE_OFFER = "keystone-offer-url"
CERTIFICATES_OFFER = "cert-distributor-offer-url"
