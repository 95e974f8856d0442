# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The hook tools: what a charm calls, and what the model answers.

Every tool is a function of a ``HookContext`` and its ``Arguments`` that returns what the tool
prints. ``TOOLS`` is the whole catalogue; the executables in a unit's ``PATH`` are made from it,
and those named in ``UNPLAYED`` exist only to say so.
"""

from collections.abc import Sequence

from lab.juju.arguments import Arguments, Word, parse
from lab.juju.context import HookContext
from lab.juju.errors import NotPlayedError

from . import relation, secret, unit
from .catalogue import Tool

TOOLS: dict[str, Tool] = {**relation.TOOLS, **secret.TOOLS, **unit.TOOLS}

UNPLAYED = (
    "add-metric",
    "juju-reboot",
    "k8s-raw-get",
    "k8s-raw-set",
    "k8s-spec-get",
    "k8s-spec-set",
    "payload-register",
    "payload-status-set",
    "payload-unregister",
    "storage-add",
    "storage-get",
    "storage-list",
)


def call(context: HookContext, *, tool: str, argv: Sequence[Word], stdin: str = "") -> str:
    """Return what hook tool *tool* prints.

    Raises:
        ToolError: if it refuses.
        NotPlayedError: if the lab does not know the tool or one of its options.
    """
    if tool not in TOOLS:
        raise NotPlayedError(f"hook tool {tool}")
    played = TOOLS[tool]
    return played.answer(context, parse(tool, argv, options=played.options, stdin=stdin))


__all__ = ["TOOLS", "UNPLAYED", "Arguments", "Tool", "call"]
