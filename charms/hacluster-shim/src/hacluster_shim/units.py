# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Read what each unit of a relation says of its machine."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import ops

from instance_ha_relations import wire
from instance_ha_relations.errors import RelationDataError

D = TypeVar("D", bound=wire.Databag)


def by_name(
    relations: Sequence[ops.Relation],
    *,
    read: Callable[[ops.Relation, ops.Unit], D | None],
    name: Callable[[D], str],
    kind: str,
) -> tuple[dict[str, D], list[ops.StatusBase]]:
    """Return machine -> what its unit says, and what is wrong with those that cannot be used.

    Args:
        relations: All of one endpoint.
        read: Reads one unit's databag; None while the unit is silent.
        name: What a machine is called.
        kind: What such machines are, in the plural, for the words of a problem.
    """
    found: dict[str, D] = {}
    problems: list[ops.StatusBase] = []
    for relation in relations:
        for unit in sorted(relation.units, key=lambda unit: unit.name):
            try:
                data = read(relation, unit)
            except RelationDataError as error:
                problems.append(ops.BlockedStatus(error.summary))
                continue
            if data is None:
                continue
            if name(data) in found:
                problems.append(ops.BlockedStatus(f"two {kind} are named {name(data)}"))
            found[name(data)] = data
    return found, problems
