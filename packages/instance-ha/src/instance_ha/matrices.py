# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Which matrix counts for which segment, and where it comes from.

A segment's own matrix goes before the one for the whole cloud, that one before the default of the
declared networks. What an operator set is kept in editions; the newest of a segment counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from instance_ha.errors import MatrixError
from instance_ha.matrix import Matrix, Row

if TYPE_CHECKING:
    from collections.abc import Iterable

CLOUD = ""
"""Stands for the segment in the edition that counts wherever a segment has none of its own."""


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One version of a matrix, as an operator set it."""

    version: int
    """Counts up over all segments."""
    segment: str
    """The segment's UUID, or :data:`CLOUD`; it stays when an operator renames the segment."""
    name: str
    """The segment's name when it was set; empty for the cloud."""
    rows: Sequence[Row]
    """Empty where the operator went back to the next wider matrix."""
    forced: bool
    at_s: float
    author: str
    reason: str

    @property
    def scope(self) -> str:
        """For whom it counts, in words."""
        return f"segment {self.name}" if self.segment else "the cloud"


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The matrix that counts somewhere, and where it comes from."""

    matrix: Matrix
    source: str


@dataclass(frozen=True, kw_only=True)
class Matrices:
    """Every matrix that counts somewhere."""

    default: Chosen
    own: Mapping[str, Chosen] = field(default_factory=dict[str, Chosen])
    """By the segment's UUID; :data:`CLOUD` for those without."""
    faults: tuple[str, ...] = ()
    """Editions that cannot be used, in words; the next wider matrix counts in their place."""

    def of(self, segment: str | None) -> Chosen:
        """Return what counts for the segment of this UUID; None for a host that is in none."""
        return self.own.get(segment or CLOUD) or self.own.get(CLOUD) or self.default

    @property
    def by_segment(self) -> bool:
        """Whether it matters which segment a host is in."""
        return any(segment != CLOUD for segment in self.own)


def collect(editions: Iterable[Edition], *, default: Chosen) -> Matrices:
    """Return what the newest edition of each segment leads to.

    An edition for other networks than those declared now cannot say what their loss means. It is
    left out, and said to be a fault, as nobody would see the change otherwise.
    """
    newest = {edition.segment: edition for edition in sorted(editions, key=lambda e: e.version)}
    own: dict[str, Chosen] = {}
    faults: list[str] = []
    for segment, edition in sorted(newest.items()):
        if not edition.rows:
            continue
        try:
            matrix = Matrix.from_rows(edition.rows, default.matrix.networks, force=edition.forced)
        except MatrixError as error:
            faults.append(
                f"version {edition.version} for {edition.scope} is not used: {error}; set it "
                "anew: instance-ha matrix set, or give it up: instance-ha matrix reset"
            )
        else:
            source = f"version {edition.version} for {edition.scope}, by {edition.author}"
            own[segment] = Chosen(matrix=matrix, source=source)
    return Matrices(default=default, own=own, faults=tuple(faults))
