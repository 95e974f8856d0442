# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The agent: one process that plays the controller and the agents of all units.

It looks at every unit's surroundings, starts the next hook wherever nothing runs, and answers the
``juju`` stand-in. Units of one place run one hook at a time, as Juju's machine lock and a pod's
single agent have it; places run side by side. The model is written to disk after every change, so
an agent that is started again goes on from there.
"""

import contextlib
import dataclasses
import logging
import pathlib
import threading
import time
from collections.abc import Callable, Generator, Sequence

from lab.errors import LabError

from . import controller, relations, resolver, workload
from .arguments import Word
from .context import HookContext
from .errors import FlushError, ToolError
from .event import Errand, Event, Sighting
from .model import Failure, Model, Status, Unit
from .place import Place, place_of
from .runner import Outcome, ProcessRunner, Runner, agent_directory
from .tools import call
from .toolserver import ToolServer
from .trace import Trace

logger = logging.getLogger(__name__)

MOST_HOOKS_AT_ONCE = 3
LOOK_S = 1.0
"""How often the surroundings are looked at; Juju asks Pebble every 5 s."""
LEASE_S = 60.0
"""How long a leader may be lost before another unit leads."""
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0
"""juju-trace: retried after 5, 10, 20, 40 s."""


class Agent:
    """Everything that runs in the agent's process."""

    def __init__(
        self,
        state: pathlib.Path,
        *,
        find_place: Callable[[Model, Unit], Place] = place_of,
        runner: Runner | None = None,
        wall_s: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
        look_s: float = LOOK_S,
    ) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.state, self.trace = state, Trace(state)
        self.changed = threading.Condition()
        self.model = self._load()
        self._runner = runner or ProcessRunner()
        self._find_place, self._look_s = find_place, look_s
        self._wall_s, self._monotonic_s = wall_s, monotonic_s
        self._places: dict[str, Place] = {}
        self._busy: set[str] = set()
        self._failed: dict[str, Event] = {}
        self._contexts: dict[str, HookContext] = {}
        self._servers: dict[str, ToolServer] = {}
        self._seen: dict[str, Sighting] = {}
        self._updated_s: dict[str, float] = {}
        self._lost_s: dict[str, float] = {}
        self.stopping = threading.Event()

    # What persists ------------------------------------------------------------------------------

    def _load(self) -> Model:
        file = self.state / "model.json"
        model = Model.model_validate_json(file.read_text()) if file.exists() else Model()
        for task in model.tasks.values():
            if task.status == "running":
                task.status, task.message = "failed", "the agent was restarted"
        return model

    def _save(self) -> None:
        new = self.state / "model.new"
        new.write_text(self.model.model_dump_json())
        new.replace(self.state / "model.json")

    @contextlib.contextmanager
    def changing(self) -> Generator[Model]:
        """Hold the model while it is read or changed; what depends on it is looked at after."""
        with self.changed:
            yield self.model
            controller.tidy(self.model)
            self._save()
            self.changed.notify_all()

    def charm_directory(self, app: str) -> pathlib.Path:
        """Return where the copy of an application's current charm lies."""
        return self.state / "charms" / f"{app}-{self.model.applications[app].charm_revision}"

    def place(self, unit: Unit) -> Place:
        """Return where *unit* runs."""
        if unit.place not in self._places:
            self._places[unit.place] = self._find_place(self.model, unit)
        return self._places[unit.place]

    # Looking ------------------------------------------------------------------------------------

    def watch(self) -> None:
        """Look at every unit's surroundings until the agent stops."""
        while not self.stopping.wait(self._look_s):
            self.look()

    def look(self) -> None:
        """Look once."""
        with self.changed:
            every = self.model.units.values()
            units = [unit for unit in every if unit.provisioned or unit.machine is not None]
            idle = {unit.name for unit in units if unit.place not in self._busy}
        for unit in units:
            try:
                place = self.place(unit)
                if unit.name in idle and not unit.dying:
                    place.ensure_up()
                seen = self._sight(unit, place)
            except LabError as error:
                logger.warning("%s: cannot see its place: %s", unit.name, error)
                continue
            with self.changed:
                if unit.name in self.model.units and seen != self._seen.get(unit.name):
                    self._seen[unit.name] = seen
                    self.changed.notify_all()

    def _sight(self, unit: Unit, place: Place) -> Sighting:
        boot = place.boot()
        sockets = place.sockets if boot else {}
        told = dict(unit.notices)
        return Sighting(
            boot=boot,
            workloads=workload.boots(sockets),
            notices=tuple(workload.notices(sockets, told=told)),
        )

    def is_lost(self, unit: Unit) -> bool:
        """Say whether the unit's machine is off, as far as the last look showed."""
        seen = self._seen.get(unit.name)
        return unit.provisioned and seen is not None and not seen.boot

    # Choosing -----------------------------------------------------------------------------------

    def run(self) -> None:
        """Start hooks wherever there is something to do, until the agent stops."""
        while not self.stopping.is_set():
            with self.changed:
                self._replace_lost_leaders()
                if not self._start_work():
                    self.changed.wait(timeout=self._look_s / 2)

    def _start_work(self) -> bool:
        """Start what can be started; say whether anything was."""
        started = False
        for unit in list(self.model.units.values()):
            if unit.place in self._busy or len(self._busy) >= MOST_HOOKS_AT_ONCE:
                continue
            if work := self._next_work(unit):
                self._busy.add(unit.place)
                threading.Thread(target=self._labour, args=(unit, work), daemon=True).start()
                started = True
        return started

    def _next_work(self, unit: Unit) -> Callable[[], None] | None:
        if not unit.provisioned:
            if unit.dying:
                return lambda: self._errand(Errand.TEAR_DOWN, unit)
            there = unit.machine is None or self._seen.get(unit.name, Sighting(boot="")).boot
            return (lambda: self._provision(unit)) if there else None
        event = self.next_event(unit)
        if event is None:
            if unit.agent.current == "executing":
                unit.agent = Status(current="idle")
            return None
        return lambda: self._play(unit, event)

    def next_event(self, unit: Unit) -> Event | None:
        """Return the event that *unit* plays next; those without a hook are settled at once."""
        seen = self._seen.get(unit.name)
        if seen is None or not seen.boot:
            return None
        if unit.failure:
            if self._monotonic_s() < unit.failure.due:
                return None
            if unit.name in self._failed:
                return self._failed[unit.name]
        entered = relations.enter_scopes(self.model, unit)
        controller.ensure_subordinates(self.model, unit, entered)
        updated_s = self._updated_s.setdefault(unit.name, self._monotonic_s())
        due = self._monotonic_s() - updated_s >= self.model.update_status_s
        seen = dataclasses.replace(seen, wall_s=self._wall_s(), update_status=due)
        while (event := resolver.next_event(self.model, unit, seen=seen)) and event.silent:
            event.done()
            if event.after:
                break
        return event

    def _replace_lost_leaders(self) -> None:
        lost = {unit.name for unit in self.model.units.values() if self.is_lost(unit)}
        now_s = self._monotonic_s()
        self._lost_s = {name: self._lost_s.get(name, now_s) for name in lost}
        expired = [name for name, since in self._lost_s.items() if now_s - since >= LEASE_S]
        for app in self.model.applications.values():
            if app.leader in expired:
                controller.elect(self.model, app.name, lost=expired)

    # Playing ------------------------------------------------------------------------------------

    def _labour(self, unit: Unit, work: Callable[[], None]) -> None:
        try:
            work()
        except LabError as error:
            logger.exception("%s: the agent failed", unit.name)
            with self.changed:
                unit.agent = Status(current="failed", message=str(error).partition("\n")[0])
            time.sleep(self._look_s)
        finally:
            with self.changing():
                self._busy.discard(unit.place)

    def _provision(self, unit: Unit) -> None:
        place = self.place(unit)
        place.ensure_up()
        self._equip(unit, place)
        seen = self._sight(unit, place)
        with self.changed:
            unit.address, unit.provisioned = place.address(), True
            unit.agent = Status(current="idle")
            self._seen[unit.name] = seen

    def _equip(self, unit: Unit, place: Place) -> None:
        self._runner.provision(unit, place=place)
        if server := self._servers.pop(unit.name, None):
            server.close()
        directory = agent_directory(place, unit)
        self._servers[unit.name] = ToolServer(directory, self._call)

    def _errand(self, errand: Errand | None, unit: Unit) -> None:
        if errand is None:
            return
        place = self.place(unit)
        if errand is Errand.UNPACK:
            self._runner.lay_out_charm(unit, place=place, charm=self.charm_directory(unit.app))
        elif errand is Errand.STOP_WORKLOADS:
            place.stop_workloads()
        elif errand is Errand.RENEW:
            self._places.pop(unit.place)
            place = self.place(unit)
            place.renew()
            self._equip(unit, place)
            self._seen[unit.name] = self._sight(unit, place)
        else:
            self._tear_down(unit, place)

    def _tear_down(self, unit: Unit, place: Place) -> None:
        if server := self._servers.pop(unit.name, None):
            server.close()
        alone = all(u is unit or u.place != unit.place for u in self.model.units.values())
        if alone:
            place.remove()
        with self.changed:
            if alone:
                self._places.pop(unit.place, None)
            for known in (self._seen, self._updated_s, self._lost_s, self._failed):
                known.pop(unit.name, None)
            controller.forget_unit(self.model, unit)

    def _play(self, unit: Unit, event: Event) -> None:
        """Run one hook with its errands, and remember how it ended."""
        place = self.place(unit)
        if event.silent:
            self._errand(event.after, unit)
            return
        self._errand(event.before, unit)
        with self.changed:
            if event.task:
                event.task.status = "running"
            self._updated_s[unit.name] = self._monotonic_s()
            unit.agent = Status(current="executing", message=f"running {event.hook} hook")
            context = HookContext.begin(
                self.model, unit=unit, hook=event.hook, env=dict(event.env), task=event.task
            )
            self._contexts[context.id] = context
            leader = context.leader
        outcome = self._runner.dispatch(unit, event=event, context=context, place=place)
        with self.changed:
            del self._contexts[context.id]
            outcome = self._keep(context, outcome)
            self.trace.hook(unit.name, event=event, outcome=outcome, leader=leader)
            ended_well = self._conclude(unit, event, outcome)
        if ended_well:
            self._errand(event.after, unit)

    def _keep(self, context: HookContext, outcome: Outcome) -> Outcome:
        """Flush what a hook wrote, which may still make it fail."""
        if outcome.code:
            return outcome
        try:
            context.flush()
        except FlushError as error:
            return dataclasses.replace(outcome, code=1, stderr=f"{outcome.stderr}ERROR {error}\n")
        return outcome

    def _conclude(self, unit: Unit, event: Event, outcome: Outcome) -> bool:
        """Remember the end of a hook; say whether it counts as done."""
        if task := event.task:
            if task.status == "running":
                task.status = "failed" if outcome.code else "completed"
                task.message = f"exit status {outcome.code}" if outcome.code else ""
            task.results |= {"return-code": outcome.code}
            if outcome.code:
                task.results |= {"stdout": outcome.stdout, "stderr": outcome.stderr}
            return True
        if outcome.code == 0:
            event.done()
            unit.failure = None
            self._failed.pop(unit.name, None)
            return True
        tries = unit.failure.tries + 1 if unit.failure else 1
        wait_s = min(FIRST_RETRY_S * 2 ** (tries - 1), LAST_RETRY_S)
        due_s = self._monotonic_s() + wait_s
        unit.failure = Failure(hook=event.hook, tries=tries, due=due_s)
        self._failed[unit.name] = event
        return False

    def _call(self, context_id: str, tool: str, words: Sequence[Word], stdin: str) -> str:
        with self.changed:
            context = self._contexts.get(context_id)
            if context is None:
                raise ToolError(f'no hook runs in context "{context_id}"')
            return call(context, tool=tool, argv=words, stdin=stdin)

    # What a person may do to a running agent ----------------------------------------------------

    def resolve(self, unit: Unit, *, retry: bool) -> None:
        """Let a failed hook run again at once, or pass over it."""
        failure, event = unit.failure, self._failed.get(unit.name)
        if failure and retry:
            failure.due = self._monotonic_s()
            return
        controller.resolve(unit)
        self._failed.pop(unit.name, None)
        if event:
            event.done()

    def reconnect(self) -> None:
        """Give the units of an earlier agent their hook tools and sockets again."""
        for unit in list(self.model.units.values()):
            if unit.provisioned:
                place = self.place(unit)
                place.ensure_up()
                self._equip(unit, place)
                self._seen[unit.name] = self._sight(unit, place)
