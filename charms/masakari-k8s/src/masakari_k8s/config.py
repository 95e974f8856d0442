# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options, validated."""

from typing import Literal

import pydantic

from instance_ha.errors import PolicyError
from instance_ha.selection import Pattern, by_segment
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
    evacuations_at_once: int = pydantic.Field(ge=1, le=100)
    protected_servers: Literal["", "all", "metadata", "tag"]
    segment_servers: str
    ignored_servers: str
    instance_disks: Literal["ask", "shared", "local"]
    fencing_mode: Literal["maas", "none"]

    @pydantic.field_validator("segment_servers")
    @classmethod
    def _segments_have_known_words(cls, said: str) -> str:
        pairs = dict(_pair(part) for part in said.split(",") if part.strip())
        try:
            by_segment(pairs)
        except PolicyError as error:
            raise ValueError(str(error)) from error
        return said.strip()

    @pydantic.field_validator("ignored_servers")
    @classmethod
    def _every_word_is_a_pattern(cls, said: str) -> str:
        try:
            for word in said.split():
                Pattern.read(word)
        except PolicyError as error:
            raise ValueError(str(error)) from error
        return said

    @property
    def hold_s(self) -> int:
        """How long evidence must hold: the samples' time, and never less than ``hold``."""
        return max(self.hold, (self.monitoring_samples - 1) * self.monitoring_interval)

    @property
    def lease_ttl_s(self) -> int:
        """How long a silent controller keeps its lease; several looks fit into it."""
        return max(7, 3 * self.monitoring_interval)


def _pair(said: str) -> tuple[str, str]:
    segment, _, word = said.rpartition(":")
    return segment.strip(), word.strip()


def describe(error: pydantic.ValidationError) -> str:
    """Return the first fault in the operator's spelling, for example ``config: hold: …``."""
    first = error.errors(include_input=False, include_url=False)[0]
    option = str(first["loc"][0]).replace("_", "-") if first["loc"] else "options"
    reason = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
    return f"config: {option}: {reason}"
