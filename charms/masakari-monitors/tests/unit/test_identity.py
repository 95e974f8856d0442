# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Names that Nova, MAAS and the resolver know a machine by."""

from __future__ import annotations

import socket

import pytest

from masakari_monitors import identity

SNAP = "var/snap/openstack-hypervisor/common/etc/nova/nova.conf"
DISTRIBUTION = "etc/nova/nova.conf"


@pytest.fixture(autouse=True)
def host_name(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "machine-7")


def test_the_snap_s_configuration_comes_first(hypervisor):
    hypervisor.write(SNAP, "[DEFAULT]\nhost = h1.snap\n")
    hypervisor.write(DISTRIBUTION, "[DEFAULT]\nhost = h1.deb\n")

    assert identity.nova_host() == "h1.snap"


@pytest.mark.parametrize(
    "snap",
    [
        pytest.param("host = before any section\n", id="malformed"),
        pytest.param("[DEFAULT]\ndebug = true\n", id="silent"),
        pytest.param("[DEFAULT]\nhost =\n", id="empty"),
    ],
)
def test_a_configuration_that_says_nothing_is_passed_over(hypervisor, snap):
    hypervisor.write(SNAP, snap)
    hypervisor.write(DISTRIBUTION, "[DEFAULT]\nhost = h1.deb\n")

    assert identity.nova_host() == "h1.deb"


def test_options_twice_and_percent_signs_are_read_as_nova_reads_them(hypervisor):
    hypervisor.write(
        DISTRIBUTION,
        "[DEFAULT]\nhost = old\nhost = h1\nlog = %(x)s\n[DEFAULT]\ndebug = 1\n",
    )

    assert identity.nova_host() == "h1"


def test_without_any_configuration_nova_takes_the_host_name(hypervisor):
    (hypervisor.root / DISTRIBUTION).unlink()

    assert identity.nova_host() == "machine-7"


def test_a_machine_without_cloud_init_has_no_system_id(hypervisor):
    (hypervisor.root / "var/lib/cloud/instance/datasource").unlink()

    assert identity.maas_system_id() == ""


def test_without_the_snap_libvirt_is_the_system_s(hypervisor):
    assert identity.libvirt_uri() == "qemu:///system"
