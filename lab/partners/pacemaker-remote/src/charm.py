#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A hypervisor as the ring's remote, in the spelling of the field."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import shutil
import subprocess

import ops

KEY = pathlib.Path("/etc/pacemaker/authkey")
SERVICE = "pacemaker_remote.service"


class PacemakerRemoteCharm(ops.CharmBase):
    """Say who this hypervisor is, take the key, and run the remote's daemon."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        remote = self.on["pacemaker-remote"]
        for event in (
            self.on.start,
            self.on.secret_changed,
            remote.relation_joined,
            remote.relation_changed,
        ):
            framework.observe(event, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        running = False
        for relation in self.model.relations["pacemaker-remote"]:
            binding = self.model.get_binding(relation)
            name = os.uname().nodename
            said = {
                "remote-hostname": name,
                "remote-ip": str(binding.network.bind_address) if binding else "",
                "stonith-hostname": name,
                "enable-resources": False,
                "reads-secrets": True,
            }
            for key, value in said.items():
                relation.data[self.unit][key] = json.dumps(value)
            running = any(self._take_key(relation.data[unit]) for unit in relation.units)
            # A change of the bag is what makes the ring look whether it answers now.
            relation.data[self.unit]["running"] = json.dumps(running)
        self.unit.status = ops.ActiveStatus() if running else ops.WaitingStatus("no key yet")

    def _take_key(self, bag: ops.RelationDataContent) -> bool:
        if not (named := bag.get("pacemaker-key-secret")):
            return False
        secret = self.model.get_secret(id=json.loads(named))
        key = base64.b64decode(secret.get_content(refresh=True)["pacemaker-key"])
        if not KEY.exists() or KEY.read_bytes() != key:
            KEY.parent.mkdir(exist_ok=True)
            KEY.touch(mode=0o440)
            KEY.write_bytes(key)
            shutil.chown(KEY, group="haclient")
        subprocess.run(["/usr/bin/systemctl", "enable", "--now", SERVICE], check=True)
        return True


if __name__ == "__main__":
    ops.main(PacemakerRemoteCharm)
