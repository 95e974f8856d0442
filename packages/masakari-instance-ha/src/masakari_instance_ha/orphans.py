# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The one place that changes what Masakari has in its own tables; old rows go by ``purging``."""

from __future__ import annotations

import logging

import sqlalchemy as sa
from sqlalchemy import exc

from instance_ha.errors import StoreUnreachableError
from masakari_instance_ha import database

logger = logging.getLogger(__name__)

_notifications = sa.table(
    "notifications", sa.column("notification_uuid"), sa.column("status"), sa.column("deleted")
)


class Orphans:
    """Give notifications back whose engine is gone.

    Masakari's engines take up notifications that are ``new`` or ``error``. One that was
    ``running`` when its engine died stays so until it expires after a day, and no call of
    Masakari's API changes it. So its status is set to ``error`` here, which the next engine
    takes up; nothing else of Masakari's is ever written.
    """

    def __init__(self, url: str) -> None:
        """Make ready; nothing is connected yet. *url* is of the database of Masakari."""
        self._engine = database.connect(url, pool_size=1)

    def release(self, notification: str) -> bool:
        """Set *notification* from running to error; return whether it was still running.

        Compared and set in one statement: an engine that finished it meanwhile wins.

        Raises:
            StoreUnreachableError: if the database does not answer.
        """
        table = _notifications.c
        change = (
            sa.update(_notifications)
            .where(
                table.notification_uuid == notification,
                table.status == "running",
                table.deleted == 0,
            )
            .values(status="error")
        )
        try:
            with self._engine.begin() as connection:
                released = bool(connection.execute(change).rowcount)
        except exc.DBAPIError as error:
            raise StoreUnreachableError(
                f"notification {notification} is not released: {error.orig}. "
                "Run `instance-ha check --store`"
            ) from error
        logger.info(
            "notification %s %s", notification, "released" if released else "is not running"
        )
        return released
