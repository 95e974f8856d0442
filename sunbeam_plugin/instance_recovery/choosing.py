# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Who fences, and with which credentials: from settings, from Sunbeam, or asked."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from . import preflight
from .enabling import Secrets
from .settings import (
    UNFENCED,
    Fencing,
    Settings,
    read_bmcs,
    read_key,
    require_key,
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """An account of MAAS: where, and its key."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What was decided, before anything is looked at."""

    settings: Settings
    account: Account | None
    """With which MAAS is asked."""
    secrets: Secrets
    """What is to be stored; an earlier run's stays where there is nothing new."""


class Person(Protocol):
    """Who is asked."""

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Return one of the options."""
        ...

    def agree(self, question: str) -> bool:
        """Return whether the answer is yes."""
        ...

    def text(self, question: str) -> str:
        """Return a line."""
        ...

    def secret(self, question: str) -> str:
        """Return a line that is not shown."""
        ...


def choose(
    settings: Settings,
    *,
    sunbeam: Account | None,
    stored_key: str | None,
    person: Person | None,
) -> Choice:
    """Return who fences and with what.

    Args:
        settings: What manifest and options say.
        sunbeam: The account with which Sunbeam deployed; None on a manual cloud.
        stored_key: Key that an earlier run stored.
        person: None if nobody is to be asked; what is missing is then found by the pre-flight.

    Raises:
        SettingsError: if a file or an answer cannot be used.
    """
    if person and preflight.fencing_of(settings, is_maas=sunbeam is not None) is None:
        settings = _fencing(settings, person)
    match preflight.fencing_of(settings, is_maas=sunbeam is not None):
        case Fencing.MAAS:
            url = settings.maas_url or (sunbeam.url if sunbeam else None)
            if url is None and person:
                url = person.text("Address of MAAS, for example http://maas:5240/MAAS")
            key, is_new = _key(settings, url, sunbeam, stored_key, person)
        case Fencing.BMC if settings.bmcs_file is None and person:
            path = pathlib.Path(person.text("File with the hypervisors' power controllers"))
            settings = settings.model_copy(update={"bmcs_file": path})
            url, key, is_new = None, None, False
        case _:
            url, key, is_new = None, None, False
    return Choice(
        settings=settings,
        account=Account(url=url, key=key) if url and key else None,
        secrets=Secrets(
            maas_key=key if is_new else None,
            bmcs=read_bmcs(settings.bmcs_file) if settings.bmcs_file else None,
        ),
    )


def _fencing(settings: Settings, person: Person) -> Settings:
    said = Fencing(person.choose("Who proves a hypervisor off?", [*Fencing]))
    if said is Fencing.NONE and not person.agree(f"{UNFENCED} Take that risk?"):
        return settings
    return settings.model_copy(update={"fencing": said})


def _key(
    settings: Settings,
    url: str | None,
    sunbeam: Account | None,
    stored: str | None,
    person: Person | None,
) -> tuple[str | None, bool]:
    """Return the key, and whether it has to be stored."""
    if settings.maas_key_file is not None:
        return read_key(settings.maas_key_file), True
    if stored is not None:
        return stored, False
    if sunbeam is not None and sunbeam.url == url:
        question = (
            "Fence with the key that Sunbeam deploys with? A key of an account for fencing "
            "alone is better: docs/how-to/fencing-maas.md"
        )
        if person is None or person.agree(question):
            return sunbeam.key, True
    if person is None:
        return None, False
    key = person.secret("MAAS key, CONSUMER:TOKEN:SECRET").strip()
    require_key(key, where="the answer")
    return key, True
