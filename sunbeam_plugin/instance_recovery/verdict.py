# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether every hypervisor is protected, from what the charms answer; pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from .errors import InstanceRecoveryError

OVER = frozenset({"recovered", "closed"})
"""States of an incident in which nothing is done any more."""


class AnswerError(InstanceRecoveryError):
    """A charm's answer is not what this version understands."""


Row = Mapping[str, object]


def rows(results: Mapping[str, str], key: str) -> list[Row]:
    """Return a list that an action answered.

    Raises:
        AnswerError: if there is none.
    """
    found = _json(results, key)
    if not isinstance(found, list):
        raise AnswerError(f"{key} should be a list; refresh the charm and this feature together")
    return cast("list[Row]", found)


def fields(results: Mapping[str, str], key: str) -> Row:
    """Return a mapping that an action answered; raises AnswerError."""
    found = _json(results, key)
    if not isinstance(found, dict):
        raise AnswerError(
            f"{key} should be a mapping; refresh the charm and this feature together"
        )
    return cast("Row", found)


def _json(results: Mapping[str, str], key: str) -> object:
    try:
        return json.loads(results[key])
    except (KeyError, ValueError) as error:
        raise AnswerError(
            f"the charm did not answer {key}; refresh the charm and this feature together"
        ) from error


@dataclass(frozen=True, kw_only=True)
class Host:
    """What the charms say of one hypervisor."""

    name: str
    """Nova's name."""
    segment: str = ""
    power: str = ""
    """Whether it can be fenced: ok or failed; empty where nobody fences."""
    protected: bool = True
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether all is ready; ``reasons`` is empty if so."""

    hosts: Sequence[Host] = ()
    reasons: Sequence[str] = field(default_factory=tuple[str, ...])
    notes: Sequence[str] = field(default_factory=tuple[str, ...])
    """What else the controller found; it leaves nobody unprotected."""

    @property
    def ready(self) -> bool:
        """Whether every hypervisor is protected."""
        return not self.reasons


def judge(
    nodes: Sequence[str],
    *,
    enrolled: Sequence[Row],
    power: Mapping[str, Row] | None,
    findings: Sequence[Row],
) -> Verdict:
    """Judge whether every hypervisor of *nodes* is protected.

    Args:
        nodes: Sunbeam's names.
        enrolled: Hosts of all segments.
        power: What hacluster-shim says of each; None where nobody fences.
        findings: What else the controller found.
    """
    hosts = {str(row["name"]): _host(row, power) for row in enrolled}
    reasons = [
        f"{node} is in no segment yet; see sunbeam instance-recovery status"
        for node in nodes
        if not any(same(name, node) for name in hosts)
    ]
    reasons += [f"{host.name}: {host.why}" for host in hosts.values() if not host.protected]
    if power is not None:
        reasons += [
            f"{name}: cannot be fenced: {_power(row)}; run juju run -m openstack-machines "
            "hacluster-shim/leader test-fencing"
            for name, row in power.items()
            if row.get("result") == "failed"
        ]
        reasons += [
            f"{node}: hacluster-shim does not know it yet; see juju status -m openstack-machines"
            for node in nodes
            if not any(same(name, node) for name in power)
        ]
    return Verdict(
        hosts=tuple(hosts.values()),
        reasons=tuple(dict.fromkeys(reasons)),
        notes=tuple(f"{row.get('about')}: {row.get('fact')}" for row in findings),
    )


def open_incidents(incidents: Sequence[Row]) -> list[str]:
    """Return the hypervisors whose recovery is not over."""
    return [str(row["host"]) for row in incidents if str(row.get("state")) not in OVER]


def _host(row: Row, power: Mapping[str, Row] | None) -> Host:
    name = str(row["name"])
    return Host(
        name=name,
        segment=str(row.get("segment", "")),
        power="" if power is None else _power(power.get(name, {})),
        protected=row.get("protected") is True,
        why=str(row.get("why") or "not known to be protected"),
    )


def _power(row: Row) -> str:
    return str(row.get("result") or "not tested yet")


def same(host: str, node: str) -> bool:
    """Return whether Nova's *host* is Sunbeam's *node*; either may have a domain."""
    return host == node or host.partition(".")[0] == node.partition(".")[0]
