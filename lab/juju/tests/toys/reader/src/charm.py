#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A toy: writes the password that it is told, and runs a service where there is systemd."""

import pathlib

import ops
from charmlibs import systemd

UNIT = pathlib.Path("/etc/systemd/system/toyreader.service")
TEXT = """[Service]
ExecStart=/usr/bin/sleep infinity
Environment=PASSWORD={password}
Restart=always
[Install]
WantedBy=multi-user.target
"""


class ReaderCharm(ops.CharmBase):
    """Read a password."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for event in (
            self.on.start,
            self.on.secret_changed,
            self.on["password"].relation_changed,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on["password"].relation_broken, self._on_broken)
        framework.observe(self.on.stop, self._on_stop)

    def _reconcile(self, _: ops.EventBase) -> None:
        relation = self.model.get_relation("password")
        name = relation.data[relation.app].get("secret") if relation else None
        if not name:
            self.unit.status = ops.BlockedStatus("integrate with store")
            return
        content = self.model.get_secret(id=name, label="told").get_content(refresh=True)
        pathlib.Path("/etc/toy-password").write_text(content["value"])
        if self._has_systemd:
            UNIT.write_text(TEXT.format(password=content["value"]))
            systemd.daemon_reload()
            systemd.service_enable(UNIT.name)
            systemd.service_restart(UNIT.name)
        self.unit.status = ops.ActiveStatus()

    @property
    def _has_systemd(self) -> bool:
        return pathlib.Path("/run/systemd/system").exists()

    def _on_broken(self, _: ops.EventBase) -> None:
        self.unit.status = ops.BlockedStatus("integrate with store")

    def _on_stop(self, _: ops.EventBase) -> None:
        if self._has_systemd and UNIT.exists():
            systemd.service_pause(UNIT.name)


if __name__ == "__main__":
    ops.main(ReaderCharm)
