#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A toy: a page under Pebble, and a password as a secret."""

import secrets

import ops

LABEL = "password"
CHECKS: dict[str, ops.pebble.CheckDict] = {
    "healthy": {
        "override": "replace",
        "period": "500ms",
        "timeout": "400ms",
        "threshold": 2,
        "exec": {"command": "test ! -e /srv/sick"},
    }
}


class StoreCharm(ops.CharmBase):
    """Serve a page, and tell a password."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        password = self.on["password"]
        for event in (
            self.on.config_changed,
            self.on.leader_elected,
            self.on.page_pebble_ready,
            self.on.secret_changed,
            self.on.upgrade_charm,
            password.relation_created,
        ):
            framework.observe(event, self._reconcile)
        framework.observe(self.on.page_pebble_check_failed, self._on_check_failed)
        framework.observe(self.on.rotate_action, self._on_rotate)
        framework.observe(self.on.crash_action, self._on_crash)
        framework.observe(self.on.secret_remove, self._on_secret_remove)

    def _reconcile(self, _: ops.EventBase) -> None:
        if self.unit.is_leader():
            self._publish()
        container = self.unit.get_container("page")
        if not container.can_connect():
            self.unit.status = ops.WaitingStatus("waiting for Pebble")
            return
        container.push("/srv/index.html", self._page(), make_dirs=True)
        service: ops.pebble.ServiceDict = {
            "override": "replace",
            "startup": "enabled",
            "command": "python3 -m http.server --directory /srv 8080",
        }
        layer: ops.pebble.LayerDict = {"services": {"page": service}, "checks": CHECKS}
        container.add_layer("page", ops.pebble.Layer(layer), combine=True)
        container.replan()
        self.unit.open_port("tcp", 8080)
        self.unit.status = ops.ActiveStatus()

    def _page(self) -> str:
        extra = ""
        if "extra" in self.config:
            content = self.model.get_secret(id=str(self.config["extra"])).get_content(refresh=True)
            extra = f" {content['word']}"
        return f"{self.config['greeting']}{extra}"

    def _publish(self) -> None:
        try:
            secret = self.model.get_secret(label=LABEL)
        except ops.SecretNotFoundError:
            secret = self.app.add_secret({"value": secrets.token_hex(4)}, label=LABEL)
        for relation in self.model.relations["password"]:
            secret.grant(relation)
            relation.data[self.app]["secret"] = str(secret.get_info().id)

    def _on_rotate(self, event: ops.ActionEvent) -> None:
        if not self.unit.is_leader():
            event.fail("only the leader rotates; run it on store/leader")
            return
        value = secrets.token_hex(event.params["length"] // 2)
        self.model.get_secret(label=LABEL).set_content({"value": value})
        event.log("rotated")
        event.set_results({"password": {"length": len(value)}})

    def _on_crash(self, _: ops.ActionEvent) -> None:
        peers = self.model.get_relation("store-peers")
        assert peers
        peers.data[self.unit]["lost"] = "yes"
        raise RuntimeError("as asked")

    def _on_check_failed(self, event: ops.PebbleCheckFailedEvent) -> None:
        self.unit.status = ops.BlockedStatus(f"check {event.info.name} failed")

    def _on_secret_remove(self, event: ops.SecretRemoveEvent) -> None:
        event.remove_revision()


if __name__ == "__main__":
    ops.main(StoreCharm)
