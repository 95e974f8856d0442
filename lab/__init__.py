# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A cloud on one machine: real daemons, real charms, simulated hosts."""
