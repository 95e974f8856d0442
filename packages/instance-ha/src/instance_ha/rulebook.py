# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Judge each host by the matrix of its segment, which an operator may change at any time."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from instance_ha.errors import CloudUnreachableError, StoreUnreachableError
from instance_ha.judge import judge
from instance_ha.matrices import Chosen, Matrices, collect

if TYPE_CHECKING:
    from collections.abc import Mapping

    from instance_ha.matrix import Matrix
    from instance_ha.model import Network, Reach, Verdict
    from instance_ha.ports import Cloud, MatrixShelf

logger = logging.getLogger(__name__)

READ_EVERY_S = 3.0
"""How long a new matrix may go unnoticed."""

_SOURCE = "default for the declared networks"


class Rulebook:
    """The matrices that count now, read anew every few seconds.

    What was read last counts while the store or the cloud cannot be reached. Before anything was
    read nothing is known: judged by the default, a host could be recovered against the word of
    its operator.
    """

    def __init__(
        self,
        default: Matrix,
        *,
        shelf: MatrixShelf | None,
        cloud: Cloud,
        source: str = _SOURCE,
    ) -> None:
        """Begin with *default*; without a *shelf* nothing else ever counts."""
        self._default = Chosen(matrix=default, source=source)
        self._shelf = shelf
        self._cloud = cloud
        self._matrices = None if shelf else Matrices(default=self._default)
        self._segments: Mapping[str, str] | None = None
        self._due_s = float("-inf")

    def read(self, now_s: float) -> None:
        """Read the matrices and, where it matters, who is in which segment, if that is due."""
        if self._shelf is None or (self._matrices is not None and now_s < self._due_s):
            return
        self._due_s = now_s + READ_EVERY_S
        try:
            matrices = collect(self._shelf.newest(), default=self._default)
            if matrices.by_segment:
                self._segments = {host.name: host.segment.uuid for host in self._cloud.hosts()}
        except (CloudUnreachableError, StoreUnreachableError) as error:
            logger.debug("the matrices of before count on: %s", error)
            return
        self._say(matrices)
        self._matrices = matrices

    def judge(self, host: str, *, reach: Mapping[Network, Reach]) -> Verdict:
        """Return what is to be done about *host*; nothing while its matrix is not known."""
        if self._matrices is None:
            return judge(host, reach={}, matrix=self._default.matrix)
        segment = (self._segments or {}).get(host)
        return judge(host, reach=reach, matrix=self._matrices.of(segment).matrix)

    def _say(self, matrices: Matrices) -> None:
        """Log what changed."""
        before = self._matrices or Matrices(default=self._default)
        for fault in set(matrices.faults) - set(before.faults):
            logger.error("matrix: %s", fault)
        for segment in sorted(matrices.own.keys() | before.own.keys()):
            if matrices.of(segment) != before.of(segment):
                where = f"segment {segment}" if segment else "cloud"
                logger.info("matrix of the %s: %s counts now", where, matrices.of(segment).source)
