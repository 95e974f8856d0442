# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A scenario is a folder: a story in words, the hosts, a timeline, the log it must lead to."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from instance_ha import recovery, timeline
from instance_ha.controller import Controller
from instance_ha.errors import InstanceHaError
from instance_ha.model import Network
from instance_ha.simulation import acts
from instance_ha.simulation.world import HostPlan, SimWorld, WorldPlan

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KIND_WIDTH = 12


class ScenarioError(InstanceHaError):
    """A scenario that cannot be read."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of a timeline."""

    at_s: float
    do: str = ""
    expect: str = ""
    """``FACT == VALUE``, see :func:`instance_ha.simulation.acts.fact`."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What a folder says."""

    name: str
    plan: WorldPlan
    entries: tuple[Entry, ...]
    length_s: float


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a scenario."""

    journal: str
    """Every incident's events, one a line, and a closing line."""
    unmet: tuple[str, ...]
    """The expectations that did not hold."""
    broken: tuple[str, ...]
    """The promises that were broken."""


def read(folder: Path, *, order: Sequence[str] = recovery.ORDER) -> Scenario:
    """Return the scenario in *folder*; raise ``ScenarioError`` if it cannot be read."""
    try:
        hosts = tomllib.loads((folder / "hosts.toml").read_text())
        story = tomllib.loads((folder / "timeline.toml").read_text())
        return Scenario(
            name=folder.name,
            plan=_plan(hosts, order=order),
            entries=tuple(sorted(map(_entry, story["at"]), key=lambda entry: entry.at_s)),
            length_s=float(story["length_s"]),
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"{folder}: cannot be read: {error!r}; see its neighbours") from error


def play(
    scenario: Scenario, *, make_controller: Callable[..., Controller] = Controller
) -> Outcome:
    """Play a scenario to its end; a test may put a worse controller there."""
    world = SimWorld(scenario.plan, make_controller=make_controller)
    unmet: list[str] = []
    for entry in scenario.entries:
        world.at(entry.at_s, functools.partial(_carry_out, entry, world, unmet=unmet))
    while world.clock.now_s() <= scenario.length_s:
        world.advance()
    return Outcome(
        journal=_journal(world, length_s=scenario.length_s),
        unmet=tuple(unmet),
        broken=tuple(world.witness.broken),
    )


def _carry_out(entry: Entry, world: SimWorld, *, unmet: list[str]) -> None:
    """Do what the entry says; add what it expects in vain to *unmet*."""
    if entry.do:
        acts.carry_out(world, *entry.do.split())
    if not entry.expect:
        return
    words, _, wanted = (part.strip() for part in entry.expect.partition("=="))
    found = acts.fact(world, words)
    if found != wanted:
        unmet.append(f"{entry.at_s:.1f} s: {entry.expect}, but it is {found}")


def _journal(world: SimWorld, *, length_s: float) -> str:
    told = [
        (event.at_s, line)
        for incident in world.journal.incidents()
        for event in world.journal.events(incident)
        for line in timeline.lines(incident.host, [event], start_s=0.0, width=KIND_WIDTH)
    ]
    evacuated = world.witness.evacuated.total()
    check = f"{evacuated} evacuated, {len(world.witness.broken)} promises broken"
    end = f"{length_s:8.1f} s  {'check':<{KIND_WIDTH}}  {check}"
    lines = [line for _, line in sorted(told, key=lambda pair: pair[0])]
    return "".join(f"{line}\n" for line in [*lines, end])


def _plan(hosts: dict[str, Any], *, order: Sequence[str]) -> WorldPlan:
    world: dict[str, Any] = dict(hosts.get("world", {}))
    for key in ("controllers", "engines", "networks", "rungs"):
        if key in world:
            world[key] = tuple(world[key])
    if "networks" in world:
        world["networks"] = tuple(Network(name) for name in world["networks"])
    if named := world.get("policy", {}).get("approval_segments"):
        world["policy"]["approval_segments"] = frozenset(named)
    plans = tuple(_host(raw) for raw in hosts["host"])
    return WorldPlan(hosts=plans, order=tuple(order), **world)


def _host(raw: dict[str, Any]) -> HostPlan:
    lists = {key: tuple(raw.get(key, ())) for key in ("servers", "aggregates")}
    fields: dict[str, Any] = {**raw, **lists}
    return HostPlan(**fields)


def _entry(raw: dict[str, Any]) -> Entry:
    entry = Entry(at_s=float(raw["s"]), do=raw.get("do", ""), expect=raw.get("expect", ""))
    if entry.do and entry.do.split()[0] not in acts.ACTS:
        raise ScenarioError(f"'{entry.do}' is no act; there are: {', '.join(acts.ACTS)}")
    if entry.expect and entry.expect.split()[0] not in acts.FACTS:
        raise ScenarioError(f"'{entry.expect}' is no fact; there are: {', '.join(acts.FACTS)}")
    return entry
