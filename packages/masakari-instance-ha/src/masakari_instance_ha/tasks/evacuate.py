# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Move every server off the fenced host, and say so only when every one has arrived."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from instance_ha.errors import InstanceHaError
from instance_ha.ladder import Ladder
from masakari_instance_ha.evacuation import Outcome
from masakari_instance_ha.evacuator import Evacuator, Limits
from masakari_instance_ha.fencing.patience import FenceWatch
from masakari_instance_ha.moves import MoveBook
from masakari_instance_ha.tasks.fence import fence, power_on
from masakari_instance_ha.tasks.lone import alone
from masakari_instance_ha.tasks.permission import await_approval, demand_permission
from masakari_instance_ha.tasks.reserve import Reserve, left_open
from masakari_instance_ha.tasks.work import CONF, RecoveryTask, Work, proven

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.model import FenceProof
    from masakari_instance_ha.evacuation import Move


class EvacuationError(InstanceHaError):
    """Servers are left on the host, or did not arrive as they should."""


class FencedEvacuateInstancesTask(RecoveryTask):
    """Evacuate a fenced host.

    ``fence_proof`` is required on purpose: without its provider the flow refuses to run. Servers
    are not locked against their owners meanwhile: Nova lets nobody act on a server that it
    rebuilds, and a lock that a killed engine left would stay for ever.
    """

    def execute(
        self,
        host_name: str,
        notification_uuid: str,
        fence_proof: dict[str, Any],
        reserved_host: str | None = None,
    ) -> None:
        """Return once every server that had to move has moved."""
        with self.working(host_name, notification=notification_uuid) as work:
            proof = proven(fence_proof, host=host_name)
            if await_approval(work):
                proof = fence(work)  # nobody watched over the first one meanwhile
            demand_permission(work, context=self.context)
            book = MoveBook(
                self.context,
                host=host_name,
                notification=notification_uuid,
                selection=work.selection,
            )
            with alone(work) as renew, contextlib.closing(_watch(work, proof)) as watch:
                duties = [renew, watch.look]
                report = _Report(work=work, book=book, duties=duties)
                if reserved_host is None:
                    left = left_open(work, context=self.context, book=book, demand_alone=renew)
                    with left as keep:
                        duties.append(keep)
                        _evacuate(work, book=book, report=report)
                else:
                    reserve = Reserve(reserved_host, work=work, context=self.context)
                    duties.append(reserve.keep)
                    with reserve.in_use(book, demand_alone=renew):
                        _evacuate(work, book=book, report=report, reserve=reserve)
            _demand_success(work, book)
            power_on(work, proof)
            self.update_details("Evacuation process completed!", 1.0)


class _Report:
    """Writes down how the moves go on."""

    def __init__(self, *, work: Work, book: MoveBook, duties: list[Callable[[], None]]) -> None:
        self._work = work
        self._book = book
        self._duties = duties

    def ordered(self, move: Move) -> None:
        self._book.ordered(move)
        self._work.say("evacuate", f"{move.name}: try {move.tries}", server=move.server)

    def ended(self, move: Move) -> None:
        self._book.ended(move)
        if move.outcome is Outcome.SUCCEEDED:
            text = f"{move.name} is {move.ends_as} on {move.destination}"
            self._work.say("active", text, server=move.server, destination=move.destination or "")
        else:
            kind = "left" if move.stays else "evacuate"
            text = f"{move.name}: {move.problem}"
            outcome = move.outcome.value if move.outcome else ""
            self._work.say(kind, text, server=move.server, result=outcome)

    def going_on(self) -> None:
        for duty in self._duties:
            duty()


def _evacuate(
    work: Work, *, book: MoveBook, report: _Report, reserve: Reserve | None = None
) -> None:
    """Move whatever there is, and look whether anything is left, until there is not."""
    evacuator = Evacuator(
        nova=work.nova,
        clock=work.clock,
        source=work.host,
        target=None if reserve is None else reserve.host,
        limits=Limits(
            at_once=CONF.host_failure_recovery_threads,
            tries=CONF.instance_ha_recovery.evacuation_tries,
            poll_s=CONF.instance_ha_recovery.poll_interval,
            pause_s=CONF.instance_ha_recovery.evacuation_pause,
            stagger_s=CONF.instance_ha_recovery.stagger,
            untouched_s=CONF.wait_period_after_evacuation,
            deadline_s=CONF.instance_ha_recovery.evacuation_deadline,
        ),
        report=report,
    )
    while True:
        moves = book.take_stock(work.servers(), store=work.store, incident=work.incident)
        if not moves:
            return
        if reserve is not None:
            reserve.ensure_open()
        evacuator.run(moves)


def _demand_success(work: Work, book: MoveBook) -> None:
    """Raise an error that names every server that is not recovered, and why."""
    if failed := book.failed():
        reasons = "; ".join(f"{move.name} ({move.server}): {move.problem}" for move in failed)
        raise EvacuationError(
            f"{len(failed)} servers of {work.host} are not recovered: {reasons}. "
            f"See instance-ha incident show --host {work.host}"
        )


def _watch(work: Work, proof: FenceProof) -> FenceWatch:
    """Return who sees to it that the host stays off until its servers have moved."""

    def again() -> None:
        work.say("fence", "power is back before the recovery is over; fencing again")
        fence(work)

    fencer = work.fencer()
    return FenceWatch(
        fencer.upholding(proof) if isinstance(fencer, Ladder) else fencer,
        proof,
        clock=work.clock,
        interval_s=CONF.instance_ha_recovery.guard_interval,
        again=again,
    )
