# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What was measured, as a table for people and as JSON for whoever compares runs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

_HEADINGS = ("FIGURE", "OURS", "RIVAL", "RATIO", "GOAL", "")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing that was measured; None where it was not."""

    name: str
    ours: float | None
    rival: float | None = None
    unit: str = "s"
    at_most: float | None = None
    """The goal for ours."""
    ratio_at_most: float | None = None
    """The goal for ours as a part of the rival's."""

    @property
    def ratio(self) -> float | None:
        """Ours as a part of the rival's."""
        return self.ours / self.rival if self.ours is not None and self.rival else None

    @property
    def goal(self) -> str:
        """What was aimed at."""
        if self.ratio_at_most is not None:
            return f"<= 1/{1 / self.ratio_at_most:.0f}"
        return "" if self.at_most is None else f"<= {self.at_most:g} {self.unit}"

    @property
    def verdict(self) -> str:
        """Whether the goal was reached; empty without a goal or without the measures for it."""
        if self.ratio_at_most is not None:
            value, limit = self.ratio, self.ratio_at_most
        else:
            value, limit = self.ours, self.at_most
        if value is None or limit is None:
            return ""
        return "reached" if value <= limit else "missed"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as an aligned table."""
    rows = [_HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    return "\n".join(_aligned(row, widths=widths) for row in rows)


def records(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Return the figures as JSON has them."""
    return [
        dataclasses.asdict(figure) | {"ratio": figure.ratio, "verdict": figure.verdict}
        for figure in figures
    ]


def _row(figure: Figure) -> tuple[str, ...]:
    # Of a ratio below one, people read the inverse: 1/12 is twelve times as fast.
    ratio = f"1/{1 / figure.ratio:.1f}" if figure.ratio else ""
    ours, rival = (_value(value, unit=figure.unit) for value in (figure.ours, figure.rival))
    return (figure.name, ours, rival, ratio, figure.goal, figure.verdict)


def _value(value: float | None, *, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.0f} {unit}" if unit == "MiB" else f"{value:.1f} {unit}"


def _aligned(row: Sequence[str], *, widths: Sequence[int]) -> str:
    """Return a line: words begin below one another, numbers end so."""
    cells = [row[0].ljust(widths[0])]
    cells += [cell.rjust(width) for cell, width in zip(row[1:4], widths[1:4], strict=True)]
    cells += [cell.ljust(width) for cell, width in zip(row[4:], widths[4:], strict=True)]
    return "  ".join(cells).rstrip()
