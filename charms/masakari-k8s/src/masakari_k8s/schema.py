# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Bring the database to what Masakari and our plugin expect, once for all units."""

import hashlib

from masakari_k8s import plugin, rendering, workload
from masakari_k8s.workload import Box, File
from masakari_k8s.world import Database

_DEADLINE_S = 300
_VERSION = "import importlib.metadata as m; print(m.version('masakari'))"
_VERSION_FILE = f"{plugin.HOME}/image"
"""Which Masakari the image holds; it goes with the container, as that image does."""


def wanted(engine: Box, database: Database, *, plugin: str) -> str:
    """Return the name of the schema that this image and this plugin need in this database.

    Raises:
        CommandError: if the image has no Masakari.
    """
    version = _version(engine)
    found = hashlib.sha256("\0".join((database.name, version, plugin)).encode())
    return f"{version}-{found.hexdigest()[:12]}"


def _version(engine: Box) -> str:
    known = workload.read(engine, _VERSION_FILE)
    if known is None:
        known = workload.run(engine, ["python3", "-c", _VERSION]).strip()
        workload.ensure_files(engine, [File(path=_VERSION_FILE, text=known)])
    return known


def migrate(engine: Box) -> None:
    """Migrate Masakari's tables and ours; running it again changes nothing.

    Raises:
        CommandError: if one of the two does not end well.
    """
    files = ["--config-file", rendering.MASAKARI_CONF, "--config-file", rendering.STORE_CONF]
    theirs = ["masakari-manage", *files, "db", "sync"]
    ours = [plugin.COMMAND, "--config-file", rendering.STORE_CONF, "db-sync"]
    for command in (theirs, ours):
        workload.run(engine, command, timeout_s=_DEADLINE_S)
