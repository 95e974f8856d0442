# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read the world once, so that guard and status cannot disagree."""

import json
from dataclasses import dataclass

import ops
import pydantic

from hacluster_shim.config import ShimConfig
from instance_ha_relations import hypervisor
from instance_ha_relations.errors import RelationDataError
from instance_ha_relations.fencing import FencingCredentials, FencingTarget
from instance_ha_relations.hypervisor import HypervisorData

HYPERVISORS = "hypervisors"
FENCING = "fencing"
PEERS = "peers"
FINDINGS = "targets"
"""Key of the peers' application databag that holds what the tests found."""


@dataclass(frozen=True, kw_only=True)
class Maas:
    """A MAAS and the key to it."""

    url: str
    api_key: pydantic.SecretStr
    ca: str


@dataclass(frozen=True, kw_only=True)
class World:
    """What the charm knows at this moment."""

    config: ShimConfig | None
    maas: Maas | None
    hypervisors: dict[str, HypervisorData]
    """Nova's name -> who it is."""
    targets: dict[str, FencingTarget]
    """What the last tests found."""
    problems: tuple[ops.StatusBase, ...]


def take(charm: ops.CharmBase) -> World:
    """Return what is there and what is missing."""
    problems: list[ops.StatusBase] = []
    config = _config(charm, problems)
    maas = _maas(config, problems) if config else None
    found = _hypervisors(charm, problems)
    targets = read_targets(charm)
    problems += [
        ops.BlockedStatus(f"{name} cannot be fenced: run the test-fencing action")
        for name, target in targets.items()
        if target.result == "failed"
    ]
    return World(
        config=config,
        maas=maas,
        hypervisors=found,
        targets=targets,
        problems=tuple(problems),
    )


def read_targets(charm: ops.CharmBase) -> dict[str, FencingTarget]:
    """Return what the leader's last tests found, by Nova's name of the hypervisor."""
    relation = charm.model.get_relation(PEERS)
    text = relation.data[charm.app].get(FINDINGS, "{}") if relation else "{}"
    return {name: FencingTarget.model_validate(raw) for name, raw in json.loads(text).items()}


def write_targets(charm: ops.CharmBase, targets: dict[str, FencingTarget]) -> None:
    """Remember what the tests found, for every unit; the leader only."""
    if relation := charm.model.get_relation(PEERS):
        raw = {name: target.model_dump() for name, target in targets.items()}
        relation.data[charm.app][FINDINGS] = json.dumps(raw, sort_keys=True)


def _config(charm: ops.CharmBase, problems: list[ops.StatusBase]) -> ShimConfig | None:
    try:
        return charm.load_config(ShimConfig)
    except pydantic.ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        option = str(first["loc"][0]).replace("_", "-") if first["loc"] else "options"
        problems.append(ops.BlockedStatus(f"config: {option}: {first['msg']}"[:60]))
        return None


def _maas(config: ShimConfig, problems: list[ops.StatusBase]) -> Maas | None:
    if not config.maas_url:
        problems.append(ops.BlockedStatus("config: set maas-url"))
        return None
    if config.maas_credentials is None:
        problems.append(ops.BlockedStatus("config: set maas-credentials to a secret"))
        return None
    try:
        content = config.maas_credentials.get_content(refresh=True)
        key = FencingCredentials.model_validate(content).api_key
    except ops.ModelError:
        problems.append(ops.BlockedStatus("grant the maas-credentials secret to this app"))
        return None
    except pydantic.ValidationError:
        problems.append(ops.BlockedStatus("maas-credentials: api-key must be A:B:C"))
        return None
    return Maas(url=config.maas_url, api_key=key, ca=config.maas_ca)


def _hypervisors(
    charm: ops.CharmBase, problems: list[ops.StatusBase]
) -> dict[str, HypervisorData]:
    relations = charm.model.relations[HYPERVISORS]
    if not relations:
        if not any(charm.model.relations[endpoint] for endpoint in ("ha", "pacemaker-remote")):
            problems.append(ops.BlockedStatus("integrate with masakari-monitors:hypervisor"))
        return {}
    found: dict[str, HypervisorData] = {}
    for relation in relations:
        for unit in relation.units:
            try:
                data = hypervisor.read(relation, unit)
            except RelationDataError as error:
                problems.append(ops.BlockedStatus(error.summary))
                continue
            if data is None:
                continue
            if data.nova_host in found:
                problems.append(ops.BlockedStatus(f"two hypervisors are named {data.nova_host}"))
            found[data.nova_host] = data
    if not found and not problems:
        problems.append(ops.WaitingStatus("waiting for the hypervisors to say who they are"))
    return found
