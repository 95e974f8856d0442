# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the reserved hosts could take over now: told before one is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.homecoming import WITH_RESERVES
from instance_ha.names import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from instance_ha.model import Host
    from instance_ha.survey import Survey

NO_RESERVE = "no-reserve"
UNFIT_RESERVE = "unfit-reserve"


def shortages(survey: Survey) -> Sequence[Finding]:
    """Return what is wrong with the reserves of each segment whose method uses them."""
    segments = {
        host.segment.uuid: host.segment
        for host in survey.hosts.values()
        if host.segment.recovery_method in WITH_RESERVES
    }
    reserved = [h for h in survey.hosts.values() if h.reserved and h.segment.uuid in segments]
    unfit = {host.name: reason for host in reserved if (reason := _why_unfit(host))}
    found = [
        Finding(
            kind=UNFIT_RESERVE,
            about=name,
            fact=f"it is a reserved host, and {reason}",
            consequence="it could not take over now",
            advice=f"look at nova-compute on it, or: instance-ha host update {name} --no-reserved",
        )
        for name, reason in unfit.items()
    ]
    ready = {host.segment.uuid for host in reserved if host.name not in unfit}
    found += [
        Finding(
            kind=NO_RESERVE,
            about=segment.name,
            fact=f"the segment has no reserved host that is ready, and recovers by "
            f"{segment.recovery_method}",
            consequence=_consequence(segment.recovery_method),
            advice="make a host without servers one: instance-ha host update HOST --reserved",
        )
        for segment in segments.values()
        if segment.uuid not in ready
    ]
    return found


def _why_unfit(host: Host) -> str | None:
    if host.on_maintenance:
        return "is on maintenance"
    if host.service is None or not host.service.up:
        return "its nova-compute is down"
    return None


def _consequence(method: str) -> str:
    if method == "reserved_host":
        return "the next lost host would not be recovered"
    return "the next lost host's servers would have to find room on the others"
