# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rules' figures, as an operator sets them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from instance_ha.errors import PolicyError

if TYPE_CHECKING:
    from instance_ha.matrix import Matrix
    from instance_ha.model import Network


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the controller goes by; times are seconds, shares are parts of one."""

    networks: tuple[Network, ...]
    """The declared networks; never those that happen to be ready."""
    matrix: Matrix
    hold_s: float = 3.0
    """How long evidence must hold before it counts."""
    tick_s: float = 1.0
    max_failing_share: float = 0.5
    """Share of a segment's hosts above which their recoveries are held."""
    blind_share: float = 0.5
    """Share of a network's hosts which, lost on that network alone, is taken for its fault."""
    mass_window_s: float = 60.0
    """Losses within this time are judged together: a mass failure is seen host by host."""
    return_after_s: float = 60.0
    """How long a host must be well before it is put back to work."""
    orphan_after_s: float = 30.0
    """Silence of the engine after which a running notification is given to another."""
    renotify_after_s: float = 185.0
    """Pause between two notifications of one host; more than Masakari's duplicate window."""
    lease_ttl_s: float = 15.0

    def __post_init__(self) -> None:
        if set(self.networks) != set(self.matrix.networks):
            names = ", ".join(self.matrix.networks)
            raise PolicyError(
                f"networks: the matrix is made for {names}, which is not what is declared; "
                "give a matrix with the declared networks"
            )
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name.endswith("_s") and value <= 0:
                raise PolicyError(f"{field.name}: {value} s is no time; give more than 0")
            if field.name.endswith("_share") and not 0 < value <= 1:
                raise PolicyError(f"{field.name}: {value} is no share; give 0 < share <= 1")
        if self.lease_ttl_s < 2 * self.tick_s:
            raise PolicyError(
                f"lease_ttl_s: {self.lease_ttl_s} s would run out between two ticks of "
                f"{self.tick_s} s; give at least {2 * self.tick_s}"
            )
