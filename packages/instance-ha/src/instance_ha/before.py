# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a host was before it was lost, kept as its own recovery overwrites it.

Masakari takes the flag of a reserve away as it begins with a notification, and its flow disables
the compute service for a reason of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from instance_ha.homecoming import is_operators
from instance_ha.past import DISABLED_BEFORE, RESERVED_BEFORE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.model import ComputeService, Host
    from instance_ha.policy import Policy

KIND = "before"
"""Kind of the one event that tells it; an ordinary host has none."""


@dataclass(frozen=True, kw_only=True)
class Before:
    """What an incident's timeline is to tell."""

    text: str
    detail: Mapping[str, str]


def of_host(host: Host, *, policy: Policy) -> Before | None:
    """Return what is to be kept of a host as the controller sees it, or None."""
    return tell(host.service, reserved=host.reserved, flow_reason=policy.disable_reason)


def tell(service: ComputeService | None, *, reserved: bool, flow_reason: str) -> Before | None:
    """Return what is to be kept of a host, or None where it works like any other.

    Args:
        service: The host's; None where Nova has none.
        reserved: Whether Masakari has it as a reserve.
        flow_reason: Why Masakari's flow disables a service.
    """
    texts: list[str] = []
    detail: dict[str, str] = {}
    if reserved:
        texts.append("it is a reserved host")
        detail[RESERVED_BEFORE] = "yes"
    if service is not None and is_operators(service, flow_reason=flow_reason):
        texts.append(f"its operator has it disabled in nova: {service.disabled_reason}")
        detail[DISABLED_BEFORE] = service.disabled_reason
    return Before(text="; ".join(texts), detail=detail) if texts else None
