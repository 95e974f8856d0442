# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong in the lab; every message ends in what to do next."""

from collections.abc import Sequence


class LabError(Exception):
    """Base of all errors of the lab."""


class CommandError(LabError):
    """A command of the lab failed or took too long."""

    def __init__(self, argv: Sequence[str], reason: str, *, output: str = "") -> None:
        text = f"`{' '.join(argv)}` {reason}"
        super().__init__(f"{text}:\n{output.strip()}" if output.strip() else text)
        self.argv = tuple(argv)
        self.output = output


class DeadlineError(LabError):
    """Something awaited did not happen in time."""

    def __init__(self, what: str, *, within_s: float, log_tail: str = "") -> None:
        hint = "set LAB_TIME_FACTOR above 1 if this machine is merely slow"
        text = f"waited {within_s:.0f} s in vain for {what}; {hint}"
        super().__init__(f"{text}\n{log_tail}" if log_tail else text)
        self.what = what


class DaemonDiedError(LabError):
    """A daemon ended while the lab waited for it."""

    def __init__(self, name: str, *, what: str, log: str, log_tail: str = "") -> None:
        text = f"{name} died while waiting for {what}; read {log}"
        super().__init__(f"{text}\n{log_tail}" if log_tail else text)
        self.name = name


class MissingError(LabError):
    """The machine lacks something that ``python -m lab install`` provides."""

    def __init__(self, what: str, *, reason: str) -> None:
        super().__init__(f"{what} is missing: {reason}; run `python -m lab install` as root")
        self.what = what
