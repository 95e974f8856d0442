# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options, validated."""

from typing import Literal

import pydantic

from instance_ha_relations.wire import Line


class MasakariConfig(pydantic.BaseModel):
    """The options of ``charmcraft.yaml``; times are seconds."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    debug: bool
    region: Line = pydantic.Field(max_length=255)
    evacuation_delay: int = pydantic.Field(ge=0, le=3600)
    evacuate_all_instances: bool
    enable_secret_access: bool
    monitoring_interval: int = pydantic.Field(ge=1, le=60)
    monitoring_samples: int = pydantic.Field(ge=1, le=60)
    hold: int = pydantic.Field(ge=1, le=600)
    max_failing_share: int = pydantic.Field(ge=1, le=100)
    """Percent of a segment's hypervisors."""
    return_after: int = pydantic.Field(ge=1, le=86400)
    duplicate_window: int = pydantic.Field(ge=1, le=3600)
    fencing_mode: Literal["maas", "none"]

    @property
    def hold_s(self) -> int:
        """How long evidence must hold: the samples' time, and never less than ``hold``."""
        return max(self.hold, (self.monitoring_samples - 1) * self.monitoring_interval)

    @property
    def lease_ttl_s(self) -> int:
        """How long a silent controller keeps its lease; several looks fit into it."""
        return max(15, 3 * self.monitoring_interval)


def describe(error: pydantic.ValidationError) -> str:
    """Return the first fault in the operator's spelling, for example ``config: hold: …``."""
    first = error.errors(include_input=False, include_url=False)[0]
    option = str(first["loc"][0]).replace("_", "-") if first["loc"] else "options"
    reason = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"config: {option}: {reason}"
