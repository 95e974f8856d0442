# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A queue on disk: what was put into it is there after a crash, in its order, and bounded."""

from __future__ import annotations

import dataclasses
import json
import logging
import pathlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from hypervisor_instance_ha.files import sync_directory, write_whole

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Something that Masakari shall know, or that is to be looked into first."""

    kind: str
    """``died`` or ``hangs`` for a server, ``process`` for a process."""
    name: str
    """The server's UUID, or the process' name."""
    at_s: float
    """When it was noticed."""
    doubtful: bool = False
    """Whether Nova is asked before anything is sent: it may have been wanted so."""
    not_before_s: float = 0.0
    """When it may be looked into; what is just changing has settled then."""
    number: int = 0
    """Its place in the queue; given by the queue."""


class Spool:
    """The queue of one process; its methods may be called from several threads."""

    def __init__(self, directory: pathlib.Path, *, most: int) -> None:
        """Take up what an earlier run left in *directory*; *most* entries are kept."""
        self._directory = directory
        self._most = most
        self._changed = threading.Condition()
        directory.mkdir(parents=True, exist_ok=True)
        self._entries = self._read()
        self._last = max((entry.number for entry in self._entries), default=0)

    def add(self, entry: Entry) -> bool:
        """Put *entry* at the end. Return whether it is new: one of its kind and name is enough.

        What is certain replaces what was doubtful, at its place. When the queue is full, the
        oldest entry is dropped, and that is said.
        """
        with self._changed:
            known = self._find(entry)
            if known is not None and (entry.doubtful or not known.doubtful):
                return False
            self._last += known is None
            number = self._last if known is None else known.number
            made = dataclasses.replace(entry, number=number)
            write_whole(self._file(made), json.dumps(dataclasses.asdict(made)))
            self._entries = [one for one in self._entries if one is not known] + [made]
            self._entries.sort(key=lambda one: one.number)
            if len(self._entries) > self._most:
                dropped = self._entries[0]
                logger.error("%s is dropped: %s reports wait already", dropped, self._most)
                self._remove(dropped)
            self._changed.notify_all()
            return True

    def remove(self, entry: Entry) -> None:
        """Take *entry* out, as it is done."""
        with self._changed:
            self._remove(entry)

    def entries(self) -> Sequence[Entry]:
        """Return all that waits, oldest first."""
        with self._changed:
            return tuple(self._entries)

    def wait(self, timeout_s: float) -> None:
        """Wait until something is added, at most *timeout_s* seconds."""
        with self._changed:
            self._changed.wait(timeout_s)

    def wake(self) -> None:
        """End the waiting."""
        with self._changed:
            self._changed.notify_all()

    def _find(self, entry: Entry) -> Entry | None:
        same = [one for one in self._entries if (one.kind, one.name) == (entry.kind, entry.name)]
        return same[0] if same else None

    def _remove(self, entry: Entry) -> None:
        self._entries = [one for one in self._entries if one.number != entry.number]
        self._file(entry).unlink(missing_ok=True)
        sync_directory(self._directory)

    def _file(self, entry: Entry) -> pathlib.Path:
        return self._directory / f"{entry.number:010}.json"

    def _read(self) -> list[Entry]:
        found: list[Entry] = []
        for path in sorted(self._directory.glob("[0-9]*.json")):
            try:
                found.append(Entry(**json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError) as error:
                logger.error("%s cannot be read and is put aside: %s", path, error)  # noqa: TRY400
                path.replace(path.with_suffix(".bad"))
        return found
