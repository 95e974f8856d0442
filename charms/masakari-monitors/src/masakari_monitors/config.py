# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options."""

from __future__ import annotations

import pydantic


class MonitorsConfig(pydantic.BaseModel):
    """The options of ``charmcraft.yaml``; times are seconds."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")
    debug: bool = False
    nova_host: str = pydantic.Field("", max_length=255, pattern=r"^[\w.-]*$")
    libvirt_uri: str = pydantic.Field("", pattern=r"^(qemu\S*:///\S+)?$")
    restart_delay: int = pydantic.Field(2, ge=1, le=60)
