# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask for the power state of every hypervisor, at set intervals; knows nothing of Juju."""

import datetime
from collections.abc import Callable, Mapping

from instance_ha.errors import InstanceHaError
from instance_ha_relations.fencing import FencingTarget
from instance_ha_relations.hypervisor import HypervisorData

KNOWN_STATES = ("on", "off")
"""Every other answer, for example unknown or error, means that a fence could not be proven."""

Ask = Callable[[str], str]
"""Returns a hypervisor's power state, by Nova's name, as the power controller tells it now."""


def refresh(
    known: Mapping[str, FencingTarget],
    hypervisors: Mapping[str, HypervisorData],
    *,
    ask: Ask,
    now: datetime.datetime,
    interval: datetime.timedelta,
) -> dict[str, FencingTarget]:
    """Return one tested target per hypervisor.

    Args:
        known: What earlier calls found.
        hypervisors: Nova's name -> who the hypervisor is; others are forgotten.
        ask: Called once for each hypervisor whose last test is older than *interval*, or was made
            for another machine.
        now: Time in UTC.
        interval: Zero tests all of them.
    """
    return {
        name: old
        if (old := known.get(name)) and _still_good(old, data, now=now, interval=interval)
        else _test(data, ask=ask, now=now)
        for name, data in sorted(hypervisors.items())
    }


def _still_good(
    target: FencingTarget,
    data: HypervisorData,
    *,
    now: datetime.datetime,
    interval: datetime.timedelta,
) -> bool:
    same = (target.system_id, target.fqdn, target.hostname) == (
        data.system_id,
        data.fqdn,
        data.hostname,
    )
    if not same or not target.tested_at:
        return False
    return now - datetime.datetime.fromisoformat(target.tested_at) < interval


def _test(data: HypervisorData, *, ask: Ask, now: datetime.datetime) -> FencingTarget:
    try:
        state = ask(data.nova_host)
    except InstanceHaError as error:
        reason = str(error)
    else:
        reason = "" if state in KNOWN_STATES else f"the power state is {state}: check its BMC"
    return FencingTarget(
        system_id=data.system_id,
        fqdn=data.fqdn,
        hostname=data.hostname,
        result="failed" if reason else "ok",
        reason=reason,
        tested_at=now.isoformat(timespec="seconds"),
    )
