# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Make a lab host a hypervisor: libvirtd, virtlogd and nova-compute as units of its systemd.

They are enabled, so a power cut ends them and a boot starts them again, as on a real machine.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from openstack.connection import Connection

from . import ceph, host, paths, process
from .errors import LabError
from .host import Host
from .openstack import Profile, cloud, database, places, services
from .openstack.configuration import LOG_LEVELS, Sections, nova_clients, render

STATE = "/var/lib/nova"
"""A hypervisor's own directory of Nova, with the consoles of its guests."""

_MICROVERSION = "2.53"
_UNITS = {"light": ("nova-compute",), "full": ("virtlogd", "libvirtd", "nova-compute")}

_NOVA_UNIT = """[Unit]
Description=OpenStack Compute
After=network.target libvirtd.service
Wants={libvirtd}

[Service]
Environment=PYTHONWARNINGS=ignore
Environment=PATH={venv}/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={venv}/bin/nova-compute --config-file /etc/nova/nova.conf
# It would wait for an answer of a libvirtd that is gone.
TimeoutStopSec=20
Restart=on-failure
RestartSec=2
StateDirectory=nova

[Install]
WantedBy=multi-user.target
"""

# Guests outlive a restart of these two: their processes are left alone.
_LIBVIRT_UNIT = """[Unit]
Description={description}
{order}

[Service]
Type=notify
ExecStart=/usr/sbin/{command}
Restart=on-failure
KillMode=process
OOMScoreAdjust=-999

[Install]
WantedBy=multi-user.target
"""

QEMU_CONFIG = """user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
cgroup_controllers = []
namespaces = []
seccomp_sandbox = 0
stdio_handler = "logd"
"""

LIBVIRTD_CONFIG = """auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
unix_sock_ro_perms = "0777"
unix_sock_rw_perms = "0700"
host_uuid = "{uuid}"
keepalive_interval = 5
# Other hypervisors move guests here, live.
listen_tls = 0
listen_tcp = 1
listen_addr = "{address}"
auth_tcp = "none"
"""


def ensure_up(hosts: Sequence[Host], *, profile: Profile) -> None:
    """Make *hosts* hypervisors, boot those that are off, and wait until Nova sees all of them up.

    The control plane, and in the full profile Ceph, must be up.
    """
    storage = ceph.client_files() if profile == "full" else {}
    for each in hosts:
        _install(each, profile=profile, storage=storage)
        if host.is_on(each):
            host.run(each, ["systemctl", "start", *_UNITS[profile]])
    host.ensure_up(hosts)
    wait_up(hosts)


def _install(each: Host, *, profile: Profile, storage: Mapping[str, str]) -> None:
    host.write(each, "/etc/nova/nova.conf", render(_nova(each, profile=profile)), mode=0o640)
    for path, text in storage.items():
        host.write(each, f"/etc/{path}", text, mode=0o600)
    if profile == "full":
        host.write(each, "/etc/libvirt/qemu.conf", QEMU_CONFIG)
        config = LIBVIRTD_CONFIG.format(uuid=each.uuid, address=each.address())
        host.write(each, "/etc/libvirt/libvirtd.conf", config)
        after = "Requires=virtlogd.service\nAfter=virtlogd.service"
        for command, description, order in (
            ("virtlogd", "Console logs of virtual machines", "Before=libvirtd.service"),
            ("libvirtd --listen", "Virtual machines", after),
        ):
            unit = _LIBVIRT_UNIT.format(command=command, description=description, order=order)
            host.install_unit(each, f"{command.split()[0]}.service", unit)
    libvirtd = "libvirtd.service" if profile == "full" else ""
    unit = _NOVA_UNIT.format(venv=paths.openstack_venv(), libvirtd=libvirtd)
    host.install_unit(each, "nova-compute.service", unit)


def _nova(each: Host, *, profile: Profile) -> Sections:
    # Guests never start by a boot alone: who was evacuated would run twice.
    everywhere = {
        "DEFAULT": {
            "use_stderr": True,
            "default_log_levels": LOG_LEVELS,
            "host": each.name,
            "my_ip": each.address(),
            "transport_url": places.TRANSPORT_URL,
            "state_path": STATE,
            "resume_guests_state_on_host_boot": False,
            "reserved_host_memory_mb": 0,
            "reserved_host_disk_mb": 0,
        },
        "oslo_concurrency": {"lock_path": "/run/lock/nova"},
        **nova_clients(),
    }
    driver = _libvirt_driver(each) if profile == "full" else _fake_driver()
    return {
        **everywhere,
        **driver,
        "DEFAULT": {**everywhere["DEFAULT"], **driver["DEFAULT"]},
    }


def _fake_driver() -> Sections:
    # The plain FakeDriver invents a new node at every start, and Nova refuses that.
    return {"DEFAULT": {"compute_driver": "fake.FakeDriverWithoutFakeNodes"}}


