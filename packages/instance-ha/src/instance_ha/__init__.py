# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of instance recovery: evidence, verdicts, guards and the order of a recovery."""
