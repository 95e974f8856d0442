# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Files that are whole or not there, whatever loses its power while they are written."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import threading
from collections.abc import Mapping


def write_whole(path: pathlib.Path, text: str, *, durable: bool = True) -> None:
    """Make the file hold *text*; a crash leaves the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        if durable:
            os.fsync(file.fileno())
    new.replace(path)
    if durable:
        sync_directory(path.parent)


def sync_directory(path: pathlib.Path) -> None:
    """Make what was created, renamed or removed in a directory outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Report:
    """How one of our processes is, for the charm and for people; written only when it changes.

    Any of its threads may tell.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._telling = threading.Lock()
        self._facts: dict[str, object] = {}

    def tell(self, **facts: object) -> bool:
        """Add or change facts. Return whether that changed anything."""
        with self._telling:
            changed = {key: value for key, value in facts.items() if self._facts.get(key) != value}
            if not changed:
                return False
            self._facts |= changed
            text = json.dumps(self._facts, sort_keys=True) + "\n"
            write_whole(self._path, text, durable=False)
        return True


def read_report(path: pathlib.Path) -> Mapping[str, object]:
    """Return what a process says of itself; nothing while it has not said anything."""
    with contextlib.suppress(OSError, ValueError):
        said = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(said, dict):
            return said
    return {}
