# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A call in a thread of its own, which never keeps the process from ending."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

T = TypeVar("T")


class Aside(Generic[T]):
    """Run *call* aside, and hand its result or its error to whoever asks for the result.

    The standard library's executors wait for their threads when the process ends; a call that
    hangs on a dead service would then outlast the time that a process is given to stop.
    """

    def __init__(self, call: Callable[[], T], *, name: str) -> None:
        """Begin the call."""
        self._call = call
        self._results: list[T] = []
        self._finished = threading.Event()
        self.error: BaseException | None = None
        """What the call raised, once it is over."""
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def over(self) -> bool:
        """Whether the call returned or raised."""
        return self._finished.is_set()

    def wait(self, *, within_s: float) -> bool:
        """Wait for the call's end; return whether it came within *within_s*."""
        return self._finished.wait(within_s)

    def result(self) -> T:
        """Return what the call returned, or raise what it raised; only once it is over."""
        if self.error is not None:
            raise self.error
        return self._results[0]

    def _run(self) -> None:
        with self:
            self._results.append(self._call())

    def __enter__(self) -> None:
        """Begin to keep an error, instead of letting it end the thread unseen."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        """Keep the error for who asks for the result."""
        self.error = error
        self._finished.set()
        return True
