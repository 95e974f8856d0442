# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The ladder of fences: one rung after the other, until one proves that a host cannot write.

A rung proves by one answer only, and only if that was asked for after the order. An answer that
says nothing (``unknown``, ``error``) or none at all leads to the next rung, never to a proof.
Below the last rung there is nothing, so the host is held.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from instance_ha import pacemaker
from instance_ha.errors import FenceError, PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from instance_ha.model import FenceProof
    from instance_ha.ports import Fencer

OFF = "off"
ON = "on"
STORAGE_FENCED = "storage fenced"
STORAGE_OPEN = "storage open"
UNFENCED = "unfenced by choice"
NO_FENCING = "none"
"""The method of a host whose operator chose to evacuate without any proof."""


class Rung(enum.StrEnum):
    """A way to prove that a host cannot write, in the order in which they are usually tried."""

    MAAS = "maas"
    """Power off through MAAS."""
    REDFISH = "redfish"
    """Power off through the host's own controller, by Redfish."""
    IPMI = "ipmi"
    """Power off through the host's own controller, by IPMI."""
    CEPH = "ceph"
    """The host's clients are refused by its storage; the host itself may run on."""


PROVES: Mapping[str, str] = {
    Rung.MAAS: OFF,
    Rung.REDFISH: OFF,
    Rung.IPMI: OFF,
    Rung.CEPH: STORAGE_FENCED,
    pacemaker.METHOD: OFF,
    NO_FENCING: UNFENCED,
}
"""Method -> the one answer of it that lets servers be evacuated."""

UNDOES = frozenset({ON, STORAGE_OPEN})
"""What says that a proof of earlier holds no more; ``unknown`` says nothing against it."""

_SAYS_SOMETHING = frozenset(PROVES.values()) | UNDOES


def is_proof(method: str, answer: str) -> bool:
    """Return whether this answer of this method lets servers be evacuated."""
    return PROVES.get(method) == answer


def read(names: Iterable[str]) -> tuple[Rung, ...]:
    """Return the rungs of these names, from the first to the last one.

    Raises:
        PolicyError: if there is none, one is unknown, or one stands there twice.
    """
    listed = [name.strip().lower() for name in names]
    known = ", ".join(Rung)
    if not listed:
        raise PolicyError(f"the ladder of fences has no rung; give some of {known}")
    for name in listed:
        if name not in set(Rung):
            raise PolicyError(f"'{name}' is no rung of the ladder of fences; known are {known}")
        if listed.count(name) > 1:
            raise PolicyError(f"'{name}' stands twice in the ladder of fences; name it once")
    return tuple(Rung(name) for name in listed)


def choose(
    *, segment: str, of_segments: Mapping[str, str], of_all: Sequence[str], ready: Sequence[Rung]
) -> tuple[Rung, ...]:
    """Return the rungs for the hosts of one segment.

    Args:
        segment: The segment's name; empty where it is not known.
        of_segments: Segment -> its rungs, joined by ``+``, for those that differ.
        of_all: The rungs of all other segments; empty for whatever is ready.
        ready: What there is access to.

    Raises:
        PolicyError: if a list cannot be used, or names what there is no access to.
    """
    names = of_segments[segment].split("+") if segment in of_segments else of_all
    if not names:
        return tuple(ready)
    rungs = read(names)
    if missing := [rung for rung in rungs if rung not in ready]:
        where = f"segment {segment}" if segment in of_segments else "the ladder"
        raise PolicyError(
            f"{where} asks for {', '.join(missing)}, to which there is no access; ready are "
            f"{', '.join(ready) or 'none'}. Give hacluster-shim what the rung needs, or drop it"
        )
    return rungs


class Ladder:
    """Tries each rung in turn; implements :class:`instance_ha.ports.Fencer`.

    A refusal is told when it comes up or changes, not for each of many tries.
    """

    def __init__(
        self,
        rungs: Mapping[Rung, Fencer],
        *,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Make a ladder.

        Args:
            rungs: What fences, in order; at least one.
            tell: Hears why a rung was left for the next one.
        """
        self._rungs = dict(rungs)
        self._tell = tell
        self._told: dict[Rung, str] = {}

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs, from the first to the last one."""
        return tuple(self._rungs)

    def fence(self, host: str) -> FenceProof:
        """Return the proof of the first rung that gives one.

        Raises:
            FenceError: if none does; with the reason of each.
        """
        failures: list[tuple[Rung, FenceError]] = []
        for rung, fencer in self._rungs.items():
            try:
                return _require_proof(fencer.fence(host))
            except FenceError as error:
                failures.append((rung, error))
                self._leave(rung, error)
        if len(failures) == 1:
            raise failures[0][1]
        reason = "; ".join(f"{rung}: {error.reason}" for rung, error in failures)
        hint = "; ".join(f"{rung}: {error.hint}" for rung, error in failures)
        raise FenceError(host, reason, hint=hint)

    def check(self, host: str) -> str:
        """Return the first answer that says something, without any order.

        Raises:
            FenceError: if no rung answers at all; the first one's reason.
        """
        said: list[str] = []
        silent: list[FenceError] = []
        for fencer in self._rungs.values():
            try:
                said.append(fencer.check(host))
            except FenceError as error:
                silent.append(error)
            else:
                if said[-1] in _SAYS_SOMETHING:
                    return said[-1]
        if not said:
            raise silent[0]
        return said[0]

    def upholding(self, proof: FenceProof) -> Fencer:
        """Return who is to be asked whether *proof* still holds.

        A storage fence says nothing of the power and the power nothing of the storage, so each is
        asked for itself. Where another rung than the proof's speaks of the power, it counts too.
        """
        if proof.answer == OFF:
            power = {r: f for r, f in self._rungs.items() if PROVES[r] == OFF}
            asked = {r: power[r] for r in sorted(power, key=lambda r: r != proof.method)}
        else:
            asked = {r: f for r, f in self._rungs.items() if r == proof.method}
        return Ladder(asked) if asked else self

    def _leave(self, rung: Rung, error: FenceError) -> None:
        later = self.rungs[self.rungs.index(rung) + 1 :]
        if later and self._told.get(rung) != error.reason:
            self._told[rung] = error.reason
            self._tell(f"{rung}: {error.reason}; the next rung is {later[0]}. {error.hint}")


def _require_proof(proof: FenceProof) -> FenceProof:
    """Return *proof* if its answer is the one that counts; who fences may be mistaken."""
    if is_proof(proof.method, proof.answer):
        return proof
    reason = f"{proof.method} answered {proof.answer!r}, which proves nothing"
    raise FenceError(proof.host, reason, hint=f"Look at {proof.target}")
