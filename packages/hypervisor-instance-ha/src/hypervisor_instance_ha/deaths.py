# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a server that does not run is one that should: the judgement before Masakari is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hypervisor_instance_ha.cloud import Server
from hypervisor_instance_ha.courier import Decision, What
from hypervisor_instance_ha.hypervisor import Ending

TASK_S = 5.0
"""Pause while Nova works on the server."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a server when its death, or its hanging, is judged."""

    server: Server | None
    """As Nova has it; None: it does not know it."""
    nova_host: str
    ending: Ending
    stopped_by_nova: Callable[[], bool]
    """Asked only where it decides."""


def judge_death(facts: Facts) -> Decision:
    """Return what becomes of the report that a server does not run any more."""
    server = facts.server
    if elsewhere := _not_ours(facts):
        return elsewhere
    assert server is not None  # noqa: S101 - _not_ours saw to it
    if server.vm_state == "active":
        return Decision(what=What.SEND, reason=f"Nova holds it active, {facts.ending.value}")
    if server.vm_state != "stopped":
        return _drop(f"Nova holds it {server.vm_state}")
    if facts.ending in (Ending.BY_ITSELF, Ending.WANTED):
        return _drop(f"Nova holds it stopped, {facts.ending.value}")
    if facts.stopped_by_nova():
        return Decision(what=What.SEND, reason="Nova found it dead before we did")
    return _drop("somebody stopped it")


def judge_hanging(facts: Facts) -> Decision:
    """Return what becomes of the report that a guest which runs does not answer."""
    if elsewhere := _not_ours(facts):
        return elsewhere
    assert facts.server is not None  # noqa: S101 - _not_ours saw to it
    if facts.server.vm_state != "active":
        return _drop(f"Nova holds it {facts.server.vm_state}")
    return Decision(what=What.SEND, reason="its guest does not answer")


def _not_ours(facts: Facts) -> Decision | None:
    server = facts.server
    if server is None:
        return _drop("Nova does not know it")
    if server.host != facts.nova_host:
        return _drop(f"Nova places it on {server.host or 'no host'}")
    if server.task is not None:
        return Decision(what=What.LATER, reason=f"Nova works on it: {server.task}", again_s=TASK_S)
    return None


def _drop(reason: str) -> Decision:
    return Decision(what=What.DROP, reason=reason)
