# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How a hook tool enters the catalogue."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from lab.juju.arguments import SWITCH, VALUE, Arguments
from lab.juju.context import HookContext

Answer = Callable[[HookContext, Arguments], str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Tool:
    """A hook tool: the options that it plays and how it answers."""

    answer: Answer
    options: Mapping[str, bool]


def tool(
    tools: dict[str, Tool], name: str, *, values: str = "", switches: str = ""
) -> Callable[[Answer], Answer]:
    """Enter the decorated function as hook tool *name*.

    Args:
        tools: The catalogue.
        values: Options that take a value, separated by blanks.
        switches: Options that take none.
    """
    options = dict.fromkeys(f"--format {values}".split(), VALUE)
    options |= dict.fromkeys(switches.split(), SWITCH)

    def enter(answer: Answer) -> Answer:
        tools[name] = Tool(answer=answer, options=options)
        return answer

    return enter


def as_json(value: Any) -> str:
    """Return *value* as ``--format=json`` prints it."""
    return f"{json.dumps(value)}\n"
