# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the controller attends to beside the recoveries, made out of options."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from instance_ha.enrolling import Enrolling
from instance_ha.enrolment import EnrolPolicy, Rule
from instance_ha.evasion import Budget, Evading
from instance_ha.homing import Homing
from instance_ha.muster import Muster
from instance_ha.orphanage import Orphanage
from instance_ha.reboots import Reboots
from masakari_instance_ha.connection import connect
from masakari_instance_ha.fencing import targets
from masakari_instance_ha.fleet import OpenStackFleet
from masakari_instance_ha.hypervisors import boot_ids
from masakari_instance_ha.mover import NovaMover
from masakari_instance_ha.notices import MasakariNotices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oslo_config import cfg

    from instance_ha.ports import Cloud, Duty, Observer
    from masakari_instance_ha.store import Store


def build(
    conf: cfg.ConfigOpts, *, store: Store, observer: Observer, cloud: Cloud
) -> Sequence[Duty]:
    """Return every duty; nothing is called yet.

    Raises:
        CloudOptionsError: if the login is incomplete.
        PolicyError: if an option means nothing.
    """
    hypervisors, actor = fleet(conf), f"controller@{conf.instance_ha.unit}"
    return (
        Evading(mover=NovaMover(connect(conf)), journal=store, budget=budget(conf), actor=actor),
        *(_homing(conf, store=store, actor=actor) if conf.instance_ha_migrate.back else ()),
        Orphanage(
            notices=MasakariNotices(connect(conf)),
            cloud=cloud,
            journal=store,
            orphan_after_s=conf.instance_ha.orphan_after,
        ),
        Enrolling(fleet=hypervisors, roll=store.roll(), policy=enrol_policy(conf)),
        Muster(
            fleet=hypervisors,
            observer=observer,
            board=store.board(),
            targets=partial(targets.problems, conf.instance_ha_fencing.targets_file),
            reboots=Reboots(
                published=partial(boot_ids, conf.instance_ha.hypervisors_file),
                book=store.boots(),
                board=store.board(),
            ),
        ),
    )


def _homing(conf: cfg.ConfigOpts, *, store: Store, actor: str) -> Sequence[Duty]:
    at_once = conf.instance_ha_migrate.at_once
    mover = NovaMover(connect(conf))
    return (Homing(mover=mover, journal=store, at_once=at_once, actor=actor),)


def budget(conf: cfg.ConfigOpts) -> Budget:
    """Return how fast servers are moved live."""
    chosen = conf.instance_ha_migrate
    return Budget(
        after_s=chosen.after,
        at_once=chosen.at_once,
        per_minute=chosen.per_minute,
        max_share=conf.instance_ha.max_failing_percent / 100,
    )


def fleet(conf: cfg.ConfigOpts) -> OpenStackFleet:
    """Return Nova's hypervisors; nothing is called yet."""
    method = conf.instance_ha_enrolment.recovery_method
    return OpenStackFleet(connect(conf), recovery_method=method)


def enrol_policy(conf: cfg.ConfigOpts) -> EnrolPolicy:
    """Return how hypervisors are enrolled."""
    chosen = conf.instance_ha_enrolment
    return EnrolPolicy(
        rule=None if chosen.rule is None else Rule(chosen.rule),
        segment=chosen.segment,
        wait_s=chosen.wait,
        gone_after_s=chosen.gone_after,
        max_gone_share=conf.instance_ha.max_failing_percent / 100,
    )
