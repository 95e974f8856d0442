# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor that remembers what the charm did to it."""

import pathlib

import pytest
from charmlibs import systemd
from ops import testing

from charm import MasakariMonitorsCharm
from masakari_monitors import identity, workload


class Hypervisor:
    """A machine in a directory; its systemd only counts."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = root
        self.restarts = 0
        self.running = False
        self.command: str | None = "/usr/bin/masakari-instancemonitor"

    def write(self, path: str, text: str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def read(self, path: pathlib.Path) -> str:
        return (self.root / path).read_text()

    def restart(self, *_: str) -> bool:
        self.restarts += 1
        self.running = True
        return True

    def stop(self, *_: str) -> bool:
        self.running = False
        return True


@pytest.fixture
def hypervisor(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Hypervisor:
    machine = Hypervisor(tmp_path)
    machine.write("proc/sys/kernel/random/boot_id", "0c3c1d5e-boot\n")
    machine.write("var/lib/cloud/instance/datasource", "DataSourceMAAS: DataSourceMAAS [net]\n")
    machine.write("var/lib/cloud/data/instance-id", "sys-h1\n")
    machine.write("etc/nova/nova.conf", "[DEFAULT]\nhost = h1\n")
    monkeypatch.setattr(identity, "ROOT", tmp_path)
    monkeypatch.setattr(identity, "fqdn", lambda: "h1.maas")
    monkeypatch.setattr(workload, "ROOT", tmp_path)
    monkeypatch.setattr(workload, "command", lambda: machine.command)
    monkeypatch.setattr(systemd, "daemon_reload", lambda: True)
    monkeypatch.setattr(systemd, "service_enable", lambda *_: True)
    monkeypatch.setattr(systemd, "service_disable", lambda *_: True)
    monkeypatch.setattr(systemd, "service_restart", machine.restart)
    monkeypatch.setattr(systemd, "service_start", machine.restart)
    monkeypatch.setattr(systemd, "service_stop", machine.stop)
    monkeypatch.setattr(systemd, "service_running", lambda *_: machine.running)
    return machine


@pytest.fixture
def ctx() -> testing.Context[MasakariMonitorsCharm]:
    return testing.Context(MasakariMonitorsCharm, machine_id="3")
