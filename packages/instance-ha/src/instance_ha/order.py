# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""In which order servers leave a lost host: what their metadata asks for.

``instance-ha:priority`` is a whole number, higher first, 0 where nothing is said.
``instance-ha:group`` names servers that belong together: within a group, a server is not begun
before all of the group's higher priorities have ended. Groups do not wait for one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PRIORITY = "instance-ha:priority"
GROUP = "instance-ha:group"
BOUND = 1000
"""No server is more than so much before or behind another."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server stands in the order."""

    priority: int = 0
    group: str = ""
    """Empty for a server that belongs to none."""
    project: str = ""
    """A group is its project's own: nobody waits for another project's servers."""
    marked: bool = False
    """Whether its owner asked for its recovery; goes first among equals."""

    @property
    def rank(self) -> tuple[int, bool]:
        """Sort by this, smallest first."""
        return (-self.priority, not self.marked)


def place_of(metadata: Mapping[str, str], *, project: str = "", marked: bool = False) -> Place:
    """Return a server's place; what is no number counts as nothing said."""
    try:
        priority = int(metadata.get(PRIORITY, "0"))
    except ValueError:
        priority = 0
    return Place(
        priority=max(-BOUND, min(BOUND, priority)),
        group=metadata.get(GROUP, "").strip(),
        project=project,
        marked=marked,
    )


def may_begin(place: Place, unended: Iterable[Place]) -> bool:
    """Return whether a server of *place* may be ordered now.

    Args:
        place: Where it stands.
        unended: The places of all servers of the host that have not ended yet.
    """
    if not place.group:
        return True
    return not any(
        (other.group, other.project) == (place.group, place.project)
        and other.priority > place.priority
        for other in unended
    )
