# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What runs on this hypervisor besides us: its services, its libvirt; read, never changed."""

from __future__ import annotations

import configparser
from collections.abc import Sequence

from charmlibs import systemd

from masakari_monitors import identity

NOVA_COMPUTE = ("nova-compute.service", "snap.openstack-hypervisor.nova-compute.service")
_SNAP = "snap.openstack-hypervisor."
WATCHED = (
    *NOVA_COMPUTE,
    f"{_SNAP}libvirtd.service",
    f"{_SNAP}virtlogd.service",
    f"{_SNAP}neutron-ovn-metadata-agent.service",
    "libvirtd.service",
    "virtlogd.service",
    "neutron-ovn-metadata-agent.service",
    "neutron-openvswitch-agent.service",
)
"""What the process monitor watches unless told otherwise, where it is installed."""
OF_RELATION = f"{_SNAP}masakari-instancemonitor.service"
"""Runs while openstack-hypervisor is related to Masakari by masakari-service."""
OTHER_MONITORS = (
    OF_RELATION,
    "masakari-instance-monitor.service",
    "masakari-process-monitor.service",
)
"""Monitors that would report everything a second time."""
_UNIT_PLACES = ("etc/systemd/system", "lib/systemd/system", "usr/lib/systemd/system")


def installed(units: Sequence[str]) -> tuple[str, ...]:
    """Return those of *units* that this machine has."""
    return tuple(
        unit
        for unit in units
        if any((identity.ROOT / place / unit).is_file() for place in _UNIT_PLACES)
    )


def other_monitor() -> str:
    """Return a monitor that runs beside ours and is none of ours; empty: there is none."""
    return next((unit for unit in installed(OTHER_MONITORS) if systemd.service_running(unit)), "")


def has_libvirt() -> bool:
    """Return whether there is a libvirt to watch."""
    units = ("libvirtd.service", "virtqemud.service", f"{_SNAP}libvirtd.service")
    return bool(installed(units))


def resumes_guests() -> bool:
    """Return whether nova-compute starts guests by itself after a boot."""
    for path in identity.NOVA_CONF:
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        try:
            parser.read(identity.ROOT / path, encoding="utf-8")
        except configparser.Error:
            continue
        said = parser.defaults().get("resume_guests_state_on_host_boot", "")
        if said.strip().lower() in ("true", "1", "yes", "on"):
            return True
    return False
