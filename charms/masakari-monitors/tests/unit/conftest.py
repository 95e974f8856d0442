# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor that remembers what the charm did to it."""

import json
import pathlib

import pytest
from charmlibs import systemd
from ops import testing

from charm import MasakariMonitorsCharm
from hypervisor_instance_ha.settings import Settings, load
from masakari_instance_ha.standalone import Program
from masakari_monitors import identity, workload


class Hypervisor:
    """A machine in a directory; its systemd only remembers what it was told."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.restarts: list[str] = []
        self.units: set[str] = set()
        """Those that run."""

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: pathlib.Path) -> str:
        return (self.root / path).read_text()

    @property
    def settings(self) -> Settings:
        return load(self.root / workload.CONFIG)

    def install(self, unit: str) -> None:
        self.write(f"lib/systemd/system/{unit}", "[Service]\n")

    def say(self, program: str, **facts: object) -> None:
        self.write(f"run/instance-ha/{program}.json", json.dumps(facts))

    def restart(self, unit: str) -> bool:
        self.restarts.append(unit)
        self.units.add(unit)
        return True

    def stop(self, unit: str) -> bool:
        self.units.discard(unit)
        return True


@pytest.fixture
def hypervisor(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Hypervisor:
    machine = Hypervisor(tmp_path)
    machine.write("proc/sys/kernel/random/boot_id", "0c3c1d5e-boot\n")
    machine.write("var/lib/cloud/instance/datasource", "DataSourceMAAS: DataSourceMAAS [net]\n")
    machine.write("var/lib/cloud/data/instance-id", "sys-h1\n")
    machine.write("etc/nova/nova.conf", "[DEFAULT]\nhost = h1\n")
    machine.write("usr/lib/python3/dist-packages/libvirt.py", "")
    machine.install("libvirtd.service")
    machine.install("nova-compute.service")
    monkeypatch.setattr(identity, "ROOT", tmp_path)
    monkeypatch.setattr(identity, "fqdn", lambda: "h1.maas")
    monkeypatch.setattr(workload, "ROOT", tmp_path)
    # A thousand files of libraries tell nothing here.
    monkeypatch.setattr(Program, "ensure", lambda self, home: home / f"{self.name}-1")
    monkeypatch.setattr(systemd, "daemon_reload", lambda: True)
    monkeypatch.setattr(systemd, "service_enable", lambda *_: True)
    monkeypatch.setattr(systemd, "service_disable", lambda *_: True)
    monkeypatch.setattr(systemd, "service_restart", machine.restart)
    monkeypatch.setattr(systemd, "service_start", machine.restart)
    monkeypatch.setattr(systemd, "service_stop", machine.stop)
    monkeypatch.setattr(systemd, "service_running", lambda unit: unit in machine.units)
    return machine


@pytest.fixture
def ctx() -> testing.Context[MasakariMonitorsCharm]:
    return testing.Context(MasakariMonitorsCharm, machine_id="3")
