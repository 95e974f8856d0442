# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""One engine at a time for each host."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

from instance_ha.errors import InstanceHaError
from masakari_instance_ha.tasks.work import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from masakari_instance_ha.tasks.work import Work


class TakenOverError(InstanceHaError):
    """Another engine works on the host."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"another engine evacuates {host}, so this one stops; see "
            f"instance-ha incident show --host {host}"
        )


@contextlib.contextmanager
def alone(work: Work) -> Generator[Callable[[], None]]:
    """Be the only engine that evacuates the host; give what renews this.

    Masakari's engines take up a failed notification independently of one another, so two of them
    may run this flow at once. The second waits, and then finds what the first has left.

    Raises:
        TakenOverError: if the other engine does not come to an end, or has taken over.
    """
    ttl_s = CONF.instance_ha.lease_ttl
    lease = work.store.lease(f"evacuate:{work.host}", holder=f"{work.by}:{uuid.uuid4()}")
    until_s = work.clock.now_s() + CONF.instance_ha_recovery.evacuation_deadline

    def renew() -> None:
        if not lease.take(ttl_s=ttl_s):
            raise TakenOverError(work.host)

    if not lease.take(ttl_s=ttl_s):
        work.say("evacuate", "waiting for another engine that evacuates the host")
    while not lease.take(ttl_s=ttl_s):
        if work.clock.now_s() >= until_s:
            raise TakenOverError(work.host)
        work.clock.sleep(CONF.instance_ha_recovery.poll_interval)
    try:
        yield renew
    finally:
        lease.give_up()
