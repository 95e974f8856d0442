# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The hosts' own controllers (BMCs), and how to be let in, as the operator's secret lists them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from instance_ha.errors import FenceTargetError, PolicyError
from instance_ha.ladder import Rung

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Collection, Mapping, Sequence

TYPES = (Rung.REDFISH, Rung.IPMI)
_HINT = "Add it to the secret of hacluster-shim's option bmc-credentials"
_NEEDED = ("address", "username", "password")
_TEXTS = (*_NEEDED, "system", "ca", "fingerprint", "login")
_LOGINS = ("basic", "session")


@dataclass(frozen=True, kw_only=True)
class Bmc:
    """One controller of one host."""

    type: Rung
    address: str
    """Host name or address; for Redfish with a scheme if it is not ``https``."""
    username: str
    password: str = field(repr=False)
    port: int = 623
    """Of IPMI."""
    system: str = ""
    """Path of the host in Redfish; needed only where the BMC has several."""
    ca: str = ""
    """PEM of the authority that signed the certificate; empty for the system's."""
    fingerprint: str = ""
    """SHA-256 of a certificate that nobody signed, as ``openssl x509 -fingerprint`` prints it."""
    login: str = "basic"
    """``basic``, or ``session`` where the BMC has basic authentication switched off."""


def parse(text: str) -> Mapping[str, Sequence[Bmc]]:
    """Return host -> its controllers.

    Raises:
        PolicyError: if the text cannot be used; it names host and key, and shows no value.
    """
    try:
        listed: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"the list of BMCs is not JSON. {_HINT}") from error
    if not isinstance(listed, dict):
        raise PolicyError(f"the list of BMCs is no mapping from host to BMCs. {_HINT}")
    return {
        str(host): _of_host(str(host), entries)
        for host, entries in cast("dict[object, object]", listed).items()
    }


def find(host: str, *, kind: Rung, file: pathlib.Path) -> Bmc:
    """Return the controller of *host* that speaks *kind*; the file is read each time.

    Raises:
        FenceTargetError: if there is none, or the file cannot be used.
    """
    try:
        listed = parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"the list of BMCs cannot be read: {error.strerror}"
        raise FenceTargetError(host, reason, hint=_HINT) from error
    except PolicyError as error:
        raise FenceTargetError(host, str(error), hint=_HINT) from error
    for bmc in listed.get(host, ()):
        if bmc.type is kind:
            return bmc
    raise FenceTargetError(host, f"no {kind} BMC is known for it", hint=_HINT)


def known_types(file: pathlib.Path) -> Collection[Rung]:
    """Return the types that any host has; none where the file cannot be used."""
    try:
        listed = parse(file.read_text(encoding="utf-8"))
    except (OSError, PolicyError):
        return ()
    return {bmc.type for bmcs in listed.values() for bmc in bmcs}


def _of_host(host: str, entries: object) -> Sequence[Bmc]:
    raw = cast("list[object]", entries if isinstance(entries, list) else [entries])
    made = [_one(host, entry) for entry in raw]
    types = [bmc.type for bmc in made]
    if len(set(types)) != len(types):
        raise PolicyError(f"BMCs of {host}: two of one type; keep one. {_HINT}")
    return made


def _one(host: str, entry: object) -> Bmc:
    if not isinstance(entry, dict):
        raise PolicyError(f"BMCs of {host}: an entry is no mapping. {_HINT}")
    said = cast("dict[str, Any]", entry)
    if problem := _problem(said):
        raise PolicyError(f"BMCs of {host}: {problem}. {_HINT}")
    fields: dict[str, Any] = said | {"type": Rung(said["type"])}
    return Bmc(**fields)


def _problem(said: Mapping[str, Any]) -> str:
    """Return what is wrong with an entry, in words that show no value; empty if nothing is."""
    missing = [key for key in _NEEDED if not said.get(key)]
    unknown = sorted(map(str, said.keys() - {*_TEXTS, "type", "port"}))
    broken = [key for key in _TEXTS if not _is_line(said.get(key, ""), key=key)]
    rules = (
        (unknown, f"unknown key {unknown[:1]}"),
        (said.get("type") not in TYPES, f"type must be {' or '.join(TYPES)}"),
        (broken, f"{broken[:1]} must be one line of text"),
        (missing, f"{missing[:1]} is missing"),
        (said.get("login", "basic") not in _LOGINS, f"login must be {' or '.join(_LOGINS)}"),
        (not _is_port(said.get("port", 1)), "port must be a number, 1 to 65535"),
    )
    words = next((words for broken_rule, words in rules if broken_rule), "")
    return words.replace("['", "").replace("']", "")


def _is_line(value: object, *, key: str) -> bool:
    return isinstance(value, str) and (key == "ca" or value.isprintable())


def _is_port(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16
