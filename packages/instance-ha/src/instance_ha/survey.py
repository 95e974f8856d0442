# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Everything that one pass of the controller goes by, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.model import Host, Incident, Notification, Verdict


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
