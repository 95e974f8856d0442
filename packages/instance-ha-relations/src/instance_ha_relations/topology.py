# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Where a metric, a log line or a rule comes from, in the words that observers of Juju share."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import ops

_PLACE = "%%juju_topology%%"


@dataclass(frozen=True, kw_only=True)
class Topology:
    """One unit in its model."""

    model: str
    model_uuid: str
    application: str
    unit: str
    charm_name: str

    @classmethod
    def of(cls, charm: ops.CharmBase) -> "Topology":
        """Return where *charm* runs."""
        return cls(
            model=charm.model.name,
            model_uuid=charm.model.uuid,
            application=charm.app.name,
            unit=charm.unit.name,
            charm_name=charm.meta.name,
        )

    def as_dict(self) -> dict[str, str]:
        """Return it as databags hold it."""
        return asdict(self)

    def labels(self) -> dict[str, str]:
        """Return the labels of everything that the application tells."""
        return {
            "juju_model": self.model,
            "juju_model_uuid": self.model_uuid,
            "juju_application": self.application,
            "juju_charm": self.charm_name,
        }

    def rules(self, groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return alert rules that speak of this application alone.

        Args:
            groups: Groups of rules; ``%%juju_topology%%`` in an expression stands for the
                matchers of the application.
        """
        # The charm's name is no matcher: not every way of collecting logs brings it.
        names = ("juju_model", "juju_model_uuid", "juju_application")
        matchers = ", ".join(f'{name}="{self.labels()[name]}"' for name in names)
        found: list[dict[str, Any]] = []
        for group in groups:
            mine: dict[str, Any] = copy.deepcopy(dict(group))
            mine["name"] = f"{self.model}_{self.model_uuid[:8]}_{self.application}_{mine['name']}"
            for rule in mine["rules"]:
                rule["expr"] = rule["expr"].replace(_PLACE, matchers)
                rule["labels"] = {**rule.get("labels", {}), **self.labels()}
            found.append(mine)
        return {"groups": found}
