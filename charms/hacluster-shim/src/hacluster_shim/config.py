# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The charm's options."""

import ops
import pydantic

from hacluster_shim.ring.options import RingOptions


class ShimConfig(RingOptions):
    """The options of ``charmcraft.yaml``."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    maas_url: str = pydantic.Field("", pattern=r"^(https?://[^\s/]+(/\S*)?)?$")
    maas_credentials: ops.Secret | None = None
    maas_ca: str = ""
    check_interval: int = pydantic.Field(10, ge=1, le=1440)
    """Minutes."""
