# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read in Nova's own log when it was asked to evacuate which server.

nova-api writes this line before it checks anything, so a call that it refuses is there too:

    2026-01-01 12:00:00.123 99 DEBUG nova.compute.api [...] [instance: ...] vm evacuation scheduled
"""

import dataclasses
import datetime
import re
from collections.abc import Iterable, Iterator

from . import services

_CALL = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) .*"
    r"\[instance: (?P<server>[0-9a-f-]{36})\] vm evacuation scheduled"
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvacuateCall:
    """nova-api was asked to evacuate *server*."""

    at: datetime.datetime
    """In UTC; Nova's log is in the machine's local time."""
    server: str


def parse(lines: Iterable[str]) -> Iterator[EvacuateCall]:
    """Yield every evacuate call in a log of nova-api."""
    for line in lines:
        if match := _CALL.search(line):
            local = datetime.datetime.fromisoformat(match["at"]).astimezone()
            yield EvacuateCall(at=local.astimezone(datetime.UTC), server=match["server"])


def evacuate_calls(*, since: datetime.datetime) -> list[EvacuateCall]:
    """Return the evacuate calls that the lab's nova-api has seen, oldest first."""
    file = services.NOVA.daemon.log
    if not file.exists():
        return []
    with file.open(errors="replace") as log:
        return sorted((call for call in parse(log) if call.at >= since), key=lambda c: c.at)
