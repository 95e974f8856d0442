# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How much memory the lab takes: the proportional share of every process that belongs to it."""

import pathlib
from collections.abc import Iterable, Mapping

from . import network, process

_PROC = pathlib.Path("/proc")
_NAMESPACES = pathlib.Path("/run/netns")


def pss_mib() -> float:
    """Return the sum in MiB: pages that several processes share count once."""
    return sum(pss_kib(_read(number, "smaps_rollup")) for number in processes()) / 1024


def processes() -> set[int]:
    """Return the pids in the lab's network namespaces, and of its daemons and what they started.

    Either alone is too few: Juju's agent is in no namespace, and epmd leaves its parent.
    """
    parents = {number: parent(number) for number in pids()}
    daemons = (process.read_pid_file(file) for file in process.RUN.glob("*.pid"))
    roots = {number for number in daemons if number is not None}
    spaces = {file.stat().st_ino for file in _NAMESPACES.glob(f"{network.SWITCH}*")}
    inside = {number for number in parents if _namespace(number) in spaces}
    return inside | descendants(parents, roots=roots)


def descendants(parents: Mapping[int, int], *, roots: Iterable[int]) -> set[int]:
    """Return *roots* and all that they and their children have started.

    Args:
        parents: Each process with its parent.
        roots: Where to begin.
    """
    children: dict[int, list[int]] = {}
    for child, parent in parents.items():
        children.setdefault(parent, []).append(child)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += children.get(number, [])
    return found


def pss_kib(rollup: str) -> int:
    """Return the share that ``smaps_rollup`` tells; a process without memory of its own has 0."""
    for line in rollup.splitlines():
        name, _, rest = line.partition(":")
        if name == "Pss":
            return int(rest.split()[0])
    return 0


def pids() -> list[int]:
    """Return every process of the machine."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def parent(number: int) -> int:
    """Return the process that started this one, or that adopted it; 0 if it has ended."""
    fields = _read(number, "stat").rpartition(")")[2].split()  # the name before may hold anything
    return int(fields[1]) if fields else 0


def _namespace(number: int) -> int:
    try:
        return (_PROC / str(number) / "ns/net").stat().st_ino
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0  # it has ended, or it is none that root may look into: not the lab's


def _read(number: int, name: str) -> str:
    """Return a file of a process; empty if the process has ended meanwhile."""
    try:
        return (_PROC / str(number) / name).read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
