# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The one place that makes parts out of options."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from oslo_config import cfg

from instance_ha.debounce import Patience
from instance_ha.errors import MatrixError, PolicyError
from instance_ha.matrices import Chosen
from instance_ha.matrix import Matrix, Row, default_matrix
from instance_ha.model import Network
from instance_ha.policy import AFTER_WINDOW_S, Policy
from masakari_instance_ha import consul, fencing, hypervisors, options, servers, store
from masakari_instance_ha.cloud import OpenStackCloud
from masakari_instance_ha.connection import connect
from masakari_instance_ha.kdump import DumpListener
from masakari_instance_ha.observer import Cluster, ConsulObserver
from masakari_instance_ha.orphans import Orphans
from masakari_instance_ha.reader import Pace

if TYPE_CHECKING:
    from instance_ha.ports import Clock

logger = logging.getLogger(__name__)


class StoreOptionsError(PolicyError):
    """No database is configured."""


def policy(conf: cfg.ConfigOpts) -> Policy:
    """Return the rules' figures.

    Raises:
        PolicyError: if an option is no network, or options contradict one another.
        MatrixError: if the matrix file cannot be used.
    """
    ours = conf.instance_ha
    networks = declared(conf)
    return Policy(
        networks=networks,
        matrix=usual_matrix(conf).matrix,
        patience=Patience(
            hold_s=ours.hold,
            samples=ours.samples,
            partial_hold_s=ours.partial_hold,
            flap_changes=ours.flap_changes,
            flap_window_s=ours.flap_window,
            flap_hold_s=ours.flap_hold,
        ),
        tick_s=ours.tick,
        max_failing_share=ours.max_failing_percent / 100,
        max_failing_domain_share=ours.max_failing_domain_percent / 100,
        domain_hosts_per_minute=ours.domain_hosts_per_minute,
        max_hosts_per_minute=ours.max_hosts_per_minute,
        storm_cooldown_s=ours.storm_cooldown,
        approval=ours.approval,
        approval_segments=frozenset(ours.approval_segments),
        approval_patience_s=ours.approval_patience,
        kdump=ours.kdump,
        kdump_wait_s=ours.kdump_wait,
        kdump_timeout_s=ours.kdump_timeout,
        return_after_s=ours.return_after,
        returns_by_itself=ours.return_mode == "automatic",
        refills_reserve=ours.refill_reserve,
        disable_reason=_masakaris(conf).service_disable_reason,
        orphan_after_s=ours.orphan_after,
        renotify_after_s=ours.duplicate_window + AFTER_WINDOW_S,
        lease_ttl_s=ours.lease_ttl,
    )


def declared(conf: cfg.ConfigOpts) -> tuple[Network, ...]:
    """Return the networks that the operator declared, in the order of the matrix."""
    names = set(conf.instance_ha.networks)
    if unknown := names - set(Network):
        raise PolicyError(
            f"[instance_ha] networks: {', '.join(sorted(unknown))} is no network; "
            f"known are {', '.join(Network)}"
        )
    return tuple(network for network in Network if network in names)


def observer(conf: cfg.ConfigOpts) -> ConsulObserver:
    """Return the observer of the declared networks, reading already.

    A declared network without a server stays unknown, which never recovers anything by itself;
    leaving it out would change what the others' loss means.
    """
    clusters = []
    for network in declared(conf):
        if servers := addresses(conf, network):
            clusters.append(
                Cluster(
                    network,
                    servers,
                    discover=conf.instance_ha_consul.discover,
                    pace=Pace(
                        rest_s=conf.instance_ha_consul.rest,
                        budget_s=conf.instance_ha_consul.request_timeout,
                        wait_s=conf.instance_ha_consul.wait,
                    ),
                )
            )
        else:
            logger.error(
                "%s network: declared, but no Consul server is configured, so it stays unknown; "
                "integrate consul-%s",
                network,
                network,
            )
    return ConsulObserver(clusters)


def dumps(conf: cfg.ConfigOpts, *, observer: ConsulObserver, clock: Clock) -> DumpListener | None:
    """Return who hears kernel dumps, listening already; None where nobody is to.

    Raises:
        ListenError: if its port cannot be listened at.
    """
    if not conf.instance_ha.kdump:
        return None
    file = conf.instance_ha.hypervisors_file
    return DumpListener(
        port=conf.instance_ha.kdump_port,
        names=lambda: {**hypervisors.addresses(file), **observer.addresses()},
        clock=clock,
    )


