# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every error of the domain; each message holds the fact, the reason and the next step."""

from __future__ import annotations


class InstanceHaError(Exception):
    """Base of all errors of this project's packages; catch it only at a process edge."""


class MatrixError(InstanceHaError):
    """A matrix that cannot be used: rows missing, contradicting, or over unknown networks."""


class PolicyError(InstanceHaError):
    """Options that contradict one another."""


class FenceError(InstanceHaError):
    """A host could not be proven off, so nothing of it may be evacuated."""

    def __init__(self, host: str, reason: str, *, hint: str) -> None:
        super().__init__(f"{host} is not fenced: {reason}. {hint}")
        self.host = host
        self.reason = reason
        self.hint = hint


class FenceTimeoutError(FenceError):
    """The power controller took the order, and did not report the host off in time."""


class FenceTargetError(FenceError):
    """The power controller has no machine, or more than one, for the host."""


class NotificationRefusedError(InstanceHaError):
    """Masakari does not take a notification now, for example as the host is on maintenance."""

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"masakari refused the notification for {host}: {reason}")
        self.host = host
        self.reason = reason


class CloudUnreachableError(InstanceHaError):
    """Masakari's or Nova's API did not say it, so what they know is unknown."""


class NotYetError(CloudUnreachableError):
    """Masakari or Nova declines a step for now.

    Nothing was decided by it, and the same step is due again in the next pass.
    """


class StoreUnreachableError(InstanceHaError):
    """The database did not answer, so nothing may be decided."""


class LeaseOverError(InstanceHaError):
    """A pass took so long that another controller acts, or may act, so nothing more is done."""
