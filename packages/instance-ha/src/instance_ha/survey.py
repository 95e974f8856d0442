# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that one pass of the controller goes by, read once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from instance_ha.model import NovaHealth, Rulings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.model import FenceProof, Host, Incident, Notification, Verdict


@dataclass(frozen=True, kw_only=True)
class Survey:
    """The world as evidence, Masakari, Nova and the store tell it in one pass; host -> fact."""

    now_s: float
    verdicts: Mapping[str, Verdict]
    hosts: Mapping[str, Host]
    """Those enrolled in Masakari."""
    notifications: Mapping[str, Notification]
    incidents: Mapping[str, Incident]
    """Those not closed."""
    rulings: Rulings = field(default_factory=Rulings)
    health: NovaHealth = field(default_factory=NovaHealth)
    dumps: Mapping[str, float] = field(default_factory=dict)
    """When it was last heard to write a dump of its kernel."""
    proofs: Mapping[str, FenceProof] | None = None
    """Who is proven off already; None where the recovery itself demands the proof."""
    just_notified: frozenset[str] = frozenset()
    """Hosts that were notified in this pass."""

    def lost_at_s(self, host: str) -> float:
        """Return since when a loss that is found now counts.

        Who is proven off was lost before that: a notification since then is of this very loss,
        though another member of the ring sent it.
        """
        proof = None if self.proofs is None else self.proofs.get(host)
        return self.now_s if proof is None else min(self.now_s, proof.confirmed_at_s)

    def after_notifying(self, host: str) -> Survey:
        """Return it as it is once *host* was notified."""
        return replace(self, just_notified=self.just_notified | {host})
