# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated RabbitMQ between Masakari's API and its engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import Notification


class SimBroker:
    """Brings each message to one engine; what it holds dies with it."""

    def __init__(self) -> None:
        self._runs = True
        self._messages: list[Notification] = []

    def kill(self) -> None:
        """Lose every message that no engine has taken."""
        self._runs = False
        self._messages.clear()

    def start(self) -> None:
        """Run again, with empty queues."""
        self._runs = True

    def publish(self, notification: Notification) -> None:
        """Take a message.

        Raises:
            CloudUnreachableError: as Masakari's API answers then, with the notification kept.
        """
        if not self._runs:
            raise CloudUnreachableError("masakari's API answers 500: rabbitmq does not answer")
        self._messages.append(notification)

    def take(self) -> Sequence[Notification]:
        """Hand the messages to the engine that asks."""
        taken, self._messages = self._messages, []
        return taken
