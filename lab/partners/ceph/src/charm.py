#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""ceph-client in front of the lab's real Ceph: accounts and rights as microceph gives them."""

from __future__ import annotations

import json
import pathlib
import subprocess
import tempfile

import ops

GENEROUS = ("mon", 'allow r, allow command "osd blocklist"', "osd", "allow rwx")
"""What a new account may do until its owner asks for less."""


class CephCharm(ops.CharmBase):
    """Carry out each request once, and tell the account's key."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        for event in (self.on.ceph_relation_changed, self.on.config_changed):
            framework.observe(event, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        ready = bool(self.config["admin-key"])
        for relation in self.model.relations["ceph"] if ready else ():
            for unit in relation.units:
                if "broker_req" in relation.data[unit]:
                    self._serve(relation, unit)
        self.unit.status = ops.ActiveStatus() if ready else ops.WaitingStatus("no admin-key yet")

    def _serve(self, relation: ops.Relation, unit: ops.Unit) -> None:
        request = json.loads(relation.data[unit]["broker_req"])
        bag, answer = relation.data[self.unit], f"broker-rsp-{unit.name.replace('/', '-')}"
        if json.loads(bag.get(answer, "{}")).get("request-id") == request["request-id"]:
            return
        name = relation.data[unit].get("application-name", relation.app.name)
        for operation in request["ops"]:
            if operation["op"] != "set-key-permissions":
                raise ValueError(f"not played here: {operation['op']}")
            # As the real one: an account that is not there yet is no error, and gets no rights.
            client = f"client.{operation['client']}"
            self._ceph("auth", "caps", client, *operation["permissions"], check=False)
        key = self._ceph("auth", "get-key", f"client.{name}", check=False)
        if not key:
            self._ceph("auth", "get-or-create", f"client.{name}", *GENEROUS)
            key = self._ceph("auth", "get-key", f"client.{name}")
        address = str(self.config["monitor"])
        done = {"exit-code": 0, "request-id": request["request-id"]}
        bag.update(
            {
                "auth": "cephx",
                "key": key,
                "ceph-public-address": address,
                answer: json.dumps(done),
            }
        )
        relation.data[self.app]["ceph-mon-public-addresses"] = json.dumps([address])

    def _ceph(self, *words: str, check: bool = True) -> str:
        with tempfile.NamedTemporaryFile("w") as keyring:
            keyring.write(f"[client.admin]\n\tkey = {self.config['admin-key']}\n")
            keyring.flush()
            access = [f"--keyring={pathlib.Path(keyring.name)}", "--conf=/dev/null"]
            where = ["--mon-host", str(self.config["monitor"]), "--connect-timeout=30"]
            done = subprocess.run(
                ["ceph", *access, *where, *words],
                check=check,
                capture_output=True,
                text=True,
                timeout=60,
            )
        return done.stdout.strip()


if __name__ == "__main__":
    ops.main(CephCharm)
