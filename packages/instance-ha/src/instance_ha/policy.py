# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rules' figures, as an operator sets them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from instance_ha.debounce import Patience
from instance_ha.errors import PolicyError

if TYPE_CHECKING:
    from instance_ha.matrix import Matrix
    from instance_ha.model import Network


AFTER_WINDOW_S = 5.0
"""How much later than Masakari's duplicate window a host is notified of again: Masakari compares
whole seconds on its own clock."""

_MAY_BE_ZERO = frozenset({"storm_cooldown_s", "kdump_wait_s", "return_after_s"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What the controller goes by; times are seconds, shares are parts of one."""

    networks: tuple[Network, ...]
    """The declared networks; never those that happen to be ready."""
    matrix: Matrix
    patience: Patience = field(default_factory=Patience)
    """How long evidence must hold before it counts."""
    tick_s: float = 1.0
    max_failing_share: float = 0.5
    """Share of a segment's hosts above which their recoveries are held."""
    max_failing_domain_share: float = 0.5
    """The same of an aggregate's and of an availability zone's hosts."""
    domain_hosts_per_minute: int = 4
    """How many hosts of a domain that is lost whole are notified; 0: such a loss is held."""
    max_hosts_per_minute: int = 10
    """How many hosts are notified in the whole cloud."""
    storm_cooldown_s: float = 60.0
    """Calm that must follow on too many losses at once; 0: none."""
    approval: bool = False
    """Whether every evacuation waits for a person."""
    approval_segments: frozenset[str] = frozenset()
    """The names of the segments whose evacuations wait for a person."""
    approval_patience_s: float = 300.0
    """How long an engine waits for that person before it gives its thread back."""
    blind_share: float = 0.5
    """Share of a network's hosts which, lost on that network alone, is taken for its fault."""
    mass_window_s: float = 60.0
    """Losses within this time are judged together: a mass failure is seen host by host."""
    kdump: bool = False
    """Whether a lost host is given time to write a dump of its kernel."""
    kdump_wait_s: float = 20.0
    """How long it is waited for the first sign of a dump; 0: not at all."""
    kdump_timeout_s: float = 300.0
    """How long a dump may take, counted from the loss."""
    return_after_s: float = 60.0
    """How long a host must be well before it is put back to work; 0: no longer than it takes both
    witnesses to see it."""
    returns_by_itself: bool = True
    """Whether that is enough; else a person has to ask for it."""
    refills_reserve: bool = True
    """Whether a host whose servers a reserve took over comes back as a reserve itself."""
    disable_reason: str = "Masakari detected host failed."
    """What Masakari's flow tells Nova as it disables a lost host; other reasons are people's."""
    orphan_after_s: float = 30.0
    """Silence of the engine after which a running notification is given to another."""
    renotify_after_s: float = 50.0
    """Pause between two notifications of one host; more than Masakari's duplicate window."""
    lease_ttl_s: float = 7.0
    """Silence of a controller after which another one acts; a pass that takes longer stops."""

    def __post_init__(self) -> None:
        if set(self.networks) != set(self.matrix.networks):
            names = ", ".join(self.matrix.networks)
            raise PolicyError(
                f"networks: the matrix is made for {names}, which is not what is declared; "
                "give a matrix with the declared networks"
            )
        self._check_figures()
        if self.lease_ttl_s < 2 * self.tick_s:
            raise PolicyError(
                f"lease_ttl_s: {self.lease_ttl_s} s would run out between two ticks of "
                f"{self.tick_s} s; give at least {2 * self.tick_s}"
            )
        self._check_guards()

    def needs_approval(self, segment: str) -> bool:
        """Tell whether the evacuations of the segment of this name wait for a person."""
        return self.approval or segment in self.approval_segments

    def _check_figures(self) -> None:
        """Look at each time and each share by itself."""
        if not 0 <= self.kdump_wait_s <= self.kdump_timeout_s:
            raise PolicyError(
                f"kdump_wait_s: {self.kdump_wait_s} s is not between 0 and the kdump_timeout_s of "
                f"{self.kdump_timeout_s} s; correct one of the two"
            )
        for name in (each.name for each in fields(self)):
            value = getattr(self, name)
            if name.endswith("_s") and value < 0 and name in _MAY_BE_ZERO:
                raise PolicyError(f"{name}: {value} s is no time; give 0 or more")
            if name.endswith("_s") and value <= 0 and name not in _MAY_BE_ZERO:
                raise PolicyError(f"{name}: {value} s is no time; give more than 0")
            if name.endswith("_share") and not 0 < value <= 1:
                raise PolicyError(f"{name}: {value} is no share; give 0 < share <= 1")

    def _check_guards(self) -> None:
        if self.max_hosts_per_minute < 1 or self.domain_hosts_per_minute < 0:
            raise PolicyError(
                f"max_hosts_per_minute: {self.max_hosts_per_minute}, domain_hosts_per_minute: "
                f"{self.domain_hosts_per_minute}; give at least 1 and 0, or nothing is recovered"
            )
        if self.domain_hosts_per_minute > self.max_hosts_per_minute:
            raise PolicyError(
                f"domain_hosts_per_minute: {self.domain_hosts_per_minute} is never reached, as "
                f"max_hosts_per_minute is {self.max_hosts_per_minute}; lower the first, or raise "
                "the second"
            )
        if self.approval and self.approval_segments:
            named = ", ".join(sorted(self.approval_segments))
            raise PolicyError(
                f"approval: every segment needs it, yet approval_segments names {named}; "
                "give one of the two"
            )
