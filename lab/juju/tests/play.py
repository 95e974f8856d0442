# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A model without processes: hooks are recorded, and a toy charm is a function."""

import collections
import dataclasses
from collections.abc import Callable, Mapping

from lab.juju import controller, relations, resolver, tools
from lab.juju.charmdir import Charm, Endpoint
from lab.juju.context import HookContext
from lab.juju.event import Errand, Event, Sighting
from lab.juju.model import Model, Unit

Effect = Callable[[HookContext, str], None]


def ends(**wanted: str) -> dict[str, Endpoint]:
    """Read ``name="role interface [container]"``."""
    found: dict[str, Endpoint] = {}
    for name, text in wanted.items():
        role, interface, *scope = text.split()
        found[name] = Endpoint(
            name=name, role=role, interface=interface, scope=scope[0] if scope else "global"
        )
    return found


def tool(context: HookContext, name: str, *words: str, stdin: str = "") -> str:
    """Call a hook tool."""
    return tools.call(context, tool=name, argv=words, stdin=stdin)


@dataclasses.dataclass
class Play:
    """Plays hooks one at a time until nothing is left."""

    model: Model = dataclasses.field(default_factory=Model)
    effects: dict[str, Effect] = dataclasses.field(default_factory=dict)
    workloads: dict[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    boots: dict[str, str] = dataclasses.field(default_factory=dict)
    hooks: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    wall_s: float = 0.0

    def deploy(self, charm: Charm, name: str = "", *, effect: Effect | None = None, **more):
        name = name or charm.name
        self.effects[name] = effect or (lambda context, hook: None)
        given = {"config": {}, "resources": {}, **more}
        controller.deploy(self.model, charm, name=name, **given)

    def sight(self, unit: Unit) -> Sighting:
        boot = self.boots.setdefault(unit.place, "first")
        seen = self.workloads.get(unit.name, {})
        return Sighting(boot=boot, workloads=seen if boot else {}, wall_s=self.wall_s)

    def next(self, name: str) -> Event | None:
        unit = self.model.units[name]
        unit.provisioned, unit.address = True, f"10.0.0.{unit.number + 1}"
        entered = relations.enter_scopes(self.model, unit)
        controller.ensure_subordinates(self.model, unit, entered)
        return resolver.next_event(self.model, unit, seen=self.sight(unit))

    def step(self, name: str) -> bool:
        """Play the next hook of one unit; say whether there was any."""
        event = self.next(name)
        if event is None:
            return False
        unit = self.model.units[name]
        if not event.silent:
            self.run(unit, event)
        event.done()
        if event.after is Errand.TEAR_DOWN:
            controller.forget_unit(self.model, unit)
        elif event.after is Errand.RENEW:
            self.boots[unit.place] += "+"
            self.workloads[name] = {c: f"{b}+" for c, b in self.workloads.get(name, {}).items()}
        controller.tidy(self.model)
        return True

    def run(self, unit: Unit, event: Event) -> None:
        remote = event.env.get("JUJU_REMOTE_UNIT", "")
        departing = event.env.get("JUJU_DEPARTING_UNIT", "")
        line = event.hook + (f"({remote})" if remote else "")
        self.hooks.append((unit.name, line + (f"[{departing}]" if departing else "")))
        context = HookContext.begin(
            self.model, unit=unit, hook=event.hook, env=dict(event.env), task=event.task
        )
        self.effects[unit.app](context, event.hook)
        context.flush()
        if event.task:
            event.task.status = "completed"

    def settle(self, *order: str) -> dict[str, list[str]]:
        """Play until nobody has anything left; return what each unit saw since the last time."""
        self.hooks.clear()
        for _ in range(400):
            names = [n for n in order if n in self.model.units]
            names += [n for n in self.model.units if n not in names]
            ran = [self.step(name) for name in names if name in self.model.units]
            if not any(ran):
                break
        else:
            raise AssertionError(f"the model does not come to rest: {self.hooks[-6:]}")
        seen: dict[str, list[str]] = collections.defaultdict(list)
        for unit, line in self.hooks:
            seen[unit].append(line)
        return dict(seen)
