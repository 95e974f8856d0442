# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A value that is slow to read, kept so that who needs it rarely waits for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Generic, TypeVar

from instance_ha.errors import CloudUnreachableError
from masakari_instance_ha.aside import Aside

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Latest(Generic[T]):
    """Read a value aside; hand out the last one meanwhile.

    The value is read anew once it is older than *fresh_s* says. Until the new one is there, the
    old one is handed out as long as it is younger than *usable_s* and was asked for after the
    last :meth:`outdate`; only without such a value does the caller wait, and no longer than
    *patience_s*.
    """

    def __init__(
        self,
        read: Callable[[], T],
        *,
        fresh_s: Callable[[T], float],
        usable_s: float = 30.0,
        patience_s: float = 5.0,
    ) -> None:
        self._read = read
        self._fresh_s = fresh_s
        self._usable_s = usable_s
        self._patience_s = patience_s
        self._reading: Aside[tuple[float, T]] | None = None
        self._newest: tuple[float, T] | None = None
        self._outdated_s = float("-inf")

    def get(self) -> T:
        """Return a usable value.

        Raises:
            CloudUnreachableError: if there is none, or what the read itself raised.
        """
        deadline_s = time.monotonic() + self._patience_s
        while True:
            self._finish()
            if self._reading is None and not self._is_fresh():
                self._reading = Aside(self._timed, name="latest")
            if self._newest is not None and self._is_usable():
                return self._newest[1]
            left_s = deadline_s - time.monotonic()
            if left_s <= 0 or self._reading is None:
                raise CloudUnreachableError(
                    f"Masakari and Nova have not answered for {self._patience_s} s; "
                    "check their API services"
                )
            self._reading.wait(within_s=left_s)

    def outdate(self) -> None:
        """Hand out nothing that was asked for before this moment: the caller changed it."""
        self._outdated_s = time.monotonic()

    def _timed(self) -> tuple[float, T]:
        asked_s = time.monotonic()
        return asked_s, self._read()

    def _finish(self) -> None:
        """Take over what was read; an error counts only where nothing usable is left."""
        if self._reading is None or not self._reading.over:
            return
        reading, self._reading = self._reading, None
        if reading.error is None or not self._is_usable():
            self._newest = reading.result()

    def _age_s(self) -> float:
        return float("inf") if self._newest is None else time.monotonic() - self._newest[0]

    def _is_usable(self) -> bool:
        asked_after = self._newest is not None and self._newest[0] >= self._outdated_s
        return asked_after and self._age_s() <= self._usable_s

    def _is_fresh(self) -> bool:
        return (
            self._newest is not None
            and self._is_usable()
            and self._age_s() <= self._fresh_s(self._newest[1])
        )
