# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which machine of the power controller is which Nova host, as the fencing authority proved."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from instance_ha.errors import FenceTargetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_HINT = (
    "Integrate hacluster-shim:hypervisors with masakari-monitors on that host, and see "
    "juju show-unit for the fencing relation"
)


class TargetsUnreadableError(FenceTargetError):
    """It is not known which hosts there are."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """The names that one host has at the power controller; empty where unknown."""

    system_id: str = ""
    fqdn: str = ""
    hostname: str = ""
    storage_addresses: tuple[str, ...] = ()
    """From which its clients speak to the storage."""


def find(host: str, *, file: Path) -> Target:
    """Return the target of *host*; the file is read each time, for it changes under us.

    A host that is not listed is never guessed by its name: the machine of that name may be
    another one, and its silence would be taken for a proof.

    Raises:
        TargetsUnreadableError: if the file cannot be used.
        FenceTargetError: if it does not name the host.
    """
    try:
        listed = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = f"the list of power targets cannot be read: {error}"
        raise TargetsUnreadableError(host, reason, hint=_HINT) from error
    entry = listed.get(host) if isinstance(listed, dict) else None
    if not isinstance(entry, dict):
        raise FenceTargetError(host, "no power target is known for it", hint=_HINT)
    return _target(entry)


def problems(file: str | None) -> Mapping[str, str] | None:
    """Return host -> why the last test of its fence path failed; empty if it did not.

    Nobody is on a list that cannot be read; None where there is to be none.
    """
    if not file:
        return None
    return {host: str(entry.get("problem") or "") for host, entry in _listed(file)}


def tested_at_s(file: str | None) -> Mapping[str, float]:
    """Return host -> when its fence path was tested, of those that were."""
    found: dict[str, float] = {}
    for host, entry in _listed(file) if file else ():
        with contextlib.suppress(TypeError, ValueError):
            found[host] = datetime.fromisoformat(entry.get("tested_at", "")).timestamp()
    return found


def _listed(file: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    try:
        listed: object = json.loads(Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(listed, dict):
        for host, entry in cast("dict[object, object]", listed).items():
            if isinstance(entry, dict):
                yield str(host), cast("dict[str, Any]", entry)


def storage_addresses(file: Path) -> Mapping[str, tuple[str, ...]]:
    """Return host -> its storage addresses, as a list that :func:`find` has read says them."""
    listed = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: _target(entry).storage_addresses
        for name, entry in listed.items()
        if isinstance(entry, dict)
    }


def _target(entry: Mapping[str, object]) -> Target:
    """Return the entry's names; whoever writes the list may say more than we need."""
    known = {name: str(entry.get(name) or "") for name in ("system_id", "fqdn", "hostname")}
    listed = entry.get("storage_addresses")
    addresses = cast("list[object]", listed) if isinstance(listed, list) else []
    return Target(**known, storage_addresses=tuple(map(str, addresses)))
