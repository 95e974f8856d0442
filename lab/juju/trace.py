# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What ran: one line a hook for comparing with a real Juju, and the log that people read."""

import json
import logging
import pathlib
from typing import Any

from .event import Event
from .runner import Outcome

logger = logging.getLogger(__name__)


class Trace:
    """The record of one model."""

    def __init__(self, state: pathlib.Path) -> None:
        self.log = state / "debug.log"
        self._hooks = state / "trace.jsonl"

    def hook(self, unit: str, *, event: Event, outcome: Outcome, leader: bool) -> None:
        """Record the end of one hook."""
        line: dict[str, Any] = {
            "unit": unit,
            "hook": event.hook,
            "leader": leader,
            "code": outcome.code,
            "took_s": round(outcome.took_s, 3),
        }
        for key, variable in (
            ("remote", "JUJU_REMOTE_UNIT"),
            ("departing", "JUJU_DEPARTING_UNIT"),
        ):
            if event.env.get(variable):
                line[key] = event.env[variable]
        with self._hooks.open("a") as file:
            file.write(f"{json.dumps(line)}\n")
        level = logging.ERROR if outcome.code else logging.INFO
        logger.log(
            level, "unit-%s %s: code %d in %.2f s", unit, event.hook, outcome.code, outcome.took_s
        )
        for text in (outcome.stdout + outcome.stderr).splitlines():
            logger.log(level, "unit-%s %s: %s", unit, event.hook, text)

    def hooks(self) -> list[dict[str, Any]]:
        """Return every hook that ended, oldest first."""
        if not self._hooks.exists():
            return []
        return [json.loads(line) for line in self._hooks.read_text().splitlines()]
