# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a Pacemaker ring says of its remotes: evidence by membership, proof by confirmed fencing.

``online`` is not believed: while Pacemaker tries to reach a dead remote, it may call it online,
and it never says whether a host that is offline still writes. What is believed is the remote's
``node_state`` in the CIB, and the fencing history; both only from the node that decides (the DC)
while it has a quorum, because a partition that lost it may remember what is no longer true.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from instance_ha.errors import InstanceHaError
from instance_ha.model import FenceProof, Reach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

METHOD = "pacemaker"
"""The method that proofs of a ring name."""
NOTED_WITHIN_S = 10.0
"""A fencing is in the history at most so long before the CIB notes it."""
_OFF = "off"
_SUCCESS = "success"
_TRUE = ("true", "1")


class PacemakerAnswerError(InstanceHaError):
    """Pacemaker's tools answered something that cannot be read, so nothing is known."""


@dataclass(frozen=True, kw_only=True)
class Fencing:
    """One line of the fencing history."""

    target: str
    action: str
    status: str
    """``success``, ``failed`` or ``pending``."""
    delegate: str
    """The node that carried it out; ``a human`` where an operator confirmed it by hand."""
    completed_s: float | None = None
    """Whole seconds; None while it is pending."""
    reason: str = ""
    """Why it failed, where the agent said so."""


