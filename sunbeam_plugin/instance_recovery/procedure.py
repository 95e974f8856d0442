# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Steps one after the other; each may be repeated, so the same command goes on where it ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .errors import CloudError, InstanceRecoveryError, StepError
from .ports import Tell


@dataclass(frozen=True, kw_only=True)
class Step:
    """A part of a procedure."""

    title: str
    """What it does, in the words of an operator."""
    run: Callable[[Tell], None]


class Show(Protocol):
    """Where progress is shown."""

    def step(self, number: int, of: int, title: str) -> contextlib.AbstractContextManager[Tell]:
        """Show a step while it lasts, and how it ended."""
        ...


def carry_out(steps: Sequence[Step], *, show: Show, command: str) -> None:
    """Run every step.

    Raises:
        StepError: with the first step that fails, why, and how to go on with *command*.
    """
    for number, step in enumerate(steps, start=1):
        try:
            with show.step(number, len(steps), step.title) as tell:
                step.run(tell)
        except InstanceRecoveryError as error:
            place = f"{number} of {len(steps)} ({step.title})"
            raise StepError(place, _reason(error), next_command=command) from error


def _reason(error: InstanceRecoveryError) -> str:
    if isinstance(error, CloudError):
        return f"{error.fact}: {error.reason}.\n{error.hint}."
    return str(error)
