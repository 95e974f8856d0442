# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What happened in a story, as people read it: one fact a line, seconds from the fault."""

import dataclasses
from collections.abc import Iterable

WIDTH = 12


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Line:
    """One fact."""

    at_s: float
    kind: str
    text: str


class Chronicle:
    """Facts in any order; they are told in the order of their times."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self.zero_s: float | None = None
        """The moment of the fault, from which the seconds count."""

    def tell(self, at_s: float, kind: str, text: str) -> None:
        """Add one fact."""
        self._lines.append(Line(at_s=at_s, kind=kind, text=text))

    def extend(self, lines: Iterable[Line]) -> None:
        """Add facts that somebody else kept."""
        self._lines.extend(lines)

    def render(self) -> str:
        """Return the timeline, one aligned line per fact."""
        lines = sorted(self._lines)
        zero = self.zero_s if self.zero_s is not None else (lines[0].at_s if lines else 0.0)
        return "\n".join(
            f"{line.at_s - zero:9.1f} s  {line.kind:<{WIDTH}} {line.text}" for line in lines
        )
