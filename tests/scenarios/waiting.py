# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Wait for what an application says of itself."""

import os
from collections.abc import Callable

import jubilant


def deadline(seconds: float) -> float:
    """Return *seconds*, stretched on machines that say they are slow."""
    return seconds * float(os.environ.get("LAB_TIME_FACTOR", "1"))


def message(status: jubilant.Status, app: str) -> str:
    """Return the sentence of the application's first unit, or nothing while it has none."""
    units = status.get_units(app)
    return next(iter(units.values())).workload_status.message if units else ""


def until(
    juju: jubilant.Juju,
    ready: Callable[[jubilant.Status], bool],
    *,
    within_s: float = 300,
) -> jubilant.Status:
    """Wait until *ready* holds twice in a row, and no hook has failed.

    Raises:
        TimeoutError: if it does not hold in time; the last status is in the message.
        jubilant.WaitError: if a unit goes into error.
    """
    return juju.wait(
        ready, error=jubilant.any_error, timeout=deadline(within_s), delay=1.0, successes=2
    )


def until_blocked(juju: jubilant.Juju, app: str, *, says: str, within_s: float = 300) -> None:
    """Wait until the application is blocked with a sentence that begins with *says*."""
    until(
        juju,
        lambda status: jubilant.all_blocked(status, app) and message(status, app).startswith(says),
        within_s=within_s,
    )
