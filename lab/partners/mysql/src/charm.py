#!/usr/bin/env python3
# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""mysql_client v0 in front of the lab's real MariaDB."""

from __future__ import annotations

import re
import secrets

import ops
import pymysql


class MysqlCharm(ops.CharmBase):
    """Make a database and an account for whoever asks."""

    def __init__(self, framework: ops.Framework) -> None:
        super().__init__(framework)
        framework.observe(self.on.database_relation_changed, self._reconcile)
        framework.observe(self.on.config_changed, self._reconcile)

    def _reconcile(self, _: ops.EventBase) -> None:
        for relation in self.model.relations["database"]:
            name = relation.data[relation.app].get("database") if relation.app else None
            if name and "secret-user" not in relation.data[self.app]:
                self._serve(relation, name)
        self.unit.status = ops.ActiveStatus()

    def _serve(self, relation: ops.Relation, name: str) -> None:
        user, password = f"relation-{relation.id}", secrets.token_urlsafe(18)
        if not re.fullmatch(r"\w+", name):
            raise ValueError(f"not a database name: {name}")
        connection = pymysql.connect(
            host=str(self.config["host"]),
            port=int(self.config["port"]),
            user=str(self.config["root-user"]),
            password=str(self.config["root-password"]),
            autocommit=True,
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb3")
            cursor.execute("CREATE OR REPLACE USER %s@'%%' IDENTIFIED BY %s", (user, password))
            cursor.execute(f"GRANT ALL ON `{name}`.* TO %s@'%%'", (user,))
        secret = self.app.add_secret({"username": user, "password": password}, label=user)
        secret.grant(relation)
        relation.data[self.app].update(
            {
                "database": name,
                "endpoints": f"{self.config['host']}:{self.config['port']}",
                "secret-user": str(secret.get_info().id),
            }
        )


if __name__ == "__main__":
    ops.main(MysqlCharm)
