# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A reserved host that takes over from a failed one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from masakari.objects.host import Host

from instance_ha.errors import InstanceHaError
from instance_ha.homecoming import RESERVED
from instance_ha.past import SPENT_RESERVE
from masakari_instance_ha.tasks.work import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from masakari.context import RequestContext

    from masakari_instance_ha.moves import MoveBook
    from masakari_instance_ha.tasks.work import Work

_DISABLED = f"{RESERVED}; it was not needed after all"


class ReserveError(InstanceHaError):
    """The reserved host cannot be used, so the next one has to be."""


class Reserve:
    """One reserved host; it stays a reserve unless a server has moved there."""

    def __init__(self, host: str, *, work: Work, context: RequestContext) -> None:
        self.host = host
        self._work = work
        self._context = context
        # Held in the name of the failed host, so that its next try may go on here.
        self._lease = work.store.lease(f"reserve:{host}", holder=work.host)
        self._was_disabled = False
        self._is_open = False

    @contextlib.contextmanager
    def in_use(
        self, book: MoveBook, *, give_up_flag: Callable[[RequestContext, str], None] | None
    ) -> Generator[None]:
        """Keep the host for one recovery, and settle afterwards what it is from now on.

        Args:
            book: Knows whether a server has moved there.
            give_up_flag: Masakari's way to say that the host is no reserve any more.

        Raises:
            ReserveError: if another recovery uses it.
        """
        self.keep()
        try:
            yield
        finally:
            self._settle(is_needed=book.arrived_on(self.host) > 0, give_up_flag=give_up_flag)
            self._lease.give_up()

    def keep(self) -> None:
        """Renew our hold on the host."""
        if not self._lease.take(ttl_s=CONF.instance_ha.lease_ttl):
            raise ReserveError(f"{self.host} takes over from another host now; next reserve")

    def ensure_open(self) -> None:
        """Let the scheduler use the host.

        Raises:
            ReserveError: if it is no reserve any more.
        """
        if self._is_open:
            return
        known = Host.get_by_name(self._context, self.host)
        if not known.reserved or known.on_maintenance:
            raise ReserveError(f"{self.host} is no reserve any more; next reserve")
        if CONF.host_failure.add_reserved_host_to_aggregate:
            for refusal in self._work.nova.share_aggregates(self._work.host, with_host=self.host):
                self._work.say("reserve", f"{self.host} stays out of aggregate {refusal}")
        self._was_disabled = self._work.nova.enable(self.host)
        self._is_open = True
        self._work.say("evacuate", f"reserved host {self.host} takes over")

    def _settle(
        self, *, is_needed: bool, give_up_flag: Callable[[RequestContext, str], None] | None
    ) -> None:
        if is_needed:
            if give_up_flag is not None:
                give_up_flag(self._context, self.host)
            text = f"{self.host} took over, so it is no reserve any more"
            self._work.say("reserve", text, **{SPENT_RESERVE: self.host})
        elif self._was_disabled:
            self._work.nova.disable(self.host, reason=_DISABLED)
