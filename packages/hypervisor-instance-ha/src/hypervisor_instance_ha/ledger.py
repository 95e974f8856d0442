# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which servers ran here when we looked last; it outlives restarts and power cuts."""

from __future__ import annotations

import json
import logging
import pathlib
import threading
from collections.abc import Collection

from hypervisor_instance_ha.files import write_whole

logger = logging.getLogger(__name__)


class Ledger:
    """The servers that ran, and during which boot of the machine."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._boot, self._running = self._read()

    @property
    def boot(self) -> str:
        """The boot during which it was written last; empty: never."""
        return self._boot

    def running(self) -> frozenset[str]:
        """Return the servers that ran."""
        with self._lock:
            return frozenset(self._running)

    def see(self, running: Collection[str], *, boot: str) -> None:
        """Note that exactly these run in this boot."""
        self._change(set(running), boot=boot)

    def add(self, uuid: str) -> None:
        """Note that one more runs."""
        with self._lock:
            self._change(self._running | {uuid}, boot=self._boot)

    def forget(self, uuid: str) -> None:
        """Note that one does not run, and that this was wanted or is reported."""
        with self._lock:
            self._change(self._running - {uuid}, boot=self._boot)

    def _change(self, running: set[str], *, boot: str) -> None:
        with self._lock:
            if (running, boot) == (self._running, self._boot):
                return
            self._running, self._boot = running, boot
            text = json.dumps({"boot": boot, "running": sorted(running)})
            write_whole(self._path, text + "\n")

    def _read(self) -> tuple[str, set[str]]:
        try:
            said = json.loads(self._path.read_text(encoding="utf-8"))
            return str(said["boot"]), {str(uuid) for uuid in said["running"]}
        except FileNotFoundError:
            return "", set()
        except (OSError, ValueError, TypeError, KeyError) as error:
            logger.error("%s is begun anew: %s", self._path, error)  # noqa: TRY400
            return "", set()
