# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that can die, stop or be cut off at any call, and the lines that they call over.

A call that takes its time lets the world go on meanwhile: other programs act, and the one that
waits may find itself stopped, killed or late when it goes on.
"""

from __future__ import annotations

import contextlib
import enum
import functools
from typing import TYPE_CHECKING, Any, TypeVar

from instance_ha.errors import InstanceHaError

if TYPE_CHECKING:
    from collections.abc import Callable

    from instance_ha.ports import Clock

T = TypeVar("T")

PATIENCE_S = 5.0
"""After which a caller takes it that no answer comes."""
LATE_S = 4.0


class KilledError(InstanceHaError):
    """The program was killed; what it was about to do does not happen."""


class Process:
    """One program."""

    def __init__(
        self,
        name: str,
        *,
        clock: Clock,
        let_pass: Callable[[float], None],
        skew_s: float = 0.0,
    ) -> None:
        self.name = name
        self.alive = True
        self.busy = False
        """Whether it waits in a call, so that it begins nothing else."""
        self.cut_off = False
        """Whether nothing that it calls can be reached, and nothing is observed."""
        self.skew_s = skew_s
        """How far its machine's clock is ahead."""
        self._clock = clock
        self._let_pass = let_pass
        self._stopped_until_s = float("-inf")

    @property
    def stopped(self) -> bool:
        """Whether it is stopped now, as by SIGSTOP."""
        return self._clock.now_s() < self._stopped_until_s

    def stop(self, seconds: float) -> None:
        """Stop it for so long; it goes on where it was."""
        self._stopped_until_s = self._clock.now_s() + seconds

    def wait(self, seconds: float) -> None:
        """Wait, and then for as long as it is stopped; raise ``KilledError`` if it was killed."""
        self.busy = True
        self._let_pass(seconds)
        while self.alive and self.stopped:
            self._let_pass(self._stopped_until_s - self._clock.now_s())
        self.busy = False
        if not self.alive:
            raise KilledError(f"{self.name} was killed")


class OwnClock:
    """Implements ``ports.Clock`` as one program reads the time.

    As with the real one, a jump of its machine's clock counts from the program's next start.
    """

    def __init__(self, clock: Clock, process: Process) -> None:
        self._clock = clock
        self._process = process
        self._ahead_s = process.skew_s

    def now_s(self) -> float:
        """Return the second that its machine shows."""
        return self._clock.now_s() + self._ahead_s

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._process.wait(seconds)


class Trouble(enum.StrEnum):
    """What is wrong with a line, or with what is at its end."""

    NONE = "well"
    DOWN = "down"
    """It refuses every call at once."""
    HUNG = "hung"
    """It answers nobody; what it was asked to do, it does once it goes on."""
    DEAF = "deaf"
    """It does what it is asked to do, and the answer gets lost."""
    LATE = "late"
    """It answers after some seconds."""


class Line:
    """The way to one service."""

    def __init__(
        self, name: str, *, error: type[InstanceHaError], behind: Line | None = None
    ) -> None:
        """Make a line on which all is well.

        Args:
            name: What is at its end, in words.
            error: What a caller is told when no answer comes.
            behind: The line that the service itself needs for whatever it does.
        """
        self._name = name
        self._error = error
        self._behind = behind
        self._trouble = Trouble.NONE
        self._stuck: list[Callable[[], object]] = []

    @property
    def trouble(self) -> Trouble:
        """What is wrong now, the line behind it included."""
        if self._trouble is Trouble.NONE and self._behind is not None:
            return self._behind.trouble
        return self._trouble

    def fall_into(self, trouble: Trouble) -> None:
        """Change what is wrong; a service that hung does now what it was asked to do."""
        self._trouble = trouble
        stuck, self._stuck = self._stuck, []
        if trouble is Trouble.DOWN:
            return
        for call in stuck:
            with contextlib.suppress(InstanceHaError):  # nobody waits for it any more
                call()

    def carry(self, call: Callable[[], T], *, by: Process) -> T:
        """Make a call, and return its answer if that arrives."""
        match Trouble.DOWN if by.cut_off else self.trouble:
            case Trouble.DOWN:
                raise self._error(f"{self._name} refuses the connection")
            case Trouble.HUNG:
                self._stuck.append(call)
                by.wait(PATIENCE_S)
                raise self._error(f"{self._name} does not answer")
            case Trouble.LATE:
                by.wait(LATE_S)
            case _:
                pass
        answer = call()
        if self.trouble is Trouble.DEAF:
            raise self._error(f"{self._name}: the answer got lost")
        return answer


class Remote:
    """A port as one program reaches it: over a line."""

    def __init__(self, port: object, *, line: Line, caller: Process) -> None:
        self._port = port
        self._line = line
        self._caller = caller

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the port's method, made to go over the line."""
        return functools.partial(self._call, name)

    def _call(self, name: str, *args: object, **kwargs: object) -> Any:  # noqa: ANN401
        if self._caller.stopped:
            self._caller.wait(0.0)
        call = functools.partial(getattr(self._port, name), *args, **kwargs)
        return self._line.carry(call, by=self._caller)
