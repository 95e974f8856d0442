# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""From settled evidence to a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from instance_ha.model import Reach, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from instance_ha.matrix import Matrix
    from instance_ha.model import Network

_WORST_FIRST = (Reach.DOWN, Reach.LEFT, Reach.UNKNOWN, Reach.UP)


def judge(host: str, *, reach: Mapping[Network, Reach], matrix: Matrix) -> Verdict:
    """Return what is to be done about *host*; a network left out of *reach* is unknown."""
    known = {network: reach.get(network, Reach.UNKNOWN) for network in matrix.networks}
    return Verdict(
        host=host,
        action=matrix.action(known),
        reach=known,
        reason=describe(known),
        alive=matrix.alive(known),
    )


def describe(reach: Mapping[Network, Reach]) -> str:
    """Return *reach* in words, the worst first: "storage down, management and tenant up"."""
    return ", ".join(
        f"{_list(networks)} {state}"
        for state in _WORST_FIRST
        if (networks := [network.value for network, said in reach.items() if said is state])
    )


def _list(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
