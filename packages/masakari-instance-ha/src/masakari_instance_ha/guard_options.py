# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The options of the guards, in the group ``instance_ha``; times are seconds."""

from __future__ import annotations

from oslo_config import cfg

GUARDS: list[cfg.Opt] = [
    cfg.IntOpt(
        "max_failing_percent",
        default=50,
        min=1,
        max=100,
        help="Share of a segment's hosts that may be failing at once; beyond it none of them is "
        "recovered. Less holds sooner, and may hold two hosts that happen to die together.",
    ),
    cfg.IntOpt(
        "max_failing_domain_percent",
        default=50,
        min=1,
        max=100,
        help="The same of each host aggregate and of each availability zone. A single host is "
        "never too many.",
    ),
    cfg.IntOpt(
        "domain_hosts_per_minute",
        default=4,
        min=0,
        max=1000,
        help="Hosts a minute that are recovered of an aggregate or a zone that is lost whole, "
        "though they are more than may fail at once. 0: such a loss is held as any other.",
    ),
    cfg.IntOpt(
        "max_hosts_per_minute",
        default=10,
        min=1,
        max=1000,
        help="Hosts a minute that are recovered in the whole cloud; at least "
        "domain_hosts_per_minute. More moves faster and loads Nova's scheduler and the image "
        "store more.",
    ),
    cfg.FloatOpt(
        "storm_cooldown",
        default=60.0,
        min=0.0,
        max=86400.0,
        help="Calm after too many hosts failed at once, before what is still lost of them is "
        "recovered. Less trusts sooner that a network is well again; 0: at once.",
    ),
    cfg.BoolOpt(
        "approval",
        default=False,
        help="Whether every lost host is fenced only, and its servers wait for "
        "`instance-ha incident approve`. They stay down until somebody answers.",
    ),
    cfg.ListOpt(
        "approval_segments",
        default=[],
        help="Names of the segments of which that is so, where it is not so of all.",
    ),
    cfg.BoolOpt(
        "kdump",
        default=False,
        help="Whether a host that is lost on every network is given time to write a dump of its "
        "kernel, while its fence_kdump messages come. Its servers stay down so long, and every "
        "such host is recovered later by kdump_wait.",
    ),
    cfg.FloatOpt(
        "kdump_wait",
        default=20.0,
        min=0.0,
        max=300.0,
        help="How long it is waited for a lost host's first message, counted from its loss; at "
        "most kdump_timeout. Less than the kernel that writes the dump takes to boot, and the "
        "fence cuts the dump off.",
    ),
    cfg.FloatOpt(
        "kdump_timeout",
        default=300.0,
        min=1.0,
        max=7200.0,
        help="How long a dump may take, counted from the loss; the host is fenced after that, or "
        "once it has been silent for 30 s. Less than a dump takes cuts it off.",
    ),
    cfg.PortOpt(
        "kdump_port",
        default=7410,
        help="The UDP port that the messages come to, of this machine or of what passes them on "
        "with the sender's address.",
    ),
    cfg.FloatOpt(
        "approval_patience",
        default=300.0,
        min=1.0,
        max=3600.0,
        help="How long an engine waits for the answer with one of its threads. The incident goes "
        "on waiting after that, and is taken up again within duplicate_window of the answer.",
    ),
]
