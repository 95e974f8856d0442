# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One cloud of Sunbeam: its Terraform, its database, and its two models."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import click
import pydantic
import rich.console
from sunbeam.clusterd.service import (
    ClusterServiceUnavailableException,
    ConfigItemNotFoundException,
)
from sunbeam.core.common import run_plan
from sunbeam.core.manifest import AddManifestStep
from sunbeam.core.steps import (
    PatchLoadBalancerServicesIPPoolStep,
    PatchLoadBalancerServicesIPStep,
)
from sunbeam.core.terraform import TerraformException, TerraformStateLockedException
from sunbeam.provider.maas.client import MaasClient
from sunbeam.provider.maas.steps import MaasCreateLoadBalancerIPPoolsStep

from .errors import CloudError
from .models import Models
from .networks import Network
from .plan import PLAN, TFVAR_MAP, VARIABLES_KEY
from .ports import Model, Tell, Variables


class Backends(Protocol):
    """Of Sunbeam's list of storage backends: what is used here."""

    root: Sequence[object]


class Database(Protocol):
    """Of Sunbeam's database: what is used here."""

    def get_config(self, key: str) -> str:
        """Return a value, as JSON."""
        ...

    def delete_config(self, key: str) -> None:
        """Forget a value."""
        ...

    def list_nodes_by_role(self, role: str) -> Sequence[Mapping[str, object]]:
        """Return the nodes of a role."""
        ...

    def get_storage_backends(self) -> Backends:
        """Return the storage that was added beside Ceph."""
        ...


class Client(Protocol):
    """Of Sunbeam's client of its database: what is used here."""

    @property
    def cluster(self) -> Database:
        """The database."""
        ...


class Event(Protocol):
    """One thing that Terraform did."""

    event_type: str
    message: str


class Terraform(Protocol):
    """Of Sunbeam's Terraform: what is used here."""

    path: Path

    def init(self) -> None:
        """Prepare the plan's folder."""
        ...

    def write_tfvars(self, vars: Mapping[str, object]) -> None:  # noqa: A002 - Sunbeam's word
        """Write the plan's variables."""
        ...

    def update_tfvars_and_apply_tf(
        self,
        client: Client,
        manifest: object,
        tfvar_config: str,
        override_tfvars: dict[str, object],
        reporter: object,
    ) -> None:
        """Apply with the manifest's and our variables."""
        ...

    def update_partial_tfvars_and_apply_tf(
        self,
        client: Client,
        manifest: object,
        charms: list[str],
        tfvar_config: str,
        reporter: object,
    ) -> None:
        """Apply with what the manifest now says of some charms."""
        ...

    def destroy(self, reporter: object) -> None:
        """Take the plan back."""
        ...

    def output(self, hide_output: bool) -> Mapping[str, object]:
        """Return the plan's outputs."""
        ...


class Software(Protocol):
    """Of what a manifest says of a feature's software: what is used here."""

    charms: Mapping[str, object]


class FeatureManifest(Protocol):
    """Of what a manifest says of a feature: what is used here."""

    config: pydantic.BaseModel | None
    software: Software


class Manifest(Protocol):
    """Of Sunbeam's manifest: what is used here."""

    def get_feature(self, name: str) -> FeatureManifest | None:
        """Return what it says of a feature."""
        ...


class Juju(Protocol):
    """Of Sunbeam's way to Juju: what is used here."""

    controller: str

    def get_model_name_with_owner(self, model: str) -> str:
        """Return a model's full name."""
        ...

    def get_model_uuid(self, model: str) -> str:
        """Return Juju's identity of a model."""
        ...


class Deployment(Protocol):
    """Of Sunbeam's deployment: what is used here."""

    def get_client(self) -> Client:
        """Return the database's client."""
        ...

    def get_tfhelper(self, tfplan: str) -> Terraform:
        """Return the Terraform of a plan."""
        ...

    def get_manifest(self, manifest_file: Path | None = None) -> Manifest:
        """Return the manifest, defaults included."""
        ...

    def get_space(self, network: object) -> str:
        """Return the space of a network; raises ValueError if it is mapped to none."""
        ...

    def get_region_name(self) -> str:
        """Return the region's name in Keystone."""
        ...

    def get_juju_helper(self, keystone: bool = False) -> Juju:
        """Return Sunbeam's own way to Juju."""
        ...


SERVICE = "consul-storage-lb"
"""Service of the Consul on the storage network that agents reach from outside."""


class _SharedAddress(PatchLoadBalancerServicesIPStep):
    def services(self) -> list[str]:
        return [SERVICE]

    def model(self) -> str:
        return Model.CONTROL.value


class _SharedPool(PatchLoadBalancerServicesIPPoolStep):
    def services(self) -> list[str]:
        return [SERVICE]

    def model(self) -> str:
        return Model.CONTROL.value


