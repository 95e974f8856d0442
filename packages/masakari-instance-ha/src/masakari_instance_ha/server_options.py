# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Options of what is done about servers: which move, and when one is started again."""

from __future__ import annotations

from oslo_config import cfg

from instance_ha.restarts import Remedy
from instance_ha.selection import OWN_HEALERS, TAG, Disks, Protect

RESTARTS = cfg.OptGroup("instance_ha_restarts", title="One server whose process died")
SERVERS = cfg.OptGroup("instance_ha_servers", title="Which servers are moved")


_RESTARTS_OPTIONS: list[cfg.Opt] = [
    cfg.IntOpt(
        "most",
        default=3,
        min=0,
        help="Times within the window that a server is started where it was.",
    ),
    cfg.FloatOpt("window", default=3600.0, min=1.0, help="The window; one hour by default."),
    cfg.StrOpt(
        "then",
        default=Remedy.MOVE.value,
        choices=[
            ("move", "migrate it, cold, to another host; stop it if that did not help either"),
            ("stop", "leave it stopped and log an error"),
            ("restart", "start it where it was, however often"),
        ],
        help="What is done beyond that.",
    ),
    cfg.FloatOpt(
        "deadline",
        default=300.0,
        min=10.0,
        help="For each of stopping, migrating and starting the server.",
    ),
]

_SERVERS_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "protect",
        choices=[word.value for word in Protect],
        help="Who is moved: all; who has the metadata key HA_Enabled; or who has the tag. Empty: "
        "what [host_failure] evacuate_all_instances says.",
    ),
    cfg.DictOpt(
        "segments",
        default={},
        help="Segments in which somebody else is moved, for example rack-1:tag,rack-2:all.",
    ),
    cfg.StrOpt(
        "tag",
        default=TAG,
        help="Tag of a server, property of its image or extra spec of its flavor.",
    ),
    cfg.MultiStrOpt(
        "ignored",
        default=list(OWN_HEALERS),
        help="Servers that are left although they would be moved, unless their own tag or "
        "metadata asks for it: name=EXPRESSION, project=ID, tag=TAG or metadata=KEY:VALUE, one a "
        "line. The default is Octavia's amphorae; an empty line ignores nobody.",
    ),
    cfg.StrOpt(
        "disks",
        default=Disks.ASK.value,
        choices=[
            ("ask", "Nova's destination looks for the disk, and what it cannot reach stays"),
            ("shared", "all are on shared storage; what is not is rebuilt from its image, EMPTY"),
            ("local", "all are lost with the host, and stay without being tried"),
        ],
        help="Where the disks of servers are that were not booted from a volume.",
    ),
]

GROUPS: list[tuple[cfg.OptGroup, list[cfg.Opt]]] = [
    (SERVERS, _SERVERS_OPTIONS),
    (RESTARTS, _RESTARTS_OPTIONS),
]
