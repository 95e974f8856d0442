# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read a cloud of Sunbeam before anything is changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import click
import openstack.exceptions
from sunbeam.core.common import SunbeamException
from sunbeam.core.deployment import Networks
from sunbeam.core.openstack_api import get_admin_connection
from sunbeam.core.terraform import TerraformException

from . import plan, preflight
from .cluster import Cluster
from .maas import Maas, MaasError, MaasRefusedError
from .networks import Network
from .plan import MAAS_SECRET, VARIABLES_KEY, Place
from .ports import Model
from .settings import Fencing, Settings
from .survey import CERTIFICATES_OFFER, KEYSTONE_OFFER, Hypervisor, MaasSurvey, Survey

OPENSTACK_VARIABLES_KEY = "TerraformVarsOpenstack"
TOPOLOGY_KEY = "Topology"


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Asks Sunbeam, Juju, Nova and MAAS; changes nothing."""

    cluster: Cluster
    settings: Settings
    maas: Maas | None
    """None where its address or the key is not known."""
    charms: Mapping[str, object]
    """What the manifest says of each charm of the feature."""
    is_maas: bool

    def survey(self) -> Survey:
        """Return the cloud, read once."""
        hypervisors = self.hypervisors()
        core = self.cluster.stored(OPENSTACK_VARIABLES_KEY) or {}
        ours = self.cluster.stored(VARIABLES_KEY)
        fencing = preflight.fencing_of(self.settings, is_maas=self.is_maas)
        folder = self.settings.charm_dir
        return Survey(
            is_maas=self.is_maas,
            hypervisors=hypervisors,
            compute_services=self._compute_services(),
            shared_storage=self._has_shared_storage(),
            spaces=self.spaces(),
            known_spaces=self._known_spaces(),
            offers=self.offers(),
            builtin=bool(core.get("enable-masakari")),
            deployed_from_files=None if ours is None else bool(ours.get("from-files")),
            deployed_networks=None if ours is None else _networks(ours),
            missing_charms=[]
            if folder is None
            else plan.missing_files(folder, fenced=fencing is not Fencing.NONE),
            unnamed_charms=[
                name
                for name in plan.OURS
                if name not in plan.PUBLISHED and not said_of(self.charms, name, "charm")
            ],
            has_maas_secret=self.cluster.secret_id(MAAS_SECRET) is not None,
            maas=ask_maas(self.maas, hypervisors=hypervisors)
            if self.maas and fencing is Fencing.MAAS
            else None,
        )

    def place(self, survey: Survey) -> Place:
        """Return where in the cloud all is deployed."""
        core = self.cluster.stored(OPENSTACK_VARIABLES_KEY) or {}
        topology = self.cluster.stored(TOPOLOGY_KEY) or {}
        return Place(
            control_uuid=self.cluster.uuid(Model.CONTROL),
            machines_uuid=self.cluster.uuid(Model.MACHINES),
            region=self.cluster.deployment.get_region_name(),
            units=int(str(core.get("os-api-scale") or 1)),
            own_mysql=topology.get("database") == "multi",
            spaces=survey.spaces,
            offers=survey.offers,
        )

    def hypervisors(self) -> list[Hypervisor]:
        """Return the nodes with the role compute."""
        machines = self.cluster.status(Model.MACHINES).machines
        found: list[Hypervisor] = []
        for node in self.cluster.nodes("compute"):
            machine = str(node["machineid"])
            interfaces = machines[machine].network_interfaces if machine in machines else {}
            found.append(
                Hypervisor(
                    node=str(node["name"]),
                    machine=machine,
                    system_id=str(node.get("systemid") or ""),
                    spaces=frozenset(
                        space for each in interfaces.values() for space in each.space.split()
                    ),
                )
            )
        return found

    def spaces(self) -> dict[Network, str | None]:
        """Return the space that each network is mapped to."""
        found: dict[Network, str | None] = {}
        for network in Network:
            try:
                found[network] = self.cluster.deployment.get_space(Networks(network.sunbeam))
            except ValueError:
                found[network] = None
        return found

    def offers(self) -> dict[str, str | None]:
        """Return the offers of the control plane that are used here."""
        try:
            plan_of_openstack = self.cluster.deployment.get_tfhelper("openstack-plan")
            plan_of_openstack.init()  # this node may never have had it
            outputs = plan_of_openstack.output(hide_output=True)
        except TerraformException:
            outputs = {}
        return {
            name: cast("str | None", outputs.get(name))
            for name in (KEYSTONE_OFFER, CERTIFICATES_OFFER)
        }

    def _known_spaces(self) -> frozenset[str]:
        """Return the model's spaces; only where machines have more than one."""
        return self.cluster.spaces() if self.is_maas else frozenset()

    def _compute_services(self) -> list[str] | None:
        """Return the names under which nova-compute announced itself; None if Nova is away."""
        try:
            nova = get_admin_connection(
                self.cluster.deployment.get_juju_helper(keystone=True), self.cluster.deployment
            )
            return [str(found.host) for found in nova.compute.services(binary="nova-compute")]
        except (openstack.exceptions.SDKException, SunbeamException, click.ClickException):
            return None

    def _has_shared_storage(self) -> bool:
        """Whether there is Ceph or another backend that every hypervisor reaches."""
        return bool(self.cluster.nodes("storage")) or self.cluster.has_storage_backends()


def ask_maas(maas: Maas, *, hypervisors: Sequence[Hypervisor]) -> MaasSurvey:
    """Return what MAAS says of the hypervisors; asks each one's power controller."""
    try:
        found = MaasSurvey(url=maas.url, account=maas.account(), machines=maas.machines())
    except MaasError as error:
        refused = isinstance(error, MaasRefusedError)
        return MaasSurvey(url=maas.url, error=str(error), refused=refused)
    ids = {
        machine.system_id
        for hypervisor in hypervisors
        for machine in preflight.machines_of(hypervisor, found)
    }
    return dataclasses.replace(found, power=maas.power(sorted(ids)))


def said_of(charms: Mapping[str, object], charm: str, key: str) -> object:
    """Return what the manifest says of a charm beside the words that Sunbeam knows."""
    extra = getattr(charms.get(charm), "model_extra", None) or {}
    return extra.get(key)


def _networks(variables: Mapping[str, object]) -> frozenset[Network]:
    return frozenset(Network(name) for name in cast("list[str]", variables.get("networks", [])))
