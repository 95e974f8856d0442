# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the hypervisors themselves published, as the charm hands it on in a file.

The file changes under us, and is read anew each time; without it nothing is known.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping


def boot_ids(file: str | None) -> Mapping[str, str]:
    """Return host -> the id of its boot, of those that said one."""
    return _field(file, "boot_id")


def addresses(file: str | None) -> Mapping[str, str]:
    """Return address -> host, of those that said one."""
    return {address: host for host, address in _field(file, "address").items()}


def _field(file: str | None, name: str) -> dict[str, str]:
    if not file:
        return {}
    try:
        listed = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    hosts = cast("dict[str, object]", listed) if isinstance(listed, dict) else {}
    entries = {
        host: cast("dict[str, object]", entry)
        for host, entry in hosts.items()
        if isinstance(entry, dict)
    }
    return {host: str(value) for host, entry in entries.items() if (value := entry.get(name))}