def addresses(conf: cfg.ConfigOpts, network: Network) -> list[consul.Address]:
    """Return the configured Consul servers of *network*; may be empty.

    Raises:
        PolicyError: if one is no address.
    """
    try:
        read = [consul.parse_address(text) for text in conf.instance_ha_consul[network.value]]
    except ValueError as error:
        raise PolicyError(f"[instance_ha_consul] {network}: {error}; give host:port") from error
    return [address for address in read if address is not None]


def rules(conf: cfg.ConfigOpts) -> servers.Rules:
    """Return which servers a recovery moves.

    Raises:
        PolicyError: if an option means nothing.
    """
    return servers.rules(conf, host_failure=_masakaris(conf))


def journal(conf: cfg.ConfigOpts) -> store.Store:
    """Return the store.

    Raises:
        StoreOptionsError: if no database is configured.
    """
    return store.connect(store_url(conf))


def cloud(conf: cfg.ConfigOpts, *, clock: Clock) -> OpenStackCloud:
    """Return Masakari and Nova; nothing is called yet.

    Raises:
        CloudOptionsError: if the login is incomplete.
        StoreOptionsError: if no database is configured.
    """
    return OpenStackCloud(
        connect(conf),
        clock=clock,
        orphans=Orphans(store_url(conf)),
        rules=rules(conf),
        storage=fencing.storage(conf, clock=clock, by=f"controller@{conf.instance_ha.unit}"),
    )


def store_url(conf: cfg.ConfigOpts) -> str:
    """Return the URL of the store's database, which is Masakari's own.

    Raises:
        StoreOptionsError: if no database is configured.
    """
    url = options.store_url(conf)
    if url is None:
        raise StoreOptionsError(
            "[instance_ha] connection is not set, so there is no store; integrate database, "
            "or give --config-file"
        )
    return url


def moves_at_once(conf: cfg.ConfigOpts) -> int:
    """Return how many servers of one host Masakari moves at the same time."""
    theirs = cfg.ConfigOpts()
    theirs.register_opt(cfg.IntOpt("host_failure_recovery_threads", default=3, min=1))
    theirs(args=[], default_config_files=list(conf.config_file or []), default_config_dirs=[])
    return theirs.host_failure_recovery_threads


def _masakaris(conf: cfg.ConfigOpts) -> cfg.ConfigOpts.GroupAttr:
    """Return ``[host_failure]`` of the same files.

    It is read aside: inside Masakari's own processes these options are Masakari's to define.
    """
    theirs = cfg.ConfigOpts()
    theirs.register_opts(
        [
            cfg.BoolOpt("evacuate_all_instances", default=True),
            cfg.StrOpt("ha_enabled_instance_metadata_key", default="HA_Enabled"),
            cfg.BoolOpt("ignore_instances_in_error_state", default=False),
            cfg.StrOpt("service_disable_reason", default="Masakari detected host failed."),
        ],
        group="host_failure",
    )
    theirs(args=[], default_config_files=list(conf.config_file or []), default_config_dirs=[])
    return theirs.host_failure


def usual_matrix(conf: cfg.ConfigOpts) -> Chosen:
    """Return the matrix that counts where no operator set one in the store.

    Raises:
        MatrixError: if the matrix file cannot be used.
    """
    networks, path = declared(conf), conf.instance_ha.matrix_file
    if not path:
        return Chosen(matrix=default_matrix(networks), source="default: declared networks")
    try:
        read = rows(Path(path).read_text(encoding="utf-8"), where=path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise MatrixError(f"matrix: {path} cannot be read: {error}; correct the file") from error
    return Chosen(matrix=Matrix.from_rows(read, networks), source=f"default: {path}")


def rows(text: str, *, where: str) -> list[Row]:
    """Read the rows of a matrix from YAML or JSON that came from *where*.

    Raises:
        MatrixError: if it is no list of rows.
    """
    read = yaml.safe_load(text)
    if not isinstance(read, list) or not all(isinstance(row, dict) for row in read):
        raise MatrixError(f"matrix: {where} is no list of rows; see `instance-ha matrix show`")
    return [_words(row) for row in read]


def _words(row: dict[object, object]) -> Row:
    """Return a row in words; YAML may have read them as something else."""
    return {str(name): str(value) for name, value in row.items()}
