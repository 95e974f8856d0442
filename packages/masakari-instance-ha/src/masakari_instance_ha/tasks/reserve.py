# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A reserved host that takes over from a failed one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from masakari.objects.host import Host

from instance_ha.errors import InstanceHaError
from instance_ha.homecoming import RESERVED
from instance_ha.model import Event
from instance_ha.moving_back import taken
from instance_ha.past import (
    KEPT_RESERVE,
    OPENED_RESERVE,
    RESERVED_BEFORE,
    SPENT_RESERVE,
    opened_reserves,
)
from masakari_instance_ha.tasks.lone import TakenOverError
from masakari_instance_ha.tasks.work import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from masakari.context import RequestContext

    from masakari_instance_ha.moves import MoveBook
    from masakari_instance_ha.tasks.work import Work

_DISABLED = f"{RESERVED}; it was not needed after all"


class ReserveError(InstanceHaError):
    """The reserved host cannot be used, so the next one has to be."""


@contextlib.contextmanager
def left_open(
    work: Work, *, context: RequestContext, book: MoveBook, demand_alone: Callable[[], None]
) -> Generator[Callable[[], None]]:
    """Settle the reserves that engines opened before they died, once this recovery is over.

    Under ``auto_priority`` it may go to its end without them. One that is used by the recovery of
    another host by now is settled there.

    Yields:
        What keeps them for this recovery; to be called now and then.
    """
    hosts = opened_reserves(work.store.events(work.incident))
    with contextlib.ExitStack() as held:
        reserves: list[Reserve] = []
        for reserve in (Reserve(host, work=work, context=context) for host in sorted(hosts)):
            with contextlib.suppress(ReserveError):
                held.enter_context(reserve.in_use(book, demand_alone=demand_alone))
                reserves.append(reserve)

        def keep() -> None:
            for reserve in reserves:
                with contextlib.suppress(ReserveError):
                    reserve.keep()

        yield keep


class Reserve:
    """One reserved host; it stays a reserve unless a server has moved there."""

    def __init__(self, host: str, *, work: Work, context: RequestContext) -> None:
        self.host = host
        self._work = work
        self._context = context
        # Held in the name of the failed host, so that its next try may go on here.
        self._lease = work.store.lease(f"reserve:{host}", holder=work.host)
        self._is_open = False

    @contextlib.contextmanager
    def in_use(
        self,
        book: MoveBook,
        *,
        demand_alone: Callable[[], None],
    ) -> Generator[None]:
        """Keep the host for one recovery, and settle afterwards what it is from now on.

        One that was taken over meanwhile leaves that to its successor, who uses the host now.

        Args:
            book: Knows whether a server has moved there.
            demand_alone: Raises ``TakenOverError`` once another engine has taken over.

        Raises:
            ReserveError: if another recovery uses it.
        """
        self.keep()
        try:
            yield
        finally:
            if self._is_ours(demand_alone):
                self._settle(book)
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
        # Told before it is done: an engine that dies in between leaves that to the next one.
        enabled = self._work.nova.service(self.host).enabled
        detail = {} if enabled else {OPENED_RESERVE: self.host}
        self._work.say("evacuate", f"reserved host {self.host} takes over", **detail)
        self._work.nova.enable(self.host)
        self._is_open = True

    def _is_ours(self, demand_alone: Callable[[], None]) -> bool:
        """Tell whether neither the recovery nor the host is another one's by now."""
        try:
            demand_alone()
            self.keep()
        except (TakenOverError, ReserveError):
            return False
        return True

    def _settle(self, book: MoveBook) -> None:
        """Make the host what it is from now on, by what this and earlier engines did with it."""
        events = self._work.store.events(self._work.incident)
        opened = self.host in opened_reserves(events)
        if book.arrived_on(self.host) > 0 or (opened and self.host in taken(events).values()):
            known = Host.get_by_name(self._context, self.host)
            known.reserved = False
            known.save()
            self._tell_its_own_incident()
            text = f"{self.host} took over, so it is no reserve any more"
            self._work.say("reserve", text, **{SPENT_RESERVE: self.host})
        elif opened:
            self._work.nova.disable(self.host, reason=_DISABLED)
            text = f"{self.host} took nothing over, so it stays a reserve"
            self._work.say("reserve", text, **{KEPT_RESERVE: self.host})

    def _tell_its_own_incident(self) -> None:
        """Have a host that was lost as it took over return as a host like any other."""
        if own := self._work.store.unclosed().get(self.host):
            event = Event(
                at_s=self._work.clock.now_s(),
                actor=self._work.by,
                kind="reserve",
                text=f"it took over from {self._work.host}, so it is no reserve any more",
                detail={RESERVED_BEFORE: ""},
            )
            self._work.store.record(own, event)
