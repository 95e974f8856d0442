# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what a notification is about has been settled since it was made.

Masakari works its list of failed notifications off by what the list said, and an engine that hung
goes on where it was. A notification may wait for an engine, and a fence for a power controller,
while its host comes back. Each may come to fence a host that has long been well.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from masakari import exception
from masakari.objects.notification import Notification

from instance_ha import recovery
from instance_ha.errors import InstanceHaError
from instance_ha.past import recall

if TYPE_CHECKING:
    from masakari.context import RequestContext

    from masakari_instance_ha.store import Store


class SettledError(InstanceHaError):
    """The notification comes too late: its incident is over, or its host is well again."""


def demand_open_case(
    context: RequestContext, *, host: str, notification: str, store: Store
) -> None:
    """Return if the notification may still be acted upon.

    Raises:
        SettledError: if not; as with every flow that fails, the engine ends the maintenance that
            Masakari began it with.
    """
    newest = next(iter(store.incidents(host=host, limit=1)), None)
    made_at_s = _made_at_s(context, notification)
    settled = recovery.settled(
        newest,
        past=recall(() if newest is None else store.events(newest)),
        notification=notification,
        generated_at_s=made_at_s,
    )
    if newest is None or settled is None:
        return
    raise SettledError(
        f"{host} is left alone: {settled}. See instance-ha incident show {newest.id}"
    )


def _made_at_s(context: RequestContext, notification: str) -> float:
    """Return when the notification was made; one that Masakari does not know is of just now."""
    try:
        return Notification.get_by_uuid(context, notification).generated_time.timestamp()
    except exception.NotificationNotFound:
        return math.inf
