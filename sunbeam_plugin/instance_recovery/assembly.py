# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Put together what a command of Sunbeam needs."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from typing import cast

import jubilant
from sunbeam.provider.maas.deployment import is_maas_deployment

from . import preflight
from .choosing import Account, Choice, Person, choose
from .cluster import Cluster, Deployment
from .enabling import Enabling
from .errors import CloudError, PreflightError, SettingsError
from .maas import Maas
from .networks import watched
from .plan import ALL_APPLICATIONS, IMAGE, MAAS_SECRET, VARIABLES_KEY, Wanted
from .ports import Model, Tell
from .procedure import Step
from .reading import OPENSTACK_VARIABLES_KEY, Reader, said_of
from .settings import Fencing, Settings, read_ca
from .survey import Survey

Say = Callable[[str], None]


def cluster_of(deployment: Deployment, *, manifest_file: pathlib.Path | None = None) -> Cluster:
    """Return the cloud of a deployment.

    Raises:
        CloudError: if Sunbeam knows no controller here.
    """
    try:
        juju = deployment.get_juju_helper()
    except ValueError as error:
        raise CloudError(
            "Juju", f"Sunbeam knows none here: {error}", hint="Log in: sunbeam utils juju-login"
        ) from error

    def open_model(model: Model) -> jubilant.Juju:
        full = juju.get_model_name_with_owner(model.value)
        return jubilant.Juju(model=f"{juju.controller}:{full}")

    return Cluster(
        open_model=open_model,
        deployment=deployment,
        manifest_file=manifest_file,
        pool=getattr(deployment, "storage_ippool_label", None),
    )


def prepare(
    cluster: Cluster,
    settings: Settings,
    *,
    charms: Mapping[str, object],
    person: Person | None,
    say: Say,
) -> Enabling:
    """Look at everything, change nothing; return how to go on.

    Args:
        cluster: The cloud.
        settings: What manifest and options say.
        charms: What the manifest says of each charm.
        person: Who is asked; None if nobody.
        say: Shows a line.

    Raises:
        PreflightError: with all that stands in the way.
        SettingsError: if a file or an answer cannot be used.
    """
    sunbeam = _account(cluster.deployment)
    secret = cluster.secret(MAAS_SECRET) or {}
    choice = choose(settings, sunbeam=sunbeam, stored_key=secret.get("api-key"), person=person)
    reader = Reader(
        cluster=cluster,
        settings=choice.settings,
        maas=_maas(choice),
        charms=charms,
        is_maas=sunbeam is not None,
    )
    survey = reader.survey()
    if problems := preflight.judge(survey, choice.settings):
        raise PreflightError(problems)
    fencing = preflight.fencing_of(choice.settings, is_maas=survey.is_maas) or Fencing.NONE
    say(f"{len(survey.hypervisors)} hypervisors, fencing: {fencing}")
    say(preflight.differing(survey))
    return Enabling(
        cloud=cluster,
        clock=cluster.clock,
        wanted=_wanted(reader, survey, choice, fencing),
        secrets=choice.secrets,
        within_s=float(choice.settings.ready_within),
    )


def require_ours(cluster: Cluster) -> None:
    """Refuse to take away what Sunbeam's own feature deployed; its names are the same.

    Raises:
        SettingsError: if only that is deployed.
    """
    core = cluster.stored(OPENSTACK_VARIABLES_KEY) or {}
    if core.get("enable-masakari") and cluster.stored(VARIABLES_KEY) is None:
        raise SettingsError(
            "Sunbeam's own instance-recovery is deployed, not this one, so nothing was removed. "
            "Take this one out with install.py --remove, then run: sunbeam "
            "disable instance-recovery"
        )


def refreshing(cluster: Cluster) -> list[Step]:
    """Return the steps that bring the charms to what the manifest now says."""
    within_s = float(Settings.model_validate({}).ready_within)

    def wait(model: Model) -> Callable[[Tell], None]:
        def run(tell: Tell) -> None:
            there = cluster.present(model)
            names = [name for name in ALL_APPLICATIONS[model] if name in there]
            cluster.wait_active(model, names, within_s=within_s, tell=tell)

        return run

    return [
        Step(title="apply the plan", run=cluster.refresh),
        Step(title="wait for the control plane", run=wait(Model.CONTROL)),
        Step(title="wait for the hypervisors", run=wait(Model.MACHINES)),
    ]


def nodes_of(cluster: Cluster) -> list[str]:
    """Return Sunbeam's names of the hypervisors."""
    return [str(node["name"]) for node in cluster.nodes("compute")]


def machine_of(cluster: Cluster, node: str | None) -> str:
    """Return Juju's number of the machine of a hypervisor.

    Raises:
        SettingsError: if there is none of that name.
    """
    for found in cluster.nodes("compute"):
        if found["name"] == node:
            return str(found["machineid"])
    raise SettingsError(
        f"{node or 'no node'}: give --node with the hypervisor on which the server is; "
        f"there are: {', '.join(nodes_of(cluster))}"
    )


def _account(deployment: Deployment) -> Account | None:
    """Return the account with which Sunbeam deployed; None on a manual cloud."""
    if not is_maas_deployment(deployment):
        return None
    return Account(
        url=str(getattr(deployment, "url", "")), key=str(getattr(deployment, "token", ""))
    )


def _maas(choice: Choice) -> Maas | None:
    if choice.account is None:
        return None
    return Maas(url=choice.account.url, key=choice.account.key, ca=_ca(choice.settings) or None)


def _ca(settings: Settings) -> str:
    return read_ca(settings.maas_ca_file) if settings.maas_ca_file else ""


def _wanted(reader: Reader, survey: Survey, choice: Choice, fencing: Fencing) -> Wanted:
    resources = said_of(reader.charms, "masakari-k8s", "resources") or {}
    return Wanted(
        networks=watched(survey.spaces),
        fencing=fencing,
        hypervisors=[each.node for each in survey.hypervisors],
        place=reader.place(survey),
        maas_url=choice.account.url if choice.account else "",
        maas_ca=_ca(choice.settings),
        charm_dir=choice.settings.charm_dir,
        config={name: getattr(said, "config", None) or {} for name, said in reader.charms.items()},
        image=cast("dict[str, str]", resources).get("masakari-image", IMAGE),
    )
