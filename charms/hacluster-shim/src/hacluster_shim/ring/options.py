# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The options of the ring."""

from __future__ import annotations

from typing import Literal, Self

import pydantic


class RingOptions(pydantic.BaseModel):
    """The part of ``charmcraft.yaml``'s options that is about the ring; times are seconds."""

    cluster_count: int = pydantic.Field(3, ge=1, le=16)
    no_quorum_policy: Literal["stop", "freeze"] = "stop"
    token_timeout: int = pydantic.Field(3000, ge=1000, le=30000)
    """Milliseconds."""
    remote_monitor_interval: int = pydantic.Field(2, ge=1, le=60)
    remote_monitor_timeout: int = pydantic.Field(5, ge=3, le=60)
    failure_timeout: int = pydantic.Field(180, ge=0, le=86400)
    cluster_recheck_interval: int = pydantic.Field(60, ge=10, le=3600)
    maintenance_mode: bool = False
    remote_key_in_databag: bool = False

    @pydantic.model_validator(mode="after")
    def _a_late_answer_is_not_two(self) -> Self:
        if self.remote_monitor_timeout < self.remote_monitor_interval:
            raise ValueError("remote-monitor-timeout must not be below remote-monitor-interval")
        return self

    def properties(self) -> dict[str, str]:
        """Return what these options mean as properties of Pacemaker's cluster."""
        return {
            "cluster-recheck-interval": f"{self.cluster_recheck_interval}s",
            "concurrent-fencing": "true",
            "maintenance-mode": str(self.maintenance_mode).lower(),
            "no-quorum-policy": self.no_quorum_policy,
            "stonith-action": "off",
            "stonith-enabled": "true",
            # By default Pacemaker gives up after ten tries, and MAAS may be away for longer.
            "stonith-max-attempts": "1000000",
        }
