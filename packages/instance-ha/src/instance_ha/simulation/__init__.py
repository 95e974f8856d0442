# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A small cloud in memory, with a clock of its own, in which the real rules play scenarios."""
