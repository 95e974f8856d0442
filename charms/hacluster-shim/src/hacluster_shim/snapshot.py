# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read the world once, so that guard and status cannot disagree."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import ops
import pydantic
import yaml

from hacluster_shim import checks, config, units
from hacluster_shim.config import ShimConfig
from instance_ha.errors import PolicyError
from instance_ha.ladder import Rung
from instance_ha_relations import ceph_client, hypervisor
from instance_ha_relations.ceph_client import CephAccount
from instance_ha_relations.errors import RelationDataError
from instance_ha_relations.fencing import FencingCredentials, FencingTarget
from instance_ha_relations.hypervisor import HypervisorData
from instance_ha_relations.options import describe
from masakari_instance_ha.fencing import bmc

HYPERVISORS = "hypervisors"
FENCING = "fencing"
CEPH = "ceph"
PEERS = "peers"
_STATUS_LENGTH = 59
_STALE_INTERVALS = 3
_STALE_AT_LEAST = datetime.timedelta(hours=2)
"""Tests run at update-status, of which there may be no more than one an hour."""
FINDINGS = "targets"
"""Key of the peers' application databag that holds what the tests found."""


@dataclass(frozen=True, kw_only=True)
class Maas:
    """A MAAS and the key to it, and what is asked where it proves nothing."""

    url: str
    api_key: pydantic.SecretStr
    ca: str
    bmcs: str = field(default="", repr=False)
    """JSON of the hypervisors' own power controllers, with user and password; may be empty."""
    ceph: CephAccount | None = None
    rungs: list[str] = field(default_factory=list[str])
    segment_rungs: dict[str, str] = field(default_factory=dict[str, str])


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
    options = _options(charm, problems)
    maas = _maas(charm, options, problems) if options else None
    found = _hypervisors(charm, problems)
    targets = read_targets(charm)
    if options:
        problems += _of_targets(targets, interval=options.check_interval)
        problems += _of_old_options(options)
    return World(
        config=options,
        maas=maas,
        hypervisors=found,
        targets=targets,
        problems=tuple(problems),
    )


def ask_for_ceph(charm: ops.CharmBase) -> None:
    """Ask a related Ceph for an account of this application; the leader only."""
    if relation := charm.model.get_relation(CEPH):
        ceph_client.request(relation, charm.unit, user=charm.app.name)


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


