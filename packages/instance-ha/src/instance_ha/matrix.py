# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The network matrix: which losses of networks ask for a recovery."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from instance_ha.errors import MatrixError
from instance_ha.model import Action, Network, Reach

_DECISIVE = frozenset({Network.STORAGE, Network.MANAGEMENT})

Row = Mapping[str, str]
"""Each declared network's name with ``up`` or ``down``, and ``action``."""


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """What to do for every combination of networks lost."""

    networks: tuple[Network, ...]
    """The declared networks, in the order of :class:`Network`."""
    rows: Mapping[frozenset[Network], Action]
    """The networks that are down (all others are up) -> the action."""

    @classmethod
    def from_rows(
        cls, rows: Sequence[Row], networks: Collection[Network], *, force: bool = False
    ) -> Matrix:
        """Read an operator's matrix.

        Args:
            rows: One row for each combination of states, in any order.
            networks: The declared networks.
            force: Take recoveries for which neither storage nor management is down, and rows
                that recover for one loss and not for that loss and another.

        Raises:
            MatrixError: if a row is missing, twice there, malformed, asks for a recovery that
                no loss of storage or management justifies, for a migration that cannot work, or
                contradicts another row.
        """
        declared = _in_order(networks)
        read: dict[frozenset[Network], Action] = {}
        for row in rows:
            down, action = _read_row(row, declared)
            if down in read:
                raise MatrixError(f"matrix: two rows for '{_words(down, declared)}'; remove one")
            _check_justified(down, action, declared, force=force)
            read[down] = action
        for down in _combinations(declared):
            if down not in read:
                raise MatrixError(f"matrix: no row for '{_words(down, declared)}'; add it")
        if not force:
            _check_agreement(read, declared)
        return cls(networks=declared, rows=read)

    def action(self, reach: Mapping[Network, Reach]) -> Action:
        """Return what *reach* asks for.

        Unknown never recovers: a network that nobody can speak of is taken as up and as down, and
        only what both say counts. Nor does one network alone decide where several are declared,
        because its observers may share one fault. A host that left somewhere is being stopped on
        purpose.
        """
        outcomes = self._outcomes(reach)
        if self._left(reach) or len(outcomes) > 1:
            return Action.NONE
        speaking = sum(reach.get(network) in {Reach.UP, Reach.DOWN} for network in self.networks)
        return outcomes.pop() if speaking >= min(2, len(self.networks)) else Action.NONE

    def alive(self, reach: Mapping[Network, Reach]) -> bool:
        """Return whether the host is certainly not lost, whatever the unknown networks hide."""
        return not self._left(reach) and Action.RECOVERY not in self._outcomes(reach)

    def as_rows(self) -> list[dict[str, str]]:
        """Return the rows as :meth:`from_rows` reads them, in the order of the published table."""
        return [
            {
                **{n.value: "down" if n in down else "up" for n in self.networks},
                "action": self.rows[down].value,
            }
            for down in _combinations(self.networks)
        ]

    def _left(self, reach: Mapping[Network, Reach]) -> bool:
        return any(reach.get(network) is Reach.LEFT for network in self.networks)

    def _outcomes(self, reach: Mapping[Network, Reach]) -> set[Action]:
        """Return every action that is possible once the unknown networks are known."""
        down = frozenset(n for n in self.networks if reach.get(n) is Reach.DOWN)
        up = frozenset(n for n in self.networks if reach.get(n) is Reach.UP)
        return {action for lost, action in self.rows.items() if down <= lost and not up & lost}


def default_matrix(networks: Collection[Network]) -> Matrix:
    """Return the published matrix for the *declared* networks.

    Storage decides; where no storage network is declared, management stands for it.

    Raises:
        MatrixError: if neither storage nor management is declared.
    """
    declared = _in_order(networks)
    decisive = Network.STORAGE if Network.STORAGE in declared else Network.MANAGEMENT
    if decisive not in declared:
        raise MatrixError(
            "matrix: neither storage nor management is declared, so no loss asks for a recovery; "
            "integrate consul-storage or consul-management"
        )
    return Matrix(
        networks=declared,
        rows={
            down: Action.RECOVERY if decisive in down else Action.NONE
            for down in _combinations(declared)
        },
    )


def _in_order(networks: Collection[Network]) -> tuple[Network, ...]:
    if not networks:
        raise MatrixError("matrix: no network is declared; integrate consul-storage")
    return tuple(network for network in Network if network in networks)


def _combinations(networks: tuple[Network, ...]) -> list[frozenset[Network]]:
    """Return every set of lost networks, all up first, the last network changing fastest."""
    return [
        frozenset(itertools.compress(networks, lost))
        for lost in itertools.product((False, True), repeat=len(networks))
    ]


def _read_row(row: Row, networks: tuple[Network, ...]) -> tuple[frozenset[Network], Action]:
    expected = {*(network.value for network in networks), "action"}
    if set(row) != expected:
        wrong = ", ".join(sorted(set(row) ^ expected))
        raise MatrixError(f"matrix: a row needs {', '.join(sorted(expected))}; check: {wrong}")
    states = {network: row[network.value] for network in networks}
    for network, state in states.items():
        if state not in {"up", "down"}:
            raise MatrixError(f"matrix: {network} is '{state}' in a row; say up or down")
    if row["action"] not in set(Action):
        raise MatrixError(
            f"matrix: action '{row['action']}' is not known; say {', '.join(Action)}"
        )
    down = frozenset(network for network, state in states.items() if state == "down")
    return down, Action(row["action"])


def _check_justified(
    down: frozenset[Network], action: Action, networks: tuple[Network, ...], *, force: bool
) -> None:
    if action is Action.NONE:
        return
    if not down:
        raise MatrixError("matrix: a host with all networks up must be left alone; say none")
    if action is Action.MIGRATE and down != frozenset({Network.TENANT}):
        raise MatrixError(
            f"matrix: '{_words(down, networks)}' asks to migrate, which needs every network but "
            "tenant up: the host is told over management and its servers' disks are on storage; "
            "say none or recovery"
        )
    if action is Action.RECOVERY and not force and not down & _DECISIVE:
        raise MatrixError(
            f"matrix: '{_words(down, networks)}' asks for a recovery though storage and "
            "management are up; say none, or force the matrix"
        )


def _check_agreement(
    rows: Mapping[frozenset[Network], Action], networks: tuple[Network, ...]
) -> None:
    """Refuse a matrix that recovers a host and, when it loses more, does not."""
    for less, more in itertools.permutations(rows, 2):
        if less < more and rows[less] is Action.RECOVERY and rows[more] is not Action.RECOVERY:
            raise MatrixError(
                f"matrix: '{_words(less, networks)}' asks for a recovery, and "
                f"'{_words(more, networks)}', which is worse, does not; make them agree, or "
                "force the matrix"
            )


def _words(down: frozenset[Network], networks: tuple[Network, ...]) -> str:
    return ", ".join(f"{n} {'down' if n in down else 'up'}" for n in networks)
