# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who this hypervisor is to Nova and to MAAS; knows nothing of Juju."""

from __future__ import annotations

import configparser
import pathlib
import socket

ROOT = pathlib.Path("/")
NOVA_CONF = (
    "var/snap/openstack-hypervisor/common/etc/nova/nova.conf",
    "etc/nova/nova.conf",
)
CLOUD_DATASOURCE = "var/lib/cloud/instance/datasource"
CLOUD_INSTANCE_ID = "var/lib/cloud/data/instance-id"
SNAP_LIBVIRT = "var/snap/openstack-hypervisor/common/run/libvirt"
BOOT_ID = "proc/sys/kernel/random/boot_id"


def nova_host() -> str:
    """Return the name under which Nova knows this hypervisor.

    It is ``host`` of Nova's configuration (the snap's first, then the distribution's); where that
    is not set, Nova takes the machine's host name, and so does this.
    """
    for path in NOVA_CONF:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            parser.read(ROOT / path, encoding="utf-8")
        except configparser.Error:
            continue
        if host := parser.defaults().get("host"):
            return host
    return socket.gethostname()


def maas_system_id() -> str:
    """Return the machine's id in MAAS, or an empty string where MAAS did not install it.

    MAAS hands its system id to cloud-init as the instance id.
    """
    datasource = _read(CLOUD_DATASOURCE)
    return _read(CLOUD_INSTANCE_ID) if datasource.startswith("DataSourceMAAS") else ""


def boot_id() -> str:
    """Return the kernel's id of this boot; it changes with every start of the machine."""
    return _read(BOOT_ID)


def libvirt_uri() -> str:
    """Return where libvirt listens: in the openstack-hypervisor snap, else the system's."""
    socket_dir = ROOT / SNAP_LIBVIRT
    if socket_dir.is_dir():
        return f"qemu+unix:///system?socket=/{SNAP_LIBVIRT}/libvirt-sock"
    return "qemu:///system"


def _read(path: str) -> str:
    try:
        return (ROOT / path).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return ""


def fqdn() -> str:
    """Return the machine's full name as its resolver tells it, else its host name."""
    return socket.getfqdn()
