# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the procedures ask of a cloud; ``cluster.py`` is the real one."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

Tell = Callable[[str], None]
"""Says in a few words what is being waited for."""
Variables = Mapping[str, object]
"""Terraform's; never a secret."""


class Model(enum.Enum):
    """One of the two models of Sunbeam."""

    CONTROL = "openstack"
    MACHINES = "openstack-machines"


@dataclass(frozen=True, kw_only=True)
class CharmFile:
    """A charm that is deployed from a file."""

    application: str
    model: Model
    path: Path
    units: int
    """0 for a subordinate."""
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    resources: Mapping[str, str] = field(default_factory=dict[str, str])
    bindings: Sequence[Mapping[str, str]] = ()


class Cloud(Protocol):
    """Juju, Terraform and Sunbeam's database; every verb may be repeated.

    All raise CloudError, with the next command.
    """

    def keep_manifest(self) -> None:
        """Store the manifest that the command was given, if any."""
        ...

    def ensure_secret(self, name: str, content: Mapping[str, str]) -> str:
        """Make the secret hold *content*, in the model with the machines; return its ID."""
        ...

    def secret_id(self, name: str) -> str | None:
        """Return the ID of a secret, None if there is none."""
        ...

    def grant_secret(self, name: str, *, to: str) -> None:
        """Let an application read the secret."""
        ...

    def remove_secret(self, name: str) -> None:
        """Remove the secret, if it is there."""
        ...

    def deploy_file(self, charm: CharmFile) -> None:
        """Deploy the charm, or refresh the application to it."""
        ...

    def set_config(self, application: str, model: Model, config: Mapping[str, str]) -> None:
        """Set options of an application."""
        ...

    def apply(self, variables: Variables, tell: Tell) -> None:
        """Bring the plan about."""
        ...

    def destroy(self, tell: Tell) -> None:
        """Take away what the plan made, and forget its variables."""
        ...

    def share_addresses(self, tell: Tell) -> None:
        """Give Consul on the storage network an address of that network, where MAAS knows some."""
        ...

    def disconnect(self, model: Model, offers: Sequence[str]) -> None:
        """Remove what *model* consumes of these offers, if anything."""
        ...

    def remove(self, model: Model, applications: Sequence[str]) -> None:
        """Remove applications, if they are there, and wait until they are gone."""
        ...

    def present(self, model: Model) -> frozenset[str]:
        """Return the applications of a model."""
        ...

    def wait_active(
        self, model: Model, applications: Sequence[str], *, within_s: float, tell: Tell
    ) -> None:
        """Wait until all are active; the error tells which are not, and what they say."""
        ...

    def run(
        self, application: str, model: Model, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        """Run an action on the leader.

        Raises:
            ActionFailedError: with what the charm says.
            ApplicationMissingError: if there is no such application.
        """
        ...

    def run_at(
        self, application: str, machine: str, action: str, params: Mapping[str, object]
    ) -> Mapping[str, str]:
        """Run an action on the unit of a subordinate that is on that machine."""
        ...


class Clock(Protocol):
    """Time; tests bring their own."""

    def now_s(self) -> float:
        """Return seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
