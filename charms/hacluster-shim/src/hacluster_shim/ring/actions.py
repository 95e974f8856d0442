# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ring's actions: syntax, then what must hold, then the act."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import ops
import pydantic

from hacluster_shim.ring import acts, keys, look
from hacluster_shim.ring.daemons import RingError
from hacluster_shim.ring.world import HANODE, remote_names
from instance_ha.pacemaker import PacemakerAnswerError
from instance_ha_relations import hanode
from instance_ha_relations.hanode import LayoutData


class _Params(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class StatusParams(_Params):
    """Of ``status``."""

    history: bool = True


class CleanupParams(_Params):
    """Of ``cleanup``."""

    resource: str = pydantic.Field("", pattern=r"^[\w.-]*$")


class ConfirmParams(_Params):
    """Of what disturbs."""

    confirm: bool = False


class NodeParams(ConfirmParams):
    """Of what is done to one node."""

    node: str = pydantic.Field(pattern=r"^[\w.-]+$")


class RingActions(ops.Object):
    """Runs the actions that are about the ring alone."""

    def __init__(self, charm: ops.CharmBase, *, reconcile: Callable[[], None]) -> None:
        super().__init__(charm, "ring-actions")
        self._charm = charm
        self._reconcile = reconcile
        for name, act in (
            ("status", self._on_status),
            ("cleanup", self._on_cleanup),
            ("pause", self._on_pause),
            ("resume", self._on_resume),
            ("remove_node", self._on_remove_node),
            ("update_ring", self._on_update_ring),
            ("rotate_keys", self._on_rotate_keys),
        ):
            self.framework.observe(charm.on[name].action, act)

    def _on_status(self, event: ops.ActionEvent) -> None:
        """Tell how the ring is, as this unit sees it."""
        params = event.load_params(StatusParams, errors="fail")
        try:
            view = look.ring()
            said = acts.describe(view, links=look.links())
        except (RingError, PacemakerAnswerError) as error:
            event.fail(f"the ring does not answer: {error}")
            return
        if params.history:
            said["fencing"] = acts.history(view)
        event.set_results({key: _text(value) for key, value in said.items()})

    def _on_cleanup(self, event: ops.ActionEvent) -> None:
        """Forget failures."""
        params = event.load_params(CleanupParams, errors="fail")
        self._act(event, lambda: acts.cleanup(params.resource))

    def _on_pause(self, event: ops.ActionEvent) -> None:
        """Move everything off this unit's node."""
        self._act(event, lambda: acts.pause(os.uname().nodename))

    def _on_resume(self, event: ops.ActionEvent) -> None:
        """Take this unit's node back to work."""
        self._act(event, lambda: acts.resume(os.uname().nodename))

    def _on_remove_node(self, event: ops.ActionEvent) -> None:
        """Forget one node whose unit is gone."""
        params = event.load_params(NodeParams, errors="fail")
        if not params.confirm:
            event.fail(f"the ring would forget {params.node} for good; add confirm=true")
            return
        if reason := self._still_there(params.node):
            event.fail(reason)
            return
        self._forget(event, lambda name: name == params.node)

    def _on_update_ring(self, event: ops.ActionEvent) -> None:
        """Forget every node whose unit is gone."""
        params = event.load_params(ConfirmParams, errors="fail")
        if not params.confirm:
            event.fail("the ring would forget every node without a unit; add confirm=true")
            return
        self._forget(event, lambda name: self._still_there(name) == "")

    def _on_rotate_keys(self, event: ops.ActionEvent) -> None:
        """Replace the keys while the ring runs."""
        params = event.load_params(ConfirmParams, errors="fail")
        if not params.confirm:
            event.fail("members and remotes would get new keys; add confirm=true")
            return
        if not self._is_leader(event):
            return
        layout = self._layout()
        members = [member.name for member in layout.members]
        try:
            acts.require_calm(members=members, remotes=remote_names(self._charm))
        except (RingError, PacemakerAnswerError) as error:
            event.fail(f"not now: {error}")
            return
        fresh = keys.rotate(self._charm)
        self._reconcile()
        event.set_results({"keys": fresh.fingerprint})

    def _forget(self, event: ops.ActionEvent, is_gone: Callable[[str], bool]) -> None:
        if not self._is_leader(event):
            return
        try:
            view = look.ring()
        except (RingError, PacemakerAnswerError) as error:
            event.fail(f"the ring does not answer: {error}")
            return
        layout = self._layout()
        gone = sorted({*view.nodes, *(each.name for each in layout.members)})
        gone = [name for name in gone if is_gone(name)]
        if up := [name for name in gone if name in view.nodes and view.nodes[name].online]:
            event.fail(f"still online: {', '.join(up)}; stop pacemaker there first")
            return
        rest = tuple(member for member in layout.members if member.name not in gone)
        relation = self._charm.model.get_relation(HANODE)
        if relation is not None:
            smaller = layout.model_copy(update={"members": rest})
            hanode.write_layout(relation, self._charm.app, smaller)
        self._reconcile()
        self._act(event, lambda: [acts.forget(name) for name in gone if name in view.nodes])
        event.set_results({"removed": " ".join(gone) or "none"})

    def _still_there(self, node: str) -> str:
        """Return why a node must not be forgotten, or nothing."""
        relation = self._charm.model.get_relation(HANODE)
        for unit in (self._charm.unit, *(relation.units if relation else ())):
            said = hanode.read_node(relation, unit) if relation else None
            if said and said.hostname == node:
                return f"{unit.name} is still on {node}; remove that unit first"
        if node in remote_names(self._charm):
            return f"the remote {node} is still related; remove its unit first"
        return ""

    def _layout(self) -> LayoutData:
        relation = self._charm.model.get_relation(HANODE)
        return hanode.read_layout(relation) if relation else LayoutData()

    def _is_leader(self, event: ops.ActionEvent) -> bool:
        if not self._charm.unit.is_leader():
            event.fail("only the leader may do this; run it on the unit with the asterisk")
            return False
        return True

    def _act(self, event: ops.ActionEvent, act: Callable[[], object]) -> None:
        try:
            act()
        except RingError as error:
            event.fail(f"the ring refuses: {error}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