@dataclass(kw_only=True)
class Cluster(Models):
    """The real cloud; implements ``ports.Cloud``."""

    deployment: Deployment
    manifest_file: Path | None = None
    pool: str | None = None
    """Name of MAAS' addresses on the storage network; None where there are none."""

    def stored(self, key: str) -> dict[str, object] | None:
        """Return a value of Sunbeam's database, None if there is none."""
        with _database():
            try:
                return json.loads(self.deployment.get_client().cluster.get_config(key))
            except ConfigItemNotFoundException:
                return None

    def nodes(self, role: str) -> Sequence[Mapping[str, object]]:
        """Return Sunbeam's nodes of a role."""
        with _database():
            return self.deployment.get_client().cluster.list_nodes_by_role(role)

    def has_storage_backends(self) -> bool:
        """Whether storage was added beside Ceph."""
        with _database():
            return bool(self.deployment.get_client().cluster.get_storage_backends().root)

    def uuid(self, model: Model) -> str:
        """Return Juju's identity of a model."""
        return self.deployment.get_juju_helper().get_model_uuid(model.value)

    def keep_manifest(self) -> None:
        """Store the manifest that the command was given, if any."""
        if self.manifest_file is not None:
            _run([AddManifestStep(self.deployment.get_client(), self.manifest_file)])

    def apply(self, variables: Variables, tell: Tell) -> None:
        """Bring the plan about."""
        with self._terraform(tell) as (plan, reporter):
            plan.update_tfvars_and_apply_tf(
                self.deployment.get_client(),
                self.deployment.get_manifest(),
                tfvar_config=VARIABLES_KEY,
                override_tfvars=dict(variables),
                reporter=reporter,
            )

    def refresh(self, tell: Tell) -> None:
        """Bring the plan to what the manifest now says of the charms."""
        with self._terraform(tell) as (plan, reporter):
            plan.update_partial_tfvars_and_apply_tf(
                self.deployment.get_client(),
                self.deployment.get_manifest(),
                list(TFVAR_MAP["charms"]),
                tfvar_config=VARIABLES_KEY,
                reporter=reporter,
            )

    def destroy(self, tell: Tell) -> None:
        """Take away what the plan made, and forget its variables."""
        variables = self.stored(VARIABLES_KEY)
        if variables is None:
            return
        variables.pop("_computed_keys", None)
        with self._terraform(tell) as (plan, reporter):
            # The folder may be another node's, where this plan was never applied.
            plan.write_tfvars(variables)
            plan.destroy(reporter=reporter)
        self.deployment.get_client().cluster.delete_config(VARIABLES_KEY)

    def share_addresses(self, tell: Tell) -> None:
        """Give Consul on the storage network an address of that network, where MAAS knows some."""
        variables = self.stored(VARIABLES_KEY) or {}
        if self.pool is None or Network.STORAGE not in cast("list[str]", variables["networks"]):
            return
        tell(self.pool)
        client = self.deployment.get_client()
        maas = MaasClient.from_deployment(self.deployment)
        _run(
            [
                MaasCreateLoadBalancerIPPoolsStep(self.deployment, client, maas),
                _SharedPool(client, self.pool, ignore_errors=True),
                _SharedAddress(client, pool_name=self.pool, ignore_errors=True),
            ]
        )

    @contextlib.contextmanager
    def _terraform(self, tell: Tell) -> Generator[tuple[Terraform, _Reporter]]:
        """Prepare the plan; say in a sentence what Terraform refused."""
        plan, reporter = self.deployment.get_tfhelper(PLAN), _Reporter(tell)
        try:
            plan.init()
            yield plan, reporter
        except TerraformStateLockedException as error:
            raise CloudError(
                "Terraform",
                "another command holds the plan's state",
                hint=f"Wait for that; if none runs any more: sunbeam plans unlock {PLAN}",
            ) from error
        except TerraformException as error:
            raise CloudError(
                "Terraform",
                "; ".join(reporter.failed) or str(error).strip(),
                hint=f"Read the newest terraform-*.log in {plan.path}",
            ) from error


class _Reporter:
    """Tells what Terraform does, and remembers what it could not do."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.failed: list[str] = []

    def report(self, event: Event) -> None:
        """Take one event."""
        self._tell(event.message)
        if event.event_type == "apply_errored":
            self.failed.append(event.message)


@contextlib.contextmanager
def _database() -> Generator[None]:
    """Say in a sentence that Sunbeam's database is away."""
    try:
        yield
    except ClusterServiceUnavailableException as error:
        raise CloudError(
            "Sunbeam's database", str(error), hint="Look at: sunbeam cluster list"
        ) from error


def _run(steps: Sequence[object]) -> None:
    """Run steps of Sunbeam's own."""
    try:
        run_plan(steps, rich.console.Console())
    except click.ClickException as error:
        raise CloudError(
            "a step of Sunbeam", error.message, hint="Look at: sunbeam cluster list"
        ) from error
