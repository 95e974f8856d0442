# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Interface ``certificate_transfer`` v0 and v1: authorities to trust.

Keystone's charm speaks v0: each of its *units* writes ``ca`` as bare PEM and ``chain`` as a JSON
list. Version 1 is one JSON list in the *application* databag. Both are read, and nothing is
written: silence makes a v1 provider fall back to v0.
"""

import json
from typing import Annotated

import ops
import pydantic

from instance_ha_relations import wire

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def _require_pem(value: str) -> str:
    value = value.strip()
    if value and not (value.startswith(_BEGIN) and value.endswith(_END)):
        raise ValueError("must be a PEM certificate")
    return value


Pem = Annotated[str, pydantic.AfterValidator(_require_pem)]


class UnitCertificates(wire.Databag):
    """Unit databag of a v0 provider."""

    ca: Pem = ""
    chain: list[Pem] = pydantic.Field(default_factory=list)


class AppCertificates(wire.Databag):
    """Application databag of a v1 provider."""

    certificates: list[Pem] = pydantic.Field(default_factory=list)


def _decode(value: str) -> object:
    """Decode the lists; PEM and the empty string stay as they are."""
    return json.loads(value) if value.startswith("[") else value


def read(relation: ops.Relation) -> tuple[str, ...]:
    """Return every certificate that the other side offers, each once, in an order that stays."""
    found: set[str] = set()
    offered = wire.load(relation, AppCertificates, source=relation.app, decode=_decode)
    if offered is not None:
        found.update(offered.certificates)
    for unit in relation.units:
        own = wire.load(relation, UnitCertificates, source=unit, decode=_decode)
        if own is not None:
            found.update((own.ca, *own.chain))
    return tuple(sorted(found - {""}))
