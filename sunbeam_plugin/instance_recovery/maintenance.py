# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""``sunbeam cluster maintenance`` pauses the recovery of the node; Sunbeam has no hook for it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import click

Word = Callable[[str], None]
"""What is done with a node, by its name."""


@dataclass(frozen=True, kw_only=True)
class Around:
    """Takes the place of a command's callback, and calls it.

    Sunbeam wraps a callback once more when it registers the command; it does not matter which of
    the two comes first.
    """

    callback: Callable[..., object]
    before: Word | None = None
    after: Word | None = None
    undo: Word | None = None
    """Done if the command fails after ``before``."""

    def __call__(self, *args: object, **params: object) -> object:
        """Run the command; a dry run does nothing else."""
        node = str(params["node"])
        if params.get("dry_run"):
            return self.callback(*args, **params)
        if self.before:
            self.before(node)
        with contextlib.ExitStack() as unless_done:
            if self.undo:
                unless_done.callback(self.undo, node)
            result = self.callback(*args, **params)
            unless_done.pop_all()
        if self.after:
            self.after(node)
        return result


def follow(enter: click.Command, leave: click.Command, *, rest: Word, wake: Word) -> None:
    """Pause a node from before it goes into maintenance until after it came out."""
    for command, words in ((enter, {"before": rest, "undo": wake}), (leave, {"after": wake})):
        if command.callback is not None and not isinstance(command.callback, Around):
            command.callback = Around(callback=command.callback, **words)
