# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rule of the return guard: may nova-compute of a host that has booted start?"""

from __future__ import annotations

from dataclasses import dataclass

_UNFINISHED = {"new", "running", "error"}
_OVER = {"finished", "ignored"}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What Nova and Masakari think of this host."""

    enrolled: bool
    """Whether a failover segment has it."""
    notification: str | None
    """Status of Masakari's newest notification that the host was lost; None: it never was."""
    forced_down: bool
    """Whether Nova was told that this host is down, whatever it says itself."""
    evacuating: int
    """Servers on their way from here to other hosts."""
    servers: int
    """Servers that Nova places here; counted only while the host is forced down."""
    unsettled: int
    """Evacuations from here that nova-compute has yet to settle; counted only then, too."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the guard does, and why."""

    may_start: bool
    clean: bool
    """Whether guests that run now are ended: their servers may live elsewhere."""
    reason: str


def judge(standing: Standing) -> Verdict:
    """Return whether nova-compute may start.

    A host that was merely rebooted has neither a notification nor is it forced down: it starts at
    once. One that was lost waits until its recovery is over: until then Nova may place servers
    here that are about to start elsewhere.
    """
    if standing.notification in _UNFINISHED:
        return _hold(f"Masakari recovers this host: its notification is {standing.notification}")
    if standing.evacuating:
        return _hold(f"{standing.evacuating} servers are on their way to other hosts")
    if standing.forced_down and standing.notification not in _OVER and standing.servers:
        failed = standing.notification == "failed"
        whose = "Masakari could not recover this host" if failed else "Nova holds it forced down"
        return _hold(
            f"{whose}, and {standing.servers} servers are still placed here: let them be "
            "evacuated, or end force-down, or release-host"
        )
    if standing.notification is None and not standing.forced_down:
        return Verdict(may_start=True, clean=False, reason="this host was not fenced")
    return Verdict(may_start=True, clean=True, reason="the recovery of this host is over")


def _hold(reason: str) -> Verdict:
    return Verdict(may_start=False, clean=True, reason=reason)
