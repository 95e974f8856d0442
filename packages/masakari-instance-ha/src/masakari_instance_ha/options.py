# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every option of the plugin; times are seconds.

The charm renders them to ``/etc/masakari/instance-ha.conf``, which is given as a further
``--config-file`` to masakari-engine, masakari-hostmonitor and the command ``instance-ha``.
"""

from __future__ import annotations

from oslo_config import cfg

from instance_ha.model import Network
from masakari_instance_ha import duty_options, server_options
from masakari_instance_ha.guard_options import GUARDS

CONTROL = cfg.OptGroup("instance_ha", title="Judging hosts and keeping incidents")
FENCING = cfg.OptGroup("instance_ha_fencing", title="Proving that a host no longer writes")
RECOVERY = cfg.OptGroup("instance_ha_recovery", title="Moving servers off a fenced host")
CONSUL = cfg.OptGroup("instance_ha_consul", title="Consul servers, one cluster per network")
API = cfg.OptGroup("instance_ha_api", title="Keystone login of the controller and the command")

_CONTROL_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "connection",
        secret=True,
        help="SQLAlchemy URL of the store; empty means [database] connection of masakari.conf.",
    ),
    cfg.StrOpt("unit", default="masakari", help="Name of this unit, shown as who did something."),
    cfg.ListOpt(
        "networks",
        default=[network.value for network in Network],
        help="Networks that the operator declared. What is not declared is never asked.",
    ),
    cfg.FloatOpt("tick", default=1.0, min=0.1, help="Pause between two passes of the controller."),
    cfg.FloatOpt(
        "hold",
        default=3.0,
        min=0.0,
        max=600.0,
        help="How long evidence must hold to count. Less finds losses sooner, and below 3 s takes "
        "rumours of a host that comes back for losses.",
    ),
    cfg.IntOpt(
        "samples",
        default=3,
        min=1,
        max=60,
        help="How many passes in a row must see it, however long they take. Matters where a pass "
        "takes longer than hold / samples.",
    ),
    cfg.FloatOpt(
        "partial_hold",
        default=10.0,
        min=0.0,
        max=600.0,
        help="How long a loss must hold while the host is up on another network; at least hold. "
        "Less recovers a host sooner whose storage alone is lost, and fences one whose cable or "
        "port comes back after that time.",
    ),
    cfg.IntOpt(
        "flap_changes",
        default=4,
        min=0,
        max=100,
        help="Changes between up and down of one network within flap_window that make its host a "
        "flapping one, of which every change must hold for flap_hold; a loss and a return are 2. "
        "0: no host ever is one, and 1 is refused.",
    ),
    cfg.FloatOpt("flap_window", default=300.0, min=1.0, max=86400.0, help="See flap_changes."),
    cfg.FloatOpt(
        "flap_hold",
        default=30.0,
        min=0.0,
        max=3600.0,
        help="How long a change of a flapping host must hold. More spares it recoveries that end "
        "as it comes back, and finds its real loss later by as much.",
    ),
    *GUARDS,
    cfg.FloatOpt(
        "return_after", default=60.0, min=0.0, help="Healthy time before a host returns."
    ),
    cfg.StrOpt(
        "return_mode",
        default="automatic",
        choices=[
            ("automatic", "a fenced host that is back and well is put to work by itself"),
            ("manual", "it waits until a person says: instance-ha host return HOST"),
        ],
        help="Who decides that a host that was lost works again.",
    ),
    cfg.BoolOpt(
        "refill_reserve",
        default=True,
        help="Whether a host whose servers a reserved host took over comes back as a reserve, so "
        "that the pool keeps its size and its servers stay where they are; else it works again, "
        "and the pool is one smaller. Matters only in segments with a recovery method that uses "
        "reserves.",
    ),
    cfg.FloatOpt(
        "orphan_after",
        default=30.0,
        min=10.0,
        help="Silence of an engine after which its notification is given to another one.",
    ),
    cfg.FloatOpt(
        "duplicate_window",
        default=45.0,
        min=0.0,
        help="What masakari.conf has as duplicate_notification_detection_interval. A failed "
        "recovery is tried anew after it. Masakari's own 180 tells racing monitors apart; here "
        "only one controller notifies at a time.",
    ),
    cfg.FloatOpt(
        "lease_ttl",
        default=7.0,
        min=3.0,
        help="Silence after which another controller acts, up to 3 s later. A pass that takes "
        "longer acts no more, so it must be well above tick.",
    ),
    cfg.StrOpt(
        "hypervisors_file",
        help="JSON of what the hypervisors published of themselves: their boots and addresses. "
        "Empty: a reboot that no network noticed stays unnoticed.",
    ),
    cfg.PortOpt(
        "metrics_port",
        default=0,
        help="Where this process serves /metrics and /health, on every address; 0: nowhere.",
    ),
    cfg.IntOpt(
        "spare_interval",
        default=900,
        min=0,
        help="Seconds between two counts of how many hosts of a segment may be lost with room for "
        "all servers, a question to Placement for each server; 0: never.",
    ),
    cfg.StrOpt("matrix_file", help="YAML or JSON rows of the network matrix; empty: the default."),
]

_FENCING_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt(
        "mode",
        choices=[
            ("maas", "a ladder of proofs, which usually begins with MAAS"),
            ("none", "no proof at all, by the operator's explicit choice"),
        ],
        help="What proves that a host no longer writes; required.",
    ),
    cfg.StrOpt("maas_url", help="For example http://10.0.0.5:5240/MAAS"),
    cfg.StrOpt(
        "maas_credentials_file",
        help="File with the API key as consumer:token:secret, mode 0640 or less; read anew when "
        "it changes.",
    ),
    cfg.StrOpt("ca_file", help="PEM bundle that signs MAAS's certificate; empty: the system's."),
    cfg.StrOpt(
        "targets_file",
        help="JSON: Nova host name -> {system_id, fqdn, hostname, storage_addresses}; read anew "
        "when it changes.",
    ),
    cfg.ListOpt(
        "rungs",
        default=[],
        help="Ways to prove that a host cannot write, in the order in which they are tried: "
        "maas, redfish, ipmi, ceph. Empty: all to which there is access, in this order, without "
        "ceph: that one has to be named.",
    ),
    cfg.DictOpt(
        "segment_rungs",
        default={},
        help="Segments with another ladder, for example rack-1:ipmi+ceph,rack-2:maas",
    ),
    cfg.StrOpt(
        "bmc_file",
        help="JSON: Nova host name -> its BMCs with user and password, mode 0640 or less; read "
        "anew when it changes.",
    ),
    cfg.StrOpt("ceph_conf", help="Ceph's configuration; with it, storage can be fenced."),
    cfg.StrOpt("ceph_keyring", help="Keyring of ceph_user, mode 0640 or less."),
    cfg.StrOpt("ceph_user", default="instance-ha", help="Ceph client that may blocklist others."),
    cfg.FloatOpt("ceph_timeout", default=20.0, min=2.0, help="Of one command of Ceph's."),
    cfg.FloatOpt(
        "blocklist_expiry",
        default=604800.0,
        min=3600.0,
        help="After which Ceph listens to a refused host again by itself. Longer than anybody "
        "takes to look at a dead host: an expired entry lets a host write that still runs.",
    ),
    cfg.FloatOpt(
        "rung_deadline",
        default=30.0,
        min=1.0,
        help="What a rung has for its proof while another one is below it; the last one has "
        "order_deadline.",
    ),
    cfg.BoolOpt(
        "power_on",
        default=False,
        help="Whether a host is powered on again once its servers have moved.",
    ),
    cfg.FloatOpt("order_deadline", default=60.0, min=1.0, help="From an order to the answer off."),
    cfg.FloatOpt("query_interval", default=1.0, min=0.1, help="Pause between two power queries."),
    cfg.FloatOpt(
        "patience",
        default=300.0,
        min=0.0,
        help="How long the fence task starts new tries before it fails the recovery.",
    ),
    cfg.FloatOpt(
        "request_timeout",
        default=35.0,
        min=1.0,
        help="Of one request; MAAS needs up to 30 s to ask a slow BMC.",
    ),
]

_RECOVERY_OPTIONS: list[cfg.Opt] = [
    cfg.FloatOpt("poll_interval", default=0.5, min=0.1, help="Pause between two looks at Nova."),
    cfg.IntOpt("evacuation_tries", default=3, min=1, help="Orders per server and notification."),
    cfg.FloatOpt(
        "evacuation_pause",
        default=5.0,
        min=0.0,
        help="From a failed try of a server to its next; doubled each time, up to a minute.",
    ),
    cfg.FloatOpt(
        "stagger",
        default=0.2,
        min=0.0,
        help="Pause between two orders of one host's servers; 0 orders as many at once as may "
        "be under way. Of orders that come at once, Nova's scheduler sends many to one host. More "
        "spares a slow storage or image service, and costs that time per server.",
    ),
    cfg.FloatOpt(
        "evacuation_deadline",
        default=600.0,
        min=10.0,
        help="After which a rebuild that a living host began and has not ended is ordered once "
        "more, on that host alone, and after which a server that has not arrived then is reported "
        "as not moved. Nova waits 300 s for a port: stay above that.",
    ),
    cfg.FloatOpt(
        "heartbeat",
        default=5.0,
        min=0.5,
        help="Pause between two signs of life of a working engine; well below orphan_after.",
    ),
    cfg.FloatOpt(
        "guard_interval",
        default=15.0,
        min=1.0,
        help="Pause between two looks at the fenced host's power while its servers move.",
    ),
]

_CONSUL_OPTIONS: list[cfg.Opt] = [
    *(
        cfg.ListOpt(
            network.value,
            default=[],
            help=f"host:port of the HTTP API of the {network.value} network's servers.",
        )
        for network in Network
    ),
    cfg.FloatOpt("request_timeout", default=1.5, min=0.1, help="Of one request to one server."),
    cfg.FloatOpt(
        "rest",
        default=5.0,
        min=1.0,
        max=60.0,
        help="From one question to a server to the next while nothing changes; every second "
        "otherwise. More costs less, and finds a loss later by as much where the server's alarm "
        "is silent, as while its cluster has no leader.",
    ),
    cfg.FloatOpt(
        "wait",
        default=30.0,
        min=0.0,
        max=600.0,
        help="How long one query waits for the alarm that something changes. 0: no alarm, and "
        "every server is asked every second.",
    ),
    cfg.BoolOpt(
        "discover",
        default=True,
        help="Read the servers that were not listed from the members with the role consul.",
    ),
]

_API_OPTIONS: list[cfg.Opt] = [
    cfg.StrOpt("auth_url", help="Keystone's public or internal URL."),
    cfg.StrOpt("username", help="User with the admin role."),
    cfg.StrOpt("password", secret=True, help="Its password."),
    cfg.StrOpt("project_name", help="Its project."),
    cfg.StrOpt("user_domain_name", default="Default", help="Domain of the user."),
    cfg.StrOpt("project_domain_name", default="Default", help="Domain of the project."),
    cfg.StrOpt("region_name", help="Region whose endpoints are used."),
    cfg.StrOpt("interface", default="internal", help="Endpoint interface: internal or public."),
    cfg.StrOpt("cafile", help="PEM bundle that signs the endpoints' certificates."),
    cfg.BoolOpt("insecure", default=False, help="Whether certificates go unchecked."),
]

_GROUPS: list[tuple[cfg.OptGroup, list[cfg.Opt]]] = [
    (CONTROL, _CONTROL_OPTIONS),
    (FENCING, _FENCING_OPTIONS),
    (RECOVERY, _RECOVERY_OPTIONS),
    *server_options.GROUPS,
    *duty_options.GROUPS,
    (CONSUL, _CONSUL_OPTIONS),
    (API, _API_OPTIONS),
]


def register(conf: cfg.ConfigOpts) -> None:
    """Make *conf* know every option of the plugin; calling it again changes nothing."""
    for group, options in _GROUPS:
        conf.register_group(group)
        conf.register_opts(options, group=group)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return every option for ``oslo-config-generator``."""
    return list(_GROUPS)


def store_url(conf: cfg.ConfigOpts) -> str | None:
    """Return the URL of the store, or None where neither group says one.

    The engine finds it in masakari's own ``[database]``; other processes need ``[instance_ha]``.
    """
    if conf.instance_ha.connection:
        return str(conf.instance_ha.connection)
    if "database" in conf and conf.database.connection:
        return str(conf.database.connection)
    return None
