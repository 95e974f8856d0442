# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import os
import pathlib

import pytest

from lab import disk, network
from lab.host import Host

NOWHERE = pathlib.Path("/dev/null")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="overlay attributes are root's")


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setattr(disk, "HOSTS", tmp_path)
    return tmp_path


def test_a_host_is_recognised_by_its_number():
    for number in range(1, 10):
        each = Host(number=number)
        assert each.uuid.startswith(str(number))
        assert each.address() == f"10.71.0.{10 + number}"
        assert each.address(network.STORAGE) == f"10.73.0.{10 + number}"


@needs_root
def test_a_new_disk_hides_the_machines_own_life(place):
    disk.ensure("h1", number=1, hosts_file="127.0.0.1 localhost\n")

    upper = place / "h1" / "upper"
    assert os.getxattr(upper / "etc/systemd/system", "trusted.overlay.opaque") == b"y"
    assert (upper / "etc/hostname").read_text() == "h1\n"
    assert "libvirt-qemu:" in (upper / "etc/passwd").read_text()
    assert (upper / "etc/systemd/system/systemd-udevd.service").readlink() == NOWHERE


@needs_root
def test_an_existing_disk_stays_as_it_is(place):
    disk.ensure("h1", number=1, hosts_file="")
    hostname = place / "h1" / "upper" / "etc" / "hostname"
    hostname.write_text("renamed\n")

    disk.ensure("h1", number=1, hosts_file="")

    assert hostname.read_text() == "renamed\n"


@needs_root
def test_a_bind_is_listed_once(place):
    disk.ensure("h1", number=1, hosts_file="")
    bind = disk.Bind(source=pathlib.Path("/srv"), target=pathlib.Path("/mnt"))

    disk.add_bind("h1", bind)
    disk.add_bind("h1", bind)

    assert (place / "h1" / "binds").read_text().count("/srv /mnt ro\n") == 1


def test_names_of_ports_fit_the_kernel():
    short = network.port_name("iha-h1", to=network.STORAGE)
    long = network.port_name("iha-consul-management-1", to=network.MANAGEMENT)
    other = network.port_name("iha-consul-management-2", to=network.MANAGEMENT)
    assert short == "h1-sto0"
    assert len(long) <= 15
    assert long != other
