# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What the controller found that an operator should know of before a host is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.errors import StoreUnreachableError
from instance_ha.names import HARMLESS
from masakari_instance_ha import assembly
from masakari_instance_ha.cli.output import Table, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from masakari_instance_ha.cli.call import Call, Commands
    from masakari_instance_ha.cli.output import Value

_COLUMNS = ("about", "kind", "since", "fact", "consequence", "advice")


def describe_finding(finding: Commands) -> None:
    """Describe the verbs of ``finding``."""
    finding.verb("list", list_findings, "list what leaves hosts without protection")


def list_findings(call: Call) -> Table:
    """List every finding, by host."""
    return Table(
        columns=_COLUMNS,
        rows=[
            {
                "about": finding.about,
                "kind": finding.kind,
                "since": moment(since_s),
                "fact": finding.fact,
                "consequence": finding.consequence,
                "advice": finding.advice,
            }
            for finding, since_s in call.store.board().found()
        ],
        empty="nothing was found: nova, consul, masakari and the power targets agree",
    )


def protection(call: Call) -> Callable[[str], Mapping[str, Value]]:
    """Return what says of a host whether its loss would be recovered, and if not, why.

    Neither is said where the store cannot be read.
    """
    try:
        found = call.store.board().found()
    except (StoreUnreachableError, assembly.StoreOptionsError) as error:
        unknown = f"not known: {error}"
        return lambda _: {"protected": None, "why": unknown}
    reasons: dict[str, str] = {}
    for finding, _ in found:
        if finding.kind not in HARMLESS:
            reasons.setdefault(finding.about, finding.fact)
    return lambda host: {"protected": host not in reasons, "why": reasons.get(host, "")}
