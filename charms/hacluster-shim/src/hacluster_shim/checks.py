# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Ask for the power state of every hypervisor, at set intervals; knows nothing of Juju."""

import datetime
from collections.abc import Callable, Mapping

from instance_ha.errors import FenceError
from instance_ha.ladder import OFF, ON, STORAGE_FENCED, STORAGE_OPEN
from instance_ha_relations.fencing import FencingTarget
from instance_ha_relations.hypervisor import HypervisorData

OK = "ok"
KNOWN_STATES = (ON, OFF, STORAGE_OPEN, STORAGE_FENCED)
"""Every other answer, for example unknown or error, means that a fence could not be proven."""

Ask = Callable[[str], Mapping[str, str | FenceError]]
"""Returns, by Nova's name, what each rung says of a hypervisor's power now, or why it does not."""


def refresh(
    known: Mapping[str, FencingTarget],
    hypervisors: Mapping[str, HypervisorData],
    *,
    ask: Ask,
    now: datetime.datetime,
    interval: datetime.timedelta,
    at_most: int | None = None,
) -> dict[str, FencingTarget]:
    """Return one target per hypervisor, tested now where its time has come.

    Args:
        known: What earlier calls found.
        hypervisors: Nova's name -> who the hypervisor is; others are forgotten.
        ask: Called once for each hypervisor whose last test is older than *interval*, or was made
            for another machine.
        now: Time in UTC.
        interval: Zero tests all of them.
        at_most: So many are tested in this call, those first that waited longest. The others
            keep what was found before, so that a large cloud's tests are spread over time.
    """
    due = [
        name
        for name, data in hypervisors.items()
        if not (name in known and _still_good(known[name], data, now=now, interval=interval))
    ]
    due.sort(key=lambda name: (known[name].tested_at if name in known else "", name))
    tested = {name: _test(hypervisors[name], ask=ask, now=now) for name in due[:at_most]}
    return {
        name: tested.get(name) or _kept(known.get(name), data)
        for name, data in sorted(hypervisors.items())
    }


def age(target: FencingTarget, *, now: datetime.datetime) -> datetime.timedelta | None:
    """Return how long ago *target* was tested, or None if it never was."""
    if not target.tested_at:
        return None
    return now - datetime.datetime.fromisoformat(target.tested_at)


def _kept(known: FencingTarget | None, data: HypervisorData) -> FencingTarget:
    """Return what was found before, if that was of the same machine."""
    if known is not None and _is_of(known, data):
        return known
    return FencingTarget(
        system_id=data.system_id,
        fqdn=data.fqdn,
        hostname=data.hostname,
        storage_addresses=data.storage_addresses,
        result="failed",
        reason="its turn to be tested has not come yet",
    )


def _is_of(target: FencingTarget, data: HypervisorData) -> bool:
    names = (target.system_id, target.fqdn, target.hostname, target.storage_addresses)
    return names == (data.system_id, data.fqdn, data.hostname, data.storage_addresses)


def _still_good(
    target: FencingTarget,
    data: HypervisorData,
    *,
    now: datetime.datetime,
    interval: datetime.timedelta,
) -> bool:
    known_for = age(target, now=now)
    return _is_of(target, data) and known_for is not None and known_for < interval


def _test(data: HypervisorData, *, ask: Ask, now: datetime.datetime) -> FencingTarget:
    rungs = {rung: _judged(said) for rung, said in ask(data.nova_host).items()}
    failed = [f"{rung}: {words}" for rung, words in rungs.items() if words != OK]
    return FencingTarget(
        system_id=data.system_id,
        fqdn=data.fqdn,
        hostname=data.hostname,
        storage_addresses=data.storage_addresses,
        result="ok" if OK in rungs.values() else "failed",
        reason="; ".join(failed),
        rungs=rungs,
        tested_at=now.isoformat(timespec="seconds"),
    )


def _judged(said: str | FenceError) -> str:
    if isinstance(said, FenceError):
        return str(said)
    return OK if said in KNOWN_STATES else f"the power state is {said}: check its BMC"
