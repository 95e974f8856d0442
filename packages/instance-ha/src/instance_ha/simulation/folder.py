# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Write a scenario down as the folder that it can be read from again."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from instance_ha.simulation.world import HostPlan, WorldPlan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from instance_ha.simulation.scenario import Scenario


def write(scenario: Scenario, folder: Path, *, story: str) -> None:
    """Make *folder* say what *scenario* is; its journal is written when it is played.

    The order of the steps is no part of a folder: it is always the product's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(f"# {scenario.name}\n\n{story}\n")
    (folder / "hosts.toml").write_text("\n".join(_hosts(scenario.plan)) + "\n")
    (folder / "timeline.toml").write_text(timeline(scenario))


def timeline(scenario: Scenario) -> str:
    """Return the timeline as TOML."""
    lines = [f"length_s = {scenario.length_s:g}"]
    for entry in scenario.entries:
        lines += ["", "[[at]]", f"s = {entry.at_s:g}"]
        lines += [f"do = {json.dumps(entry.do)}"] if entry.do else []
        lines += [f"expect = {json.dumps(entry.expect)}"] if entry.expect else []
    return "\n".join(lines) + "\n"


def _hosts(plan: WorldPlan) -> Iterator[str]:
    said = {
        field.name: getattr(plan, field.name)
        for field in dataclasses.fields(plan)
        if field.name not in {"hosts", "order", "policy"}
        and getattr(plan, field.name) != field.default
    }
    if said:
        yield "[world]"
        yield from _fields(said)
        yield ""
    if plan.policy:
        yield "[world.policy]"
        yield from _fields(dict(plan.policy))
        yield ""
    for host in plan.hosts:
        yield "[[host]]"
        defaults = {field.name: field.default for field in dataclasses.fields(HostPlan)}
        said = {k: v for k, v in vars(host).items() if v != defaults[k]}
        yield from _fields(said)
        yield ""


def _fields(said: dict[str, Any]) -> Iterator[str]:
    """Return assignments; JSON's strings, numbers, booleans and lists are TOML's too."""
    for name, value in said.items():
        yield f"{name} = {json.dumps(list(value) if isinstance(value, tuple) else value)}"
