# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Whether Nova, Consul, Masakari and the power controller mean the same hosts: pure.

All of them are joined by the host's name, letter by letter. A host that one of them calls
otherwise, or does not know, is recovered too late or not at all, and nothing else would say so
before it is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from instance_ha.model import Network

NOT_ENROLLED = "not-enrolled"
MISNAMED = "misnamed"
UNKNOWN_TO_NOVA = "unknown-to-nova"
UNOBSERVED = "unobserved"
NO_TARGET = "no-fence-target"
BROKEN_FENCE = "broken-fence-path"
STRANGER = "stranger"
REBOOTED = "rebooted-unnoticed"

HARMLESS = frozenset({STRANGER, REBOOTED})
"""Kinds that leave a host protected."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that an operator should know of before a host is lost."""

    kind: str
    """One of the words above, or another duty's."""
    about: str
    """The host's name, as the one who has it spells it."""
    fact: str
    consequence: str
    advice: str
    """The next command."""

    def __str__(self) -> str:
        return f"{self.about}: {self.fact}; {self.consequence}; {self.advice}"


@dataclass(frozen=True, kw_only=True)
class Names:
    """The hosts' names as each one has them."""

    nova: Collection[str]
    enrolled: Collection[str]
    observed: Mapping[Network, Collection[str]]
    """What Consul calls them; a network that is blind now is left out."""
    targets: Mapping[str, str] | None = None
    """What the power controller's list calls them -> why the last test of the fence path failed,
    empty if it did not; None where there is no such list."""


def compare(names: Names) -> list[Finding]:
    """Return what does not fit together, in the order of the hosts' names."""
    found = [
        *_between_nova_and_masakari(names),
        *_in_evidence(names),
        *_among_targets(names),
        *_strangers(names),
    ]
    return sorted(found, key=lambda finding: (finding.about, finding.kind))


def _between_nova_and_masakari(names: Names) -> Iterable[Finding]:
    for host in set(names.nova) - set(names.enrolled):
        other = _alike(host, set(names.enrolled) - set(names.nova))
        if other is not None:
            yield Finding(
                kind=MISNAMED,
                about=host,
                fact=f"nova calls it {host}, masakari {other}",
                consequence="its loss is not recovered, as masakari finds no server of its name",
                advice=f"enrol it by nova's name: instance-ha host remove {other}, then "
                f"instance-ha host add SEGMENT {host}",
            )
        else:
            yield Finding(
                kind=NOT_ENROLLED,
                about=host,
                fact="nova has it, and masakari does not have it enrolled",
                consequence="its loss is not recovered",
                advice=f"enrol it: instance-ha host add SEGMENT {host}",
            )
    for host in set(names.enrolled) - set(names.nova):
        if _alike(host, set(names.nova) - set(names.enrolled)) is None:
            yield Finding(
                kind=UNKNOWN_TO_NOVA,
                about=host,
                fact="masakari has it enrolled, and nova has no nova-compute of that name",
                consequence="nothing can be moved off it",
                advice=f"start its nova-compute, or take it out: instance-ha host remove {host}",
            )


def _in_evidence(names: Names) -> Iterable[Finding]:
    """Find enrolled hosts of which a network's observers do not speak."""
    for host in names.enrolled:
        absent = [n for n, observed in names.observed.items() if host not in observed]
        if not absent:
            continue
        networks = ", ".join(absent)
        others = {_alike(host, names.observed[n]) for n in absent} - {None}
        called = ", ".join(sorted(filter(None, others)))
        yield Finding(
            kind=MISNAMED if others else UNOBSERVED,
            about=host,
            fact=f"consul of {networks} calls it {called}"
            if others
            else f"consul of {networks} does not know it",
            consequence="what becomes of it there stays unknown, so a loss may go unrecovered",
            advice=f"name its consul agents {host} (node_name), or start them; then see "
            "instance-ha finding list",
        )


def _among_targets(names: Names) -> Iterable[Finding]:
    if names.targets is None:
        return
    for host in set(names.enrolled) - set(names.targets):
        other = _alike(host, names.targets)
        yield Finding(
            kind=NO_TARGET,
            about=host,
            fact="the list of power targets does not have it"
            if other is None
            else f"the list of power targets calls it {other}",
            consequence="it cannot be fenced, so nothing of it is recovered",
            advice=f"integrate hacluster-shim with it, then: instance-ha fence check {host}",
        )
    for host in set(names.enrolled) & set(names.targets):
        if problem := names.targets[host]:
            yield Finding(
                kind=BROKEN_FENCE,
                about=host,
                fact=f"its fence path failed its last test: {problem}",
                consequence="it cannot be fenced, so nothing of it is recovered",
                advice="mend that, then: juju run hacluster-shim/leader test-fencing",
            )


def _strangers(names: Names) -> Iterable[Finding]:
    """Find who is seen by Consul alone, and is no other spelling of a host."""
    seen = {host for observed in names.observed.values() for host in observed}
    known = {*names.nova, *names.enrolled}
    for host in seen - known:
        if _alike(host, known) is None:
            yield Finding(
                kind=STRANGER,
                about=host,
                fact="consul knows it, and neither nova nor masakari does",
                consequence="it is no hypervisor of this cloud, and nothing is done for it",
                advice="if it should be one, start its nova-compute",
            )


def _alike(host: str, others: Collection[str]) -> str | None:
    """Return who among *others* is the same host in another spelling: domain or case."""
    return next((o for o in sorted(others) if o != host and _short(o) == _short(host)), None)


def _short(name: str) -> str:
    return name.split(".", maxsplit=1)[0].lower()