def _libvirt_driver(each: Host) -> Sections:
    privsep = f"{paths.openstack('privsep-helper')} --config-file /etc/nova/nova.conf"
    contexts = ("nova_sys_admin", "vif_plug_linux_bridge_privileged", "privsep_osbrick")
    return {
        "DEFAULT": {"compute_driver": "libvirt.LibvirtDriver", "force_raw_images": True},
        "libvirt": {
            "virt_type": "qemu",
            "cpu_mode": "none",
            "connection_uri": "qemu:///system",
            "live_migration_scheme": "tcp",
            "live_migration_inbound_addr": each.address(),
            "inject_partition": -2,
            "tb_cache_size": 32,
            "num_pcie_ports": 0,
            # The guest reads from its DMI serial which host it runs on.
            "sysinfo_serial": "os",
            "images_type": "rbd",
            "images_rbd_pool": ceph.POOL,
            "images_rbd_ceph_conf": "/etc/ceph/ceph.conf",
            "rbd_user": ceph.USER,
            "rbd_secret_uuid": ceph.SECRET,
        },
        # A move fetches the guest's kernel anew, and Nova takes that for a disk with a bad MBR.
        "workarounds": {"disable_deep_image_inspection": True},
        **{name: {"helper_command": privsep} for name in contexts},
    }


def wait_up(hosts: Sequence[Host]) -> None:
    """Wait until every one of *hosts* is a hypervisor that takes servers.

    Nova calls a host up for a minute after its death, and a server that reaches a nova-compute
    which is just starting ends in ERROR: so what counts is a report of the process that runs now.
    """
    began_s = {each.name: _began_s(each) for each in hosts}
    names = ", ".join(sorted(began_s))
    with cloud() as connection:
        process.wait_until(
            lambda: _schedulable(connection) >= set(began_s) and is_heard(_reported_s(), began_s),
            within_s=180,
            what=f"Nova to see {names} up as hypervisors",
            every_s=0.5,
        )


def is_heard(reported_s: Mapping[str, int], began_s: Mapping[str, int]) -> bool:
    """Tell whether each host's nova-compute has reported since it began.

    Both are cut to whole seconds: a report in the second of the beginning may be that of the
    process before it, as a lost host is back within half a second.
    """
    return all(reported_s.get(name, 0) > began for name, began in began_s.items())


def _began_s(each: Host) -> int:
    """Return when the nova-compute that runs on a host was started, in whole seconds."""
    words = ("--property=ExecMainStartTimestamp", "--value", "--timestamp=unix")
    said = host.run(each, ["systemctl", "show", *words, "nova-compute"]).stdout.strip()
    if not said.startswith("@"):
        raise LabError(f"{each.name} has not started nova-compute; run `python -m lab up` again")
    return int(said[1:])


def _schedulable(connection: Connection) -> set[str]:
    # Later microversions than this one would ask each hypervisor for its uptime, and wait for it.
    found = _get(connection, "/os-hypervisors/detail")["hypervisors"]
    return {
        one["service"]["host"]
        for one in found
        if one["state"] == "up" and one["status"] == "enabled"
    }


def _reported_s() -> dict[str, int]:
    """Return when each host's nova-compute reported last, in whole seconds.

    What Nova's API calls a service's time of change is that of an operator's order as well.
    """
    lines = database.execute(
        "SET time_zone = '+00:00'; SELECT host, UNIX_TIMESTAMP(last_seen_up)"
        " FROM nova_cell1.services WHERE `binary` = 'nova-compute' AND last_seen_up IS NOT NULL"
    ).splitlines()
    return {name: int(at) for name, at in (line.split("\t") for line in lines)}


def _get(connection: Connection, path: str) -> dict[str, Any]:
    answer = connection.compute.get(path, microversion=_MICROVERSION)
    if not answer.ok:
        raise LabError(f"Nova refused {path}: {answer.text}; read {services.NOVA.daemon.log}")
    return answer.json()


def force_down(each: Host) -> None:
    """Tell Nova that a host's service is down, whatever it reports itself."""
    refusal = _set_service(each, {"forced_down": True})
    if refusal:
        raise LabError(f"Nova refused to force {each.name} down: {refusal}; is it enrolled?")


def ensure_in_service(each: Host) -> None:
    """Give a host that is back to Nova's scheduler again.

    Nova takes it back only once its nova-compute has cleaned up after the evacuation. Enabling
    works only on a live service, and only as a change: hence disable, then enable.
    """
    refusal = ""

    def taken_back() -> bool:
        nonlocal refusal
        refusal = _set_service(each, {"forced_down": False})
        return not refusal

    process.wait_until(taken_back, within_s=120, what=f"Nova to take {each.name} back", every_s=1)
    _wait_heard(each)
    for status in ("disabled", "enabled"):
        _set_service(each, {"status": status})


def restart(each: Host) -> None:
    """Start a host's nova-compute again, and wait until that one has reported."""
    host.run(each, ["systemctl", "restart", "nova-compute"])
    _wait_heard(each)


def _wait_heard(each: Host) -> None:
    process.wait_until(
        lambda: is_heard(_reported_s(), {each.name: _began_s(each)}),
        within_s=60,
        what=f"nova-compute on {each.name} to report",
        every_s=0.5,
    )


def _set_service(each: Host, body: Mapping[str, object]) -> str:
    """Change a host's compute service. Return why Nova refused, or nothing."""
    with cloud() as connection:
        for service in connection.compute.services(binary="nova-compute", host=each.name):
            answer = connection.compute.put(
                f"/os-services/{service.id}", json=dict(body), microversion=_MICROVERSION
            )
            return "" if answer.ok else answer.text
    return f"it knows no nova-compute on {each.name}"
