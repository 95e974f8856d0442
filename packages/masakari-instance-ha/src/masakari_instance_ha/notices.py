# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Masakari's notifications of single servers; implements ``ports.ServerNotices``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masakari_instance_ha.connection import calling, every

if TYPE_CHECKING:
    from collections.abc import Mapping

    import openstack.connection


class MasakariNotices:
    """Read them by Masakari's API."""

    def __init__(self, connection: openstack.connection.Connection) -> None:
        self._connection = connection

    def running(self) -> Mapping[str, str]:
        """Return notification -> Masakari's time of its last change, of those in work."""
        with calling("list Masakari's notifications of servers"):
            found = every(self._connection.instance_ha.notifications, type="VM", status="running")
        return {each.notification_uuid: each.updated_at or each.created_at or "" for each in found}