@dataclass(frozen=True, kw_only=True)
class RemoteState:
    """What the CIB remembers of one remote."""

    joined: bool | None
    """Whether its connection stands; None where that is not said."""
    fenced_at_s: float = 0.0
    """When it was fenced since it joined last; 0 if it was not."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource and where it runs."""

    name: str
    agent: str
    role: str
    nodes: tuple[str, ...] = ()
    failed: bool = False


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node or remote as ``crm_mon`` shows it, for people."""

    name: str
    remote: bool
    online: bool
    unclean: bool
    standby: bool = False


@dataclass(frozen=True, kw_only=True)
class RingView:
    """The ring as one of its nodes sees it at one moment."""

    dc: str
    """The node that decides; empty while there is none."""
    quorate: bool
    nodes: Mapping[str, Node] = field(default_factory=dict)
    remotes: Mapping[str, RemoteState] = field(default_factory=dict)
    resources: Sequence[Resource] = ()
    fencings: Sequence[Fencing] = ()
    """The newest first."""

    def speaks(self, node: str) -> bool:
        """Return whether what *node* sees counts: it is the DC, and has a quorum."""
        return self.quorate and bool(node) and self.dc == node

    def reach(self, node: str) -> Mapping[str, Reach]:
        """Return remote -> whether the ring reaches it, as seen by *node*.

        Only remotes are spoken of; all of them are unknown where *node* does not count.
        """
        if not self.speaks(node):
            return dict.fromkeys(self.remotes, Reach.UNKNOWN)
        return {name: _reach(state) for name, state in self.remotes.items()}

    def proof(self, host: str, *, node: str, lost_at_s: float) -> FenceProof | None:
        """Return the proof that the remote *host* is off, or None while there is none.

        Both must say so: the history, that the newest fencing succeeded after the loss and was
        a power-off; and the CIB, that the remote has not joined since.

        Args:
            host: A remote; a member of the ring is never proven, for nothing is evacuated of it.
            node: Whose view this is.
            lost_at_s: When the host was lost; an older fencing proves nothing. The history counts
                whole seconds, so this second itself is late enough.
        """
        state = self.remotes.get(host)
        newest = next((each for each in self.fencings if each.target == host), None)
        if not self.speaks(node) or state is None or newest is None:
            return None
        if state.joined is not False or not state.fenced_at_s:
            return None
        if newest.status != _SUCCESS or newest.action != _OFF or newest.completed_s is None:
            return None
        if newest.completed_s < int(lost_at_s):
            return None
        return FenceProof(
            host=host,
            method=METHOD,
            target=host,
            answer=_OFF,
            ordered_at_s=lost_at_s,
            confirmed_at_s=newest.completed_s,
            by=f"{newest.delegate} for {self.dc}",
        )

    def proofs(self, *, node: str) -> Mapping[str, FenceProof]:
        """Return remote -> the proof that it is off now, as seen by *node*.

        Whoever begins to watch late finds it as well: the loss that counts is the one that the
        CIB remembers the fencing of.
        """
        found = {
            name: self.proof(name, node=node, lost_at_s=state.fenced_at_s - NOTED_WITHIN_S)
            for name, state in self.remotes.items()
        }
        return {name: proof for name, proof in found.items() if proof is not None}


def read(crm_mon: str, *, cib: str) -> RingView:
    """Return the ring as Pacemaker's tools tell it.

    Args:
        crm_mon: What ``crm_mon --output-as=xml --fence-history=3`` printed.
        cib: What ``cibadmin --query`` printed.

    Raises:
        PacemakerAnswerError: if one of them is no such answer.
    """
    shown, kept = _parse(crm_mon, "pacemaker-result"), _parse(cib, "cib")
    dc = shown.find("summary/current_dc")
    if dc is None:
        raise PacemakerAnswerError("crm_mon names no DC section. Try: crm_mon --output-as=xml")
    return RingView(
        dc=dc.get("name", "") if _is_true(dc.get("present")) else "",
        quorate=_is_true(dc.get("with_quorum")) and _is_true(kept.get("have-quorum")),
        nodes={node.name: node for node in map(_node, shown.iterfind("nodes/node"))},
        remotes={
            state.get("uname", ""): _state(state)
            for state in kept.iterfind("status/node_state")
            if _is_true(state.get("remote_node"))
        },
        resources=tuple(_resource(each) for each in shown.iter("resource")),
        fencings=tuple(_fencings(shown)),
    )


def _reach(state: RemoteState) -> Reach:
    if state.joined is None:
        return Reach.UNKNOWN
    return Reach.UP if state.joined else Reach.DOWN


def _node(said: ElementTree.Element) -> Node:
    return Node(
        name=said.get("name", ""),
        remote=said.get("type") == "remote",
        online=_is_true(said.get("online")),
        unclean=_is_true(said.get("unclean")),
        standby=_is_true(said.get("standby")),
    )


def _state(said: ElementTree.Element) -> RemoteState:
    joined = said.get("in_ccm")
    fenced = said.get("node_fenced", "")
    return RemoteState(
        joined=None if joined is None else _is_joined(joined),
        fenced_at_s=float(fenced) if fenced.isdecimal() else 0.0,
    )


def _is_joined(said: str) -> bool:
    """Return whether a membership is; newer Pacemakers write since when instead of ``true``."""
    return _is_true(said) or (said.isdecimal() and said != "0")


def _resource(said: ElementTree.Element) -> Resource:
    return Resource(
        name=said.get("id", ""),
        agent=said.get("resource_agent", ""),
        role=said.get("role", ""),
        nodes=tuple(node.get("name", "") for node in said.iterfind("node")),
        failed=_is_true(said.get("failed")),
    )


def _fencings(shown: ElementTree.Element) -> Iterator[Fencing]:
    for event in shown.iterfind("fence_history/fence_event"):
        completed = event.get("completed")
        yield Fencing(
            target=event.get("target", ""),
            action=event.get("action", ""),
            status=event.get("status", ""),
            delegate=event.get("delegate", ""),
            completed_s=_seconds(completed) if completed else None,
            reason=event.get("exit-reason", ""),
        )


def _seconds(text: str) -> float:
    """Return a time as Pacemaker writes it, with ``Z`` or `` +01:00`` at its end, in seconds."""
    try:
        moment = datetime.datetime.fromisoformat(text.replace(" +", "+").replace(" -", "-"))
    except ValueError as error:
        raise PacemakerAnswerError(f"{text!r} in the fencing history is no time") from error
    if moment.tzinfo is None:
        raise PacemakerAnswerError(f"{text!r} in the fencing history has no time zone")
    return moment.timestamp()


def _parse(text: str, root: str) -> ElementTree.Element:
    try:
        found = ElementTree.fromstring(text)  # noqa: S314 - it comes from the local Pacemaker
    except ElementTree.ParseError as error:
        raise PacemakerAnswerError(f"what should be {root} is no XML: {error}") from error
    if found.tag != root:
        raise PacemakerAnswerError(f"what should be {root} is {found.tag}")
    return found


def _is_true(text: str | None) -> bool:
    return text in _TRUE
