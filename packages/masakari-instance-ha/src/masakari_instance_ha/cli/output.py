# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a command answers, for people and for programs."""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Value = str | int | float | bool | None | Sequence["Value"] | Mapping[str, "Value"]

_GAP = "  "


class Answer(Protocol):
    """What every command returns."""

    def text(self) -> str:
        """Return it for people; ends without a line break."""
        ...

    def data(self) -> Value:
        """Return it for programs: the keys are part of the command's interface."""
        ...


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of one kind."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Value]]
    empty: str
    """What is said of no row at all."""

    def text(self) -> str:
        """Return aligned columns under their names."""
        if not self.rows:
            return self.empty
        cells = [[_word(row[column]) for column in self.columns] for row in self.rows]
        return "\n".join(_aligned([[name.upper() for name in self.columns], *cells]))

    def data(self) -> Value:
        """Return one mapping a row."""
        return [dict(row) for row in self.rows]


@dataclass(frozen=True, kw_only=True)
class Record:
    """One thing."""

    fields: Mapping[str, Value]

    def text(self) -> str:
        """Return one aligned line a field."""
        return "\n".join(_aligned([name, _word(value)] for name, value in self.fields.items()))

    def data(self) -> Value:
        """Return the fields."""
        return dict(self.fields)


@dataclass(frozen=True, kw_only=True)
class Story:
    """Text that was made for people, and the facts that it tells."""

    told: str
    facts: Mapping[str, Value]

    def text(self) -> str:
        """Return the text."""
        return self.told.rstrip("\n")

    def data(self) -> Value:
        """Return the facts."""
        return dict(self.facts)


def render(answer: Answer, *, as_json: bool) -> str:
    """Return what is to be written, with its last line break."""
    text = json.dumps(answer.data(), indent=2) if as_json else answer.text()
    return f"{text}\n"


def moment(seconds: float | None) -> str | None:
    """Return a time as people and programs both read it; None stays None."""
    if seconds is None:
        return None
    when = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC)
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def _word(value: Value) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case str() | int() | float():
            return str(value)
        case _:
            return json.dumps(value)


def _aligned(lines: Iterable[Sequence[str]]) -> list[str]:
    rows = list(lines)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