def _of_targets(targets: Mapping[str, FencingTarget], *, interval: int) -> list[ops.StatusBase]:
    """Return what is wrong with the tests' results; one that is too old says nothing any more."""
    found: list[ops.StatusBase] = [
        ops.BlockedStatus(f"{name} cannot be fenced: run the test-fencing action")
        for name, target in targets.items()
        if target.result == "failed"
    ]
    now = datetime.datetime.now(tz=datetime.UTC)
    oldest = max(_STALE_INTERVALS * datetime.timedelta(minutes=interval), _STALE_AT_LEAST)
    for name, target in targets.items():
        age = checks.age(target, now=now)
        if age is not None and age > oldest:
            hours = int(age.total_seconds() // 3600)
            found.append(ops.BlockedStatus(f"{name}: fence path not tested for {hours} h"))
    return found


def _of_old_options(options: ShimConfig) -> list[ops.StatusBase]:
    """Warn of what still works and should not stay; a key in plain config even if it is unused."""
    if options.old_maas_key.get_secret_value():
        return [ops.ActiveStatus("maas_credentials is plain text: use maas-credentials")]
    if options.old_maas_url:
        return [ops.ActiveStatus("maas_url is deprecated: use maas-url")]
    return []


def _options(charm: ops.CharmBase, problems: list[ops.StatusBase]) -> ShimConfig | None:
    try:
        return config.load(charm.config)
    except pydantic.ValidationError as error:
        problems.append(ops.BlockedStatus(describe(error, spell=config.option)[:60]))
        return None


def _maas(
    charm: ops.CharmBase, options: ShimConfig, problems: list[ops.StatusBase]
) -> Maas | None:
    url = options.maas_url or options.old_maas_url
    if not url:
        problems.append(ops.BlockedStatus("config: set maas-url"))
        return None
    key = _key(charm, options, problems)
    bmcs = _bmcs(charm, options.bmc_credentials, problems) if key else None
    if key is None or bmcs is None:
        return None
    return Maas(
        url=url,
        api_key=key,
        ca=options.maas_ca,
        bmcs=bmcs,
        ceph=_ceph(charm, options, problems),
        rungs=options.ladder(),
        segment_rungs=options.ladders(),
    )


def _key(
    charm: ops.CharmBase, options: ShimConfig, problems: list[ops.StatusBase]
) -> pydantic.SecretStr | None:
    """Return the key of the secret, or where there is none, that of plain config."""
    plain = options.old_maas_key.get_secret_value()
    if not options.maas_credentials and not plain:
        problems.append(ops.BlockedStatus("config: set maas-credentials to a secret"))
        return None
    name = "maas-credentials: api-key" if options.maas_credentials else "maas_credentials"
    try:
        content = (
            _content(charm, options.maas_credentials)
            if options.maas_credentials
            else {"api-key": plain}
        )
        return FencingCredentials.model_validate(content).api_key
    except ops.ModelError:
        problems.append(ops.BlockedStatus("grant the maas-credentials secret to this app"))
    except pydantic.ValidationError:
        problems.append(ops.BlockedStatus(f"{name} must be A:B:C"))
    return None


def _content(charm: ops.CharmBase, secret: str) -> dict[str, str]:
    return charm.model.get_secret(id=secret).get_content(refresh=True)


def _bmcs(charm: ops.CharmBase, secret: str, problems: list[ops.StatusBase]) -> str | None:
    """Return the hypervisors' own power controllers as JSON; None where the secret is of no use.

    What a status says of it names host and key, never a value.
    """
    if not secret:
        return ""
    try:
        listed = yaml.safe_load(_content(charm, secret)["bmcs"])
        text = json.dumps(listed)
        bmc.parse(text)
    except ops.ModelError:
        problems.append(ops.BlockedStatus("grant the bmc-credentials secret to this app"))
    except KeyError:
        problems.append(ops.BlockedStatus("bmc-credentials: the key bmcs is missing"))
    except (yaml.YAMLError, TypeError, ValueError):
        problems.append(ops.BlockedStatus("bmc-credentials: bmcs is not YAML"))
    except PolicyError as error:
        problems.append(ops.BlockedStatus(f"bmc-credentials: {error}"[:_STATUS_LENGTH]))
    else:
        return text
    return None


def _ceph(
    charm: ops.CharmBase, options: ShimConfig, problems: list[ops.StatusBase]
) -> CephAccount | None:
    """Return the access to Ceph, or None without it; MAAS and the BMCs can do without."""
    relation = charm.model.get_relation(CEPH)
    if relation is None:
        if options.names(Rung.CEPH):
            problems.append(ops.BlockedStatus("rungs: integrate with ceph-mon or microceph"))
        return None
    try:
        account = ceph_client.read(relation, user=charm.app.name)
    except RelationDataError as error:
        problems.append(ops.BlockedStatus(error.summary))
        return None
    if account is None:
        problems.append(ops.WaitingStatus("waiting for ceph to make an account"))
    return account


def _hypervisors(
    charm: ops.CharmBase, problems: list[ops.StatusBase]
) -> dict[str, HypervisorData]:
    relations = charm.model.relations[HYPERVISORS]
    if not relations and not _has_ring(charm):
        problems.append(ops.BlockedStatus("integrate with masakari-monitors:hypervisor"))
    found, wrong = units.by_name(
        relations, read=hypervisor.read, name=lambda data: data.nova_host, kind="hypervisors"
    )
    problems += wrong
    if relations and not found and not problems:
        problems.append(ops.WaitingStatus("waiting for the hypervisors to say who they are"))
    return found


def _has_ring(charm: ops.CharmBase) -> bool:
    """Say whether hypervisors may come as remotes of a ring, and be none of our concern here."""
    return any(charm.model.relations[endpoint] for endpoint in ("ha", "pacemaker-remote"))
