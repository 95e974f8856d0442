# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Options of what the controller attends to beside the recoveries; times are seconds."""

from __future__ import annotations

from oslo_config import cfg

ENROLMENT = cfg.OptGroup("instance_ha_enrolment", title="Hypervisors that are enrolled by rule")
MIGRATE = cfg.OptGroup("instance_ha_migrate", title="Servers that are moved live off a host")

_ENROLMENT_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "rule",
        choices=[
            ("off", "nothing is enrolled, nothing leaves"),
            ("segment", "one segment for all"),
            ("zone", "the segment named like the availability zone"),
            ("aggregate", "the segment named like the host aggregate"),
        ],
        help="Which segment a new hypervisor becomes a host of, by itself. Not set: one segment "
        "for all, but only where no person has enrolled a host by hand. What is enrolled may be "
        "powered off when it is lost.",
    ),
    cfg.StrOpt(
        "segment",
        default="instance-ha",
        help="The one segment; made if there is none of the name.",
    ),
    cfg.StrOpt(
        "recovery_method",
        default="auto",
        choices=["auto", "auto_priority", "reserved_host", "rh_priority"],
        help="Of a segment that the rule makes; one that is there keeps its own.",
    ),
    cfg.FloatOpt(
        "wait",
        default=300.0,
        min=0.0,
        help="How long a new hypervisor is left for a person to place; it is unprotected so long.",
    ),
    cfg.FloatOpt(
        "gone_after",
        default=600.0,
        min=60.0,
        help="How long Nova must have no compute service of a host before it leaves its segment.",
    ),
]

_MIGRATE_OPTIONS: list[cfg.Opt] = [
    cfg.FloatOpt(
        "after",
        default=30.0,
        min=1.0,
        help="How long a loss whose matrix row says migrate must last before servers are moved.",
    ),
    cfg.IntOpt(
        "at_once",
        default=2,
        min=1,
        max=50,
        help="Live migrations under way from one host; more load its management network.",
    ),
    cfg.BoolOpt(
        "back",
        default=False,
        help="Whether servers are moved back, live, to a host that lost them within a day and "
        "works again, at_once at a time. A move that Nova gives up is begun once more; none "
        "is begun while any host is lost. Every move costs its server something; instance-ha "
        "move-back does it by hand.",
    ),
    cfg.IntOpt(
        "per_minute", default=10, min=1, max=600, help="Live migrations begun in a minute, in all."
    ),
]

GROUPS: list[tuple[cfg.OptGroup, list[cfg.Opt]]] = [
    (ENROLMENT, _ENROLMENT_OPTIONS),
    (MIGRATE, _MIGRATE_OPTIONS),
]
