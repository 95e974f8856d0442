# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The steps of ``sunbeam enable instance-recovery``; each brings one thing about, and stays so."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from . import asking, plan
from .errors import CloudError
from .plan import BMC_SECRET, MAAS_SECRET, SHIM, Wanted
from .ports import Model
from .procedure import Step

if TYPE_CHECKING:
    from .ports import Clock, Cloud, Tell

LOOK_EVERY_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What may not be seen: goes from here into Juju's secrets, and nowhere else."""

    maas_key: str | None = field(default=None, repr=False)
    """None keeps what an earlier run stored."""
    bmcs: str | None = field(default=None, repr=False)


@dataclass(kw_only=True)
class Enabling:
    """Brings instance recovery about, from any state."""

    cloud: Cloud
    clock: Clock
    wanted: Wanted
    secrets: Secrets
    within_s: float

    def steps(self) -> list[Step]:
        """Return the steps, in order."""
        return [
            Step(title="keep the manifest", run=self._keep_manifest),
            *(
                [Step(title="keep the credentials as Juju secrets", run=self._keep_secrets)]
                if self.wanted.fenced
                else []
            ),
            *(
                [Step(title="deploy the charms from files", run=self._deploy_files)]
                if self.wanted.charm_dir
                else []
            ),
            Step(title="apply the plan", run=self._apply),
            *(
                [Step(title="let hacluster-shim read the secrets", run=self._grant)]
                if self.wanted.fenced
                else []
            ),
            Step(title="give Consul addresses on the storage network", run=self._share),
            Step(title="wait for the control plane", run=self._wait(Model.CONTROL)),
            Step(title="wait for the hypervisors", run=self._wait(Model.MACHINES)),
            Step(title="see that every hypervisor is protected", run=self._verify),
        ]

    def _keep_manifest(self, _: Tell) -> None:
        self.cloud.keep_manifest()

    def _keep_secrets(self, _: Tell) -> None:
        if self.secrets.maas_key is not None:
            self.cloud.ensure_secret(MAAS_SECRET, {"api-key": self.secrets.maas_key})
        if self.secrets.bmcs is not None:
            self.cloud.ensure_secret(BMC_SECRET, {"bmcs": self.secrets.bmcs})

    def _deploy_files(self, tell: Tell) -> None:
        for charm in plan.charm_files(self.wanted, shim=self._shim_config()):
            tell(charm.application)
            self.cloud.deploy_file(charm)

    def _apply(self, tell: Tell) -> None:
        variables = plan.variables(self.wanted) | {"shim-config": self._shim_config()}
        self.cloud.apply(variables, tell)

    def _grant(self, _: Tell) -> None:
        granted = False
        for name in (MAAS_SECRET, BMC_SECRET):
            if self.cloud.secret_id(name) is not None:
                self.cloud.grant_secret(name, to=SHIM)
                granted = True
        if not granted:
            raise CloudError(
                "hacluster-shim",
                "there is no secret with credentials for it",
                hint="Give --maas-key-file or --bmcs-file",
            )
        if self.wanted.charm_dir is not None:
            self.cloud.set_config(SHIM, Model.MACHINES, self._shim_config())

    def _shim_config(self) -> dict[str, str]:
        if not self.wanted.fenced:
            return {}
        return plan.shim_config(
            self.wanted,
            maas=self.cloud.secret_id(MAAS_SECRET),
            bmcs=self.cloud.secret_id(BMC_SECRET),
        )

    def _share(self, tell: Tell) -> None:
        self.cloud.share_addresses(tell)

    def _wait(self, model: Model):  # noqa: ANN202 - the type of Step.run
        def run(tell: Tell) -> None:
            applications = plan.applications(self.wanted)[model]
            self.cloud.wait_active(model, applications, within_s=self.within_s, tell=tell)

        return run

    def _verify(self, tell: Tell) -> None:
        """Look until all are protected, or the time is over."""
        nodes = self.wanted.hypervisors
        until_s = self.clock.now_s() + self.within_s
        while True:
            verdict = asking.readiness(self.cloud, nodes)
            if verdict.ready:
                return
            if self.clock.now_s() >= until_s:
                raise CloudError(
                    "not every hypervisor is protected",
                    "; ".join(verdict.reasons),
                    hint="What is in order stays so; mend the rest",
                )
            tell(f"{len(verdict.reasons)} left, first: {verdict.reasons[0]}")
            self.clock.sleep(LOOK_EVERY_S)
