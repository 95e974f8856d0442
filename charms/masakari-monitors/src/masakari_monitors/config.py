# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options."""

from __future__ import annotations

import re
from typing import Annotated, Self

import pydantic
import yaml

UNIT = re.compile(r"^[\w@:.-]+\.service$")
MOST_PROCESSES = 50


class WatchedProcess(pydantic.BaseModel):
    """One entry of the option ``process-list``."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    unit: str = pydantic.Field(pattern=UNIT.pattern, max_length=255)


def _parse(value: object) -> object:
    """Return what the YAML text of an option says; empty text says nothing."""
    if not isinstance(value, str):
        return value
    try:
        return yaml.safe_load(value) or []
    except yaml.YAMLError as error:
        raise ValueError("is not YAML") from error


ProcessList = Annotated[tuple[WatchedProcess, ...], pydantic.BeforeValidator(_parse)]


class MonitorsConfig(pydantic.BaseModel):
    """The options of ``charmcraft.yaml``; times are seconds."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    debug: bool = False
    region: str = ""
    use_internal_endpoints: bool = True
    nova_host: str = pydantic.Field("", max_length=255, pattern=r"^[\w.-]*$")
    libvirt_uri: str = pydantic.Field("", pattern=r"^(qemu\S*:///\S+)?$")
    restart_delay: int = pydantic.Field(2, ge=1, le=60)
    restart_limit: int = pydantic.Field(5, ge=0, le=1000)
    restart_window: int = pydantic.Field(3600, ge=60, le=86400)
    queue_length: int = pydantic.Field(1000, ge=10, le=100000)
    audit_interval: int = pydantic.Field(300, ge=30, le=3600)
    process_monitor: bool = True
    process_list: ProcessList = pydantic.Field((), max_length=MOST_PROCESSES)
    process_interval: int = pydantic.Field(5, ge=1, le=600)
    process_retries: int = pydantic.Field(3, ge=1, le=100)
    agent_monitor: bool = False
    agent_interval: int = pydantic.Field(10, ge=2, le=600)
    agent_timeout: int = pydantic.Field(2, ge=1, le=60)
    agent_failures: int = pydantic.Field(3, ge=1, le=100)
    storage_probe: str = pydantic.Field("", pattern=r"^(/\S+|rbd:[\w.-]+)?$")
    storage_probe_user: str = pydantic.Field("", pattern=r"^[\w.-]*$")
    storage_probe_interval: int = pydantic.Field(10, ge=2, le=600)
    storage_probe_deadline: int = pydantic.Field(5, ge=1, le=300)
    host_monitor: bool = False
    enable_stonith: bool = False
    enable_resources: bool = True

    @pydantic.model_validator(mode="after")
    def _no_process_twice(self) -> Self:
        units = [process.unit for process in self.process_list]
        if len(units) != len(set(units)):
            raise ValueError("process-list names a unit twice")
        return self
