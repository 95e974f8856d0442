# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read what a guest acknowledged on its console, and what is left of it on its disk."""

import dataclasses
import re
from collections.abc import Iterable, Mapping

SECTOR_BYTES = 512

_ACK = re.compile(r"ACK (h\d) (\d+) (\d+)\b")
_START = re.compile(r"WRITER (h\d) starts after record (\d+)")
_REFUSED = re.compile(r"WRITE-ERROR (h\d) (\d+) (\d+)\b")
_RECORD = re.compile(rb"REC (h\d) (\d+)")


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Record:
    """Record *number*, written by the guest while it ran on *host*."""

    number: int
    host: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Console:
    """What one run of a guest said, or several runs one after the other."""

    acknowledged: tuple[Record, ...]
    started_after: tuple[int, ...]
    """The last record that each run found on its disk."""
    refused: int
    """Writes that the storage did not take."""


def read_console(text: str) -> Console:
    """Return what a console log tells; half a line at its end is not said yet."""
    whole = text[: text.rfind("\n") + 1]
    return Console(
        acknowledged=tuple(
            Record(host=match[1], number=int(match[2])) for match in _ACK.finditer(whole)
        ),
        started_after=tuple(int(match[2]) for match in _START.finditer(whole)),
        refused=len(_REFUSED.findall(whole)),
    )


def lost(disk: bytes, acknowledged: Iterable[Record]) -> Mapping[str, tuple[int, ...]]:
    """Return the acknowledged records that are not on *disk*, per host that had written them.

    Args:
        disk: The beginning of the disk; what lies behind its end counts as lost.
    """
    missing: dict[str, list[int]] = {}
    for record in sorted(set(acknowledged)):
        if _at(disk, record.number) != record:
            missing.setdefault(record.host, []).append(record.number)
    return {host: tuple(numbers) for host, numbers in missing.items()}


def _at(disk: bytes, number: int) -> Record | None:
    start = number * SECTOR_BYTES
    match = _RECORD.match(disk[start : start + SECTOR_BYTES])
    return Record(host=match[1].decode(), number=int(match[2])) if match else None
