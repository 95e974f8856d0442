# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Move the servers of a fenced host: look, decide, order, and look again until all have arrived.

Nothing is remembered that Nova can be asked for, so an engine that is killed halfway, an answer
that is lost, or another engine that came first make no difference: a server on which Nova still
works is followed, never ordered twice.
"""

from __future__ import annotations

import collections
import concurrent.futures
import functools
import logging
from typing import TYPE_CHECKING, Protocol

from instance_ha.errors import CloudUnreachableError
from instance_ha.order import may_begin
from masakari_instance_ha.evacuation import Move, Outcome, Step, has_no_disk, next_step
from masakari_instance_ha.nova import Nova, NovaRefusedError
from masakari_instance_ha.records import Evacuation, Server
from masakari_instance_ha.watching import Limits, View, Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from instance_ha.ports import Clock

logger = logging.getLogger(__name__)

_LONGEST_PAUSE_S = 60.0
_AHEAD_S = 3.0
"""How long after a look an order may still be given by it, where orders are staggered."""


class Report(Protocol):
    """Who wants to know how the moves go on."""

    def ordered(self, move: Move) -> None:
        """Hear that Nova took an order."""
        ...

    def ended(self, move: Move) -> None:
        """Hear that a move has its outcome."""
        ...

    def going_on(self) -> None:
        """Hear before each look that the work goes on; raise to end it."""
        ...


_TimedCall = tuple[float, Move, "Callable[[], bool]"]
"""When it is made at the earliest, for whom, and the call; it says whether Nova took an order."""


class Evacuator:
    """Moves servers off one fenced host."""

    def __init__(
        self,
        *,
        nova: Nova,
        clock: Clock,
        source: str,
        target: str | None,
        limits: Limits,
        report: Report,
    ) -> None:
        """Make ready.

        Args:
            nova: The calls.
            clock: Time.
            source: The fenced host.
            target: Where all are to go; None leaves it to Nova's scheduler.
            limits: Figures.
            report: Who hears of it.
        """
        self._nova = nova
        self._clock = clock
        self._source = source
        self._target = target
        self._limits = limits
        self._report = report
        self._watch = Watch(nova, clock=clock, source=source, limits=limits)
        self._next_order_s = 0.0
        self._chosen: collections.Counter[str] = collections.Counter()

    def run(self, moves: Sequence[Move]) -> None:
        """Work until every move has its outcome."""
        self._watch.begin()
        with concurrent.futures.ThreadPoolExecutor(self._limits.at_once) as pool:
            while opened := [move for move in moves if move.outcome is None]:
                self._report.going_on()
                view = self._watch.look(opened, may_order=self._may_order, pool=pool)
                if view is not None:
                    self._call_all(self._decide(opened, view), pool)
                stirred = view is not None and view.stirred
                if not stirred and any(move.outcome is None for move in opened):
                    self._clock.sleep(self._limits.poll_s)

    def _call_all(self, calls: Sequence[_TimedCall], pool: concurrent.futures.Executor) -> None:
        """Begin each call at its time, and report the orders that Nova took."""
        begun: list[tuple[Move, concurrent.futures.Future[bool]]] = []
        for at_s, move, call in calls:
            if (pause_s := at_s - self._clock.now_s()) > 0:
                self._clock.sleep(pause_s)
            begun.append((move, pool.submit(call)))
        for move, answer in begun:
            if answer.result():
                self._watch.ordered(move)
                self._report.ordered(move)

    def _decide(self, moves: Sequence[Move], view: View) -> Sequence[_TimedCall]:
        """End what has ended, and return the calls to make now."""
        steps = [(move, self._step(move, view)) for move in view.read]
        for move, step in steps:
            if self._ends(move, step=step, view=view):
                self._report.ended(move)
        going = [(move, step) for move, step in steps if move.outcome is None]
        under_way = view.resting + sum(step is Step.WAIT for _, step in going)
        free = self._limits.at_once - under_way
        unended = [move for move in moves if move.outcome is None]
        calls: list[_TimedCall] = []
        for move, step in going:
            if (mend := self._mending(step)) is not None:
                calls.append((0.0, move, functools.partial(self._call, move, mend)))
            elif step is not Step.WAIT and free > 0 and self._may_order(move, unended):
                free -= 1
                at_s = max(self._clock.now_s(), self._next_order_s)
                self._next_order_s = at_s + self._limits.stagger_s
                calls.append((at_s, move, self._ordering(move, step=step, view=view)))
        return calls

    def _mending(self, step: Step) -> Callable[[str], None] | None:
        """Return the call that makes a server what it was before, if that is what it needs."""
        return {
            Step.STOP: self._nova.stop,
            Step.MARK_ERROR: self._nova.reset_to_error,
            Step.RESTORE: self._nova.reset_to_active,
        }.get(step)

    def _ordering(self, move: Move, *, step: Step, view: View) -> Callable[[], bool]:
        """Return the call that orders a server's evacuation now."""
        reset, begun = step is Step.RESET_AND_ORDER, _begun(move, view)
        if begun:
            there = begun[-1]
            order = functools.partial(self._order, target=there.destination, node=there.node)
        else:
            order = functools.partial(self._order, target=self._goal(move, view))
        return functools.partial(order, move, reset=reset)

    def _step(self, move: Move, view: View) -> Step:
        """Decide for one server; an order that got lost inside Nova is found out here."""
        server, evacuation = view.servers.get(move.server), view.evacuations.get(move.server)
        if server is None:
            return Step.GONE
        move.stays = move.stays or (move.asks and has_no_disk(server, evacuation))
        step = next_step(
            server,
            source=self._source,
            ends_as=move.ends_as,
            evacuation=evacuation,
            stays=move.stays,
        )
        here = server.host == self._source
        if here and evacuation is not None and evacuation.has_failed and evacuation.destination:
            move.failed_on.add(evacuation.destination)
        if step is not Step.WAIT:
            move.waits_on = None
            return step
        now_s = self._clock.now_s()
        move.began_at_s = move.began_at_s or now_s
        if evacuation is None or not here:
            return step
        move.wait_on(evacuation, now_s=now_s)
        # Of two orders that are under way on different hosts Nova may let one through, or none; a
        # guest that is left by then is found again by the records (``Evacuation.begun``).
        begun = _begun(move, view)
        again = self._watch.waits_long(move) and (
            evacuation.has_failed
            or not begun
            or self._hangs(move, evacuation, on=begun[-1].destination)
        )
        return Step.RESET_AND_ORDER if again else step

    def _hangs(self, move: Move, evacuation: Evacuation, *, on: str | None) -> bool:
        """Return whether an evacuation is the first of this move to have hung; note it if so."""
        if move.hung is None and self._watch.is_late(move):
            move.hung, move.began_at_s = evacuation.id, self._clock.now_s()
            told = "server %s: evacuation %d hangs on %s, and is ordered again there"
            logger.warning(told, move.name, evacuation.id, on)
        return move.hung == evacuation.id

    def _ends(self, move: Move, *, step: Step, view: View) -> bool:
        """Give the move its outcome if it has one; return whether it has."""
        server = view.servers.get(move.server)
        if server is None:
            move.outcome, move.problem = Outcome.IGNORED, "the server was deleted meanwhile"
            return True
        if step is Step.ARRIVED:
            move.outcome, move.destination, move.problem = Outcome.SUCCEEDED, server.host, ""
        elif step is Step.BROKEN:
            move.outcome, move.destination = Outcome.FAILED, server.host
            move.problem = f"it is on {server.host} in state {server.vm_state}: {server.fault}"
        elif step is Step.STAYS:
            move.outcome = Outcome.IGNORED
            move.problem = (
                f"its disk is on {self._source} alone; it stays until the host returns, or "
                "choose disks = shared to rebuild it from its image, empty"
            )
        elif self._is_given_up(move, step, view):
            move.outcome, move.problem = Outcome.FAILED, _why(move, server, view)
        elif self._watch.is_late(move):
            move.outcome = Outcome.FAILED
            move.problem = (
                f"not arrived in {self._limits.deadline_s:g} s, {_why(move, server, view)}"
            )
        return move.outcome is not None

    def _is_given_up(self, move: Move, step: Step, view: View) -> bool:
        if step not in {Step.ORDER, Step.RESET_AND_ORDER}:
            return False
        # On one of two hosts an order would start what the other one may run.
        return move.tries >= self._limits.tries or len(_hosts(_begun(move, view))) > 1

    def _may_order(self, move: Move, among: Sequence[Move]) -> bool:
        """Return whether it is a server's turn, now or before the next look."""
        now_s = self._clock.now_s()
        if move.not_before_s > now_s or self._next_order_s > now_s + _AHEAD_S:
            return False
        return may_begin(move.place, [other.place for other in among])

    def _goal(self, move: Move, view: View) -> str | None:
        """Return where a server is to go; None leaves it to the scheduler.

        Nova's API can exclude no host. So after a failure one of the others is named, which the
        scheduler still checks. Where Nova is asked for the disk it would check nothing: there
        the scheduler chooses again.
        """
        if self._target is not None or move.asks or not move.failed_on:
            return self._target
        others = view.usable - move.failed_on - {self._source}
        goal = min(others, key=lambda host: (self._chosen[host], host), default=None)
        if goal is not None:
            self._chosen[goal] += 1
        return goal

    def _order(
        self, move: Move, *, reset: bool, target: str | None, node: str | None = None
    ) -> bool:
        """Order one evacuation; return whether Nova took it.

        Args:
            move: The server's.
            reset: Whether Nova still calls the server busy.
            target: Where it is to go.
            node: The hypervisor that it has a claim on, left by an earlier order.
        """
        now_s = self._clock.now_s()
        move.began_at_s = move.began_at_s or now_s
        pause_s = min(self._limits.pause_s * 2**move.tries, _LONGEST_PAUSE_S)
        move.not_before_s = now_s + pause_s
        try:
            if reset:
                self._nova.reset_to_error(move.server)
            if node is not None:
                self._nova.release_claim(move.server, node=node)
            self._nova.evacuate(move.server, target=target, ask=move.asks)
        except NovaRefusedError as error:
            move.tries, move.problem, move.began_at_s = move.tries + 1, str(error), now_s
            return False
        except CloudUnreachableError as error:  # it may have been taken: the next look tells
            move.problem = str(error)
            return False
        move.tries, move.problem, move.began_at_s = move.tries + 1, "", now_s
        return True

    def _call(self, move: Move, call: Callable[[str], None]) -> bool:
        """Make a call that the next look repeats where it was lost; it is no order."""
        try:
            call(move.server)
        except (NovaRefusedError, CloudUnreachableError) as error:
            move.problem = str(error)
        return False


def _why(move: Move, server: Server, view: View) -> str:
    """Return Nova's own words for why a server has not moved."""
    evacuation = view.evacuations.get(move.server)
    if move.problem or evacuation is None:
        return move.problem or f"it is {server.vm_state}, doing {server.task_state}"
    goal = evacuation.destination or "no host yet"
    told = f"evacuation {evacuation.id} to {goal} is {evacuation.status}: {server.fault}"
    if not (begun := _begun(move, view)):
        return told
    there = " or ".join(_hosts(begun))
    return f"{told}; it may run on {there}: look there (virsh list --all) before you move it"


def _begun(move: Move, view: View) -> Sequence[Evacuation]:
    """Return the evacuations that may have left a guest, oldest first, but on fenced hosts."""
    server, evacuation = view.servers.get(move.server), view.evacuations.get(move.server)
    if server is None or evacuation is None:
        return ()
    return [one for one in evacuation.begun(server) if one.destination not in view.fenced]


def _hosts(begun: Sequence[Evacuation]) -> Sequence[str]:
    return sorted({str(one.destination) for one in begun})
