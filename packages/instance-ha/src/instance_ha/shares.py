# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""How many hosts a share of them is."""

from __future__ import annotations

from fractions import Fraction


def part(share: float, count: int) -> int:
    """Return the whole hosts that *share* of *count* is, by the share as people write it.

    In binary 0.58 of 50 is a little less than 29, so a product of floats would be one too few.
    """
    return int(Fraction(str(share)) * count)
